"""What is wrong with a component, found without a call: one mistake does not hide the next."""

from __future__ import annotations

import json

import pytest

from evalcore.evaluation.check import changed_text, check_component
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.catalog import REMAKE_CATALOG
from evalcore.library.checkout import FolderCheckout
from evalcore.library.front_matter import parse_prompt_file
from evalsim.testing import make_record, write_component

PROMPT = "---\nname: Memo\nversion: {version}\n{more}---\n## Prompt\n{text}\n"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def prompt(version="1.0.0", text="Answer.", more=""):
    return PROMPT.format(version=version, text=text, more=more)


@pytest.fixture
def library(tmp_path):
    write_component(tmp_path, prompt_file=prompt(), schema=SCHEMA, cases={"one": {"a": 1}})
    return tmp_path


def findings(library, data_sets=None):
    beside = None if data_sets is None else FolderCheckout(data_sets)
    return check_component(FolderCheckout(library), beside, "memo")


def lines(library, data_sets=None):
    return [f"{one.severity}: {one.line}" for one in findings(library, data_sets)]


def test_a_component_that_is_all_right_has_no_finding(library):
    assert lines(library) == []


def test_several_mistakes_are_all_found(library):
    (library / "components/memo/prompt.md").write_text(prompt(version="one"))
    (library / "components/memo/evals/scoring.yaml").write_text("fields: [")
    (library / "components/memo/evals/cases/two").mkdir()
    found = lines(library)
    assert any("the version `one` is not a semantic version" in line for line in found)
    assert any("scoring.yaml" in line and "is not YAML" in line for line in found)
    assert any("cases/two" in line and "has no input" in line for line in found)
    assert all(one.component == "memo" and one.hint for one in findings(library))


def test_a_case_that_is_yet_to_come_is_a_warning_a_broken_one_an_error(library):
    cases = library / "components/memo/evals/cases"
    (cases / "stub").mkdir()
    write_component(library, prompt_file=prompt(), cases={"broken": {}})
    (cases / "broken" / "expected.json").write_text("{")
    by_severity = {one.severity: one for one in findings(library)}
    assert by_severity["warning"].where.endswith("cases/stub")
    assert by_severity["error"].where.endswith("cases/broken/expected.json")
    assert by_severity["error"].hint == "mend it: the case is left out"


def test_an_expected_answer_that_contradicts_the_schema_is_told_with_its_place(library):
    write_component(library, prompt_file=prompt(), cases={"two": {"a": "text"}})
    (found,) = findings(library)
    assert found.severity == "warning"
    assert found.where == "components/memo/evals/cases/two/expected.json"
    assert found.what.startswith("contradicts the schema at `a`: ")


def test_a_schema_that_cannot_be_used_stops_the_judging_of_cases_alone(library):
    (library / "components/memo/schema.json").write_text("{")
    found = findings(library)
    assert [one.where for one in found] == ["components/memo/schema.json:1"] or len(found) == 1


def test_a_policy_that_names_no_field_is_told(library):
    (library / "components/memo/evals/scoring.yaml").write_text("fields:\n  b: {weight: 2}\n")
    (found,) = findings(library)
    assert found.severity == "error"
    assert "there is no field `b`" in found.what


@pytest.mark.parametrize(
    "path", ["scoring.yaml", "evals/cases/scoring.yaml", "evals/scoring.yml", "policy.yaml"]
)
def test_a_policy_that_lies_where_none_is_read_is_told_where_it_belongs(library, path):
    (library / "components/memo" / path).write_text("fields: {}\n")
    misplaced = [one for one in findings(library) if one.what == "is no scoring policy that is read"]
    assert [(one.where, one.hint) for one in misplaced] == [
        (f"components/memo/{path}", "move it to components/memo/evals/scoring.yaml")
    ]


def test_a_policy_beside_the_data_sets_has_its_place_too(library, tmp_path_factory):
    data_sets = tmp_path_factory.mktemp("data")
    (data_sets / "memo" / "evals").mkdir(parents=True)
    (data_sets / "memo" / "evals" / "scoring.yaml").write_text("fields: {}\n")
    (found,) = [one for one in findings(library, data_sets) if one.severity == "error"]
    assert found.where == "evaluation-data-sets/memo/evals/scoring.yaml"
    assert found.hint == "move it to evaluation-data-sets/memo/scoring.yaml"


def test_a_component_without_a_case_is_a_warning(tmp_path):
    write_component(tmp_path, prompt_file=prompt(), schema=SCHEMA)
    (found,) = findings(tmp_path)
    assert (found.severity, found.what) == ("warning", "has no cases")


def test_a_category_that_is_nearly_one_is_asked_about(library):
    (library / "components/memo/prompt.md").write_text(prompt(more="category: reveiw\n"))
    (found,) = findings(library)
    assert (found.what, found.hint) == ("the category `reveiw` is unknown", "did you mean `review`?")


def test_where_the_library_lists_its_categories_these_alone_are_known(library):
    (library / "taxonomy.md").write_text(
        "# T\n\n## Categories\n\n- `letters`: x\n* `memos`: y\n\n## Other\n- `no`\n"
    )
    (library / "components/memo/prompt.md").write_text(prompt(more="category: invoices\n"))
    (found,) = findings(library)
    assert found.hint == "use one of letters, memos (taxonomy.md)"
    (library / "components/memo/prompt.md").write_text(prompt(more="category: memos\n"))
    assert findings(library) == []


def test_a_catalog_that_names_another_version_is_to_be_made_anew(library):
    entry = {"slug": "memo", "version": "0.9.0", "contracts": {"output": {"format": "json_object"}}}
    (library / "component_catalog.json").write_text(json.dumps({"components": [entry]}))
    found = [one for one in findings(library) if "says version" in one.what]
    assert [(one.what, one.hint) for one in found] == [
        ("says version 0.9.0, and prompt.md 1.0.0", REMAKE_CATALOG)
    ]


@pytest.mark.parametrize(
    ("validated", "is_stale"),
    [("0.9.0", True), ("1.0.0", False), ("2.0.0", False), ("0.9", True), ("soon", False)],
)
def test_a_case_that_was_checked_against_an_older_version_is_told(library, validated, is_stale):
    metadata = library / "components/memo/evals/cases/one/metadata.yaml"
    metadata.write_text(f"validated_against_version: {validated}\n")
    found = [one for one in findings(library) if "validated against version" in one.what]
    assert bool(found) is is_stale


# A text that changed without its version


def changed(text="Answer.", records=(), earlier=(), version="1.0.0"):
    now = parse_prompt_file(prompt(version, text), "prompt.md")
    return [one.what for one in changed_text("memo", now, records, earlier)]


def record(text, version="1.0.0", number=1):
    return make_record(number, component_version=version, prompt_sha256=sha256_hex(text.encode()))


def test_a_prompt_that_was_evaluated_as_it_is_has_not_changed():
    assert changed(records=[record("Answer.")]) == []
    assert changed(records=[record("Other."), record("Answer.", number=2)]) == []
    assert changed() == []


def test_a_prompt_that_was_evaluated_as_another_text_has():
    (what,) = changed(records=[record("Other."), record("More.", number=2)])
    assert what == (
        f"the prompt has changed since it was evaluated (2026-01-05, run {record('', number=2).run_id}), "
        "and its version is still 1.0.0"
    )


def test_runs_of_other_versions_say_nothing():
    assert changed(records=[record("Other.", "0.9.0")]) == []


def test_a_commit_of_the_same_version_with_another_text_is_named():
    (what,) = changed(earlier=[("a" * 40, prompt()), ("b" * 40, prompt(text="Other."))])
    assert f"since commit {'b' * 12}, " in what


@pytest.mark.parametrize("before", [prompt("0.9.0", "Other."), "no prompt at all"])
def test_history_ends_at_another_version_or_at_what_is_none(before):
    assert changed(earlier=[("a" * 40, before), ("b" * 40, prompt(text="Other."))]) == []


def test_a_component_that_is_a_link_out_of_the_checkout_is_a_finding_of_its_own(library, tmp_path_factory):
    (library / "components" / "away").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    found = check_component(FolderCheckout(library), None, "away")
    assert {one.component for one in found} == {"away"}
    assert any("is a link that leaves the checkout" in one.what for one in found)
