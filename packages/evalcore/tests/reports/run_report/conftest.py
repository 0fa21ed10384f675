"""Runs to report, made of what each reply says."""

from __future__ import annotations

import json

import pytest

from evalcore.formats.strict_json import sha256_of
from evalcore.library.models import Model
from evalcore.reports.run_report.comparison import ReportedRun
from evalcore.reports.run_report.make import make_report
from evalcore.reports.run_report.tally import CaseLabel
from evalcore.scoring.score_run import score_run
from evalsim.testing import make_case, make_component, make_reply, make_run_plan

SCHEMA = {
    "type": "object",
    "properties": {
        "award_title": {"type": ["string", "null"]},
        "pages": {"type": "integer"},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "amount": {"type": "number"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["award_title"],
    "additionalProperties": False,
}


@pytest.fixture
def make_reported():
    """Make a run with its report from the texts or values that came for each case."""

    def make(
        answers,
        expected=None,
        *,
        quoted=True,
        schema=SCHEMA,
        model=None,
        names=None,
        version="1.0.0",
        output=None,
    ):
        component = make_component(
            "memo",
            version=version,
            output=output or ("json_array" if (schema or {}).get("type") == "array" else "json_object"),
            schema=schema,
            schema_sha256=None if schema is None else sha256_of(schema),
        )
        cases = [
            make_case(name, (expected or {}).get(name, {"award_title": "A", "pages": 3})) for name in answers
        ]
        plan = make_run_plan(
            component=component,
            cases=cases,
            replicates=max(map(len, answers.values())),
            model=model or Model("alpha", "mindrouter", params={"max_tokens": 100, "temperature": 0.1}),
        )

        def replies_of(case):
            return [
                make_reply(case.name, at, **one)
                if isinstance(one, dict) and "error" in one
                else make_reply(case.name, at, text=one if isinstance(one, str) else json.dumps(one))
                for at, one in enumerate(answers[case.name])
            ]

        record = score_run(plan, replies_of)
        names = names or {}
        labels = {case.name: CaseLabel(names.get(case.name, case.name), quoted) for case in cases}
        report = make_report(plan, replies_of, record, labels, record.case_results)
        return ReportedRun(plan, replies_of, record, labels, report)

    return make
