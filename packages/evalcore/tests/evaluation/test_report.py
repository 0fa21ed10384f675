"""The report of a run's folder, with no more of its cases than may be published."""

from __future__ import annotations

import json

import pytest

from evalcore.errors import StorageError
from evalcore.evaluation.report import report_run
from evalcore.formats.strict_json import sha256_of
from evalcore.reports.run_report.make import report_files
from evalcore.runs.case_privacy import KEY_BYTES, CasePrivacy
from evalcore.runs.folder import RECORD, REPLIES, RunFolder
from evalcore.scoring.score_run import score_run
from evalsim.testing import make_case, make_component, make_reply, make_run_plan

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
SECRET = "Jane Doe of Springfield"
KEY = b"k" * KEY_BYTES


@pytest.fixture
def make_run(tmp_path):
    """Make the folder of a run of one case of the library and one of the data sets, called by a secret."""

    def make(*, is_recorded=True, schema=SCHEMA, answers=None):
        component = make_component(schema=schema, schema_sha256=None if schema is None else sha256_of(schema))
        cases = [
            make_case("own", {"title": "expected of the own"}),
            make_case(SECRET, {"title": SECRET}, input=SECRET, source="data_sets"),
        ]
        plan = make_run_plan(component=component, cases=cases)
        folder = RunFolder.create(tmp_path, plan)
        for case in cases:
            for at, answer in enumerate(answers or [{"title": "wrong"}, {"title": f"x {SECRET}", SECRET: 1}]):
                folder.append(make_reply(case.name, at, json.dumps(answer)))
        if is_recorded:
            folder.write_record(score_run(plan, folder.replies_of))
        folder.close()
        return folder.path

    return make


def written(run_dir, privacy):
    return report_files(report_run(run_dir, privacy), None)


def test_data_sets_cases_go_by_hash_and_nothing_of_their_text_is_written(make_run):
    answers = [{"title": "wrong"}, {"title": f"x {SECRET}"}]
    files = written(make_run(answers=[{"title": "wrong"}, {"title": "right"}]), CasePrivacy(None, KEY))
    everything = b"".join(files.values()).decode()
    assert SECRET not in everything
    assert "case-" in everything
    assert "expected of the own" in everything
    assert answers


@pytest.mark.parametrize("schema", [SCHEMA, None])
def test_keys_that_only_confidential_documents_brought_are_not_named(make_run, schema):
    run_dir = make_run(schema=schema, answers=[{"title": "a"}, {"title": "b", SECRET: 1}])
    summary = report_run(run_dir, CasePrivacy("hashed", KEY)).summary
    assert SECRET not in repr(summary)


@pytest.mark.parametrize("setting", ["none", "hashed"])
def test_where_no_case_may_be_named_none_is_quoted(make_run, setting):
    files = written(make_run(answers=[{"title": "wrong"}, {"title": "wrong"}]), CasePrivacy(setting, KEY))
    everything = b"".join(files.values()).decode()
    assert "expected of the own" not in everything
    assert SECRET not in everything
    assert ("case-" in everything) == (setting == "hashed")


def test_without_privacy_names_are_shown_and_data_sets_are_still_not_quoted(make_run):
    summary = report_run(make_run(answers=[{"title": "wrong"}, {"title": "wrong"}])).summary
    assert {row.doc for row in summary.accuracy.docs} == {"own", SECRET}
    assert {one.doc for row in summary.accuracy.fields for one in row.examples} == {"own"}


def test_a_run_without_a_record_is_scored_for_it(make_run):
    run_dir = make_run(is_recorded=False)
    assert report_run(run_dir).summary.headline.n_success == 4
    assert not (run_dir / RECORD).exists()


def test_replies_that_were_altered_make_no_report(make_run):
    run_dir = make_run()
    file = run_dir / REPLIES
    file.write_text(file.read_text().replace("wrong", "right"))
    with pytest.raises(StorageError, match="not what they were"):
        report_run(run_dir)


def test_a_run_that_is_not_finished_says_to_resume_it(make_run):
    run_dir = make_run(is_recorded=False)
    file = run_dir / REPLIES
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(StorageError, match="resume"):
        report_run(run_dir)
