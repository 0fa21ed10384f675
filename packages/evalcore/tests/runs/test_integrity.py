"""What a run's folder holds is still what it was, or it is said what is not."""

from __future__ import annotations

import json

import msgspec
import pytest

from evalcore.formats.strict_json import sha256_hex, sha256_of
from evalcore.runs.folder import PLAN, RunFolder
from evalcore.runs.integrity import altered
from evalcore.scoring.score_run import score_run
from evalsim.testing import make_case, make_component, make_reply, make_run_plan

POLICY = "fields:\n  a: {compare: exact}\n"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.fixture
def folder(tmp_path):
    component = make_component(
        schema=SCHEMA,
        schema_sha256=sha256_of(SCHEMA),
        policy=POLICY,
        policy_where="scoring.yaml",
        policy_sha256=sha256_hex(POLICY.encode()),
    )
    plan = make_run_plan(component=component, cases=[make_case("one", {"a": 1})], replicates=2)
    run = RunFolder.create(tmp_path, plan)
    for at in range(2):
        run.append(make_reply("one", at, '{"a": 1}'))
    yield run
    run.close()


def record_of(folder):
    record = score_run(folder.plan, folder.replies_of)
    return msgspec.structs.replace(
        record, replies_sha256=folder.replies_sha256(), plan_sha256=folder.plan_sha256()
    )


def changed_plan(folder, change):
    """Open the folder again after a hand has changed its run.json."""
    plan = json.loads((folder.path / PLAN).read_text())
    change(plan)
    (folder.path / PLAN).write_text(json.dumps(plan))
    folder.close()
    return RunFolder.open_to_read(folder.path)


def test_a_folder_as_it_was_is_not_altered(folder):
    assert altered(folder, record_of(folder)) == ()
    assert altered(folder, None) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda plan: plan["component"].update(prompt="Other."), "the prompt is not the one that was hashed"),
        (lambda plan: plan["component"].update(schema={}), "the schema is not the one that was hashed"),
        (
            lambda plan: plan["component"].update(policy="fields: {}"),
            "the policy is not the one that was hashed",
        ),
        (
            lambda plan: plan["cases"][0].update(expected='{"a": 2}'),
            "case one is not the one that was hashed",
        ),
        (lambda plan: plan["cases"][0].update(input="other"), "case one is not the one that was hashed"),
    ],
)
def test_what_was_changed_by_hand_is_named(folder, change, said):
    record = record_of(folder)
    again = changed_plan(folder, change)
    assert altered(again, record) == (f"run.json: {said}",)
    assert altered(again, None) == (f"run.json: {said}",)
    again.close()


def test_a_text_changed_with_its_hash_shows_beside_the_record(folder):
    record = record_of(folder)

    def change(plan):
        plan["component"].update(prompt="Other.", prompt_sha256=sha256_hex(b"Other."))

    again = changed_plan(folder, change)
    assert altered(again, None) == ()
    assert altered(again, record) == ("run.json: the prompt is not the one that was hashed",)
    again.close()


def test_another_set_of_cases_shows_beside_the_record(folder):
    record = msgspec.structs.replace(record_of(folder), cases_sha256="0" * 64)
    assert altered(folder, record) == ("run.json: the cases are not those of the record",)


def test_any_other_change_of_the_plan_shows_by_its_bytes(folder):
    record = record_of(folder)
    again = changed_plan(folder, lambda plan: plan.update(evaluator_version="9.9.9"))
    assert altered(again, record) == ("run.json: not the bytes that the record names",)
    again.close()


def test_other_replies_show(folder):
    record = msgspec.structs.replace(record_of(folder), replies_sha256="0" * 64)
    assert altered(folder, record) == ("replies.jsonl: not the replies that the record names",)


def test_a_record_of_before_the_hashes_shows_less(folder):
    old = msgspec.structs.replace(record_of(folder), replies_sha256=None, plan_sha256=None)
    again = changed_plan(folder, lambda plan: plan.update(evaluator_version="9.9.9"))
    assert altered(again, old) == ()
    again.close()


@pytest.mark.parametrize("before", ["", "\ufeff"])
@pytest.mark.parametrize("between", ["", "\ufeff"])
def test_files_with_a_byte_order_mark_were_hashed_with_it(tmp_path, before, between):
    data = before.encode() + b"?" + b"\0" + between.encode() + b"{}"
    plan = make_run_plan(cases=[make_case("one", "{}", sha256=sha256_hex(data))])
    run = RunFolder.create(tmp_path, plan)
    assert altered(run, None) == ()
    run.close()
