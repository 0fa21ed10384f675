"""From a component and a case to a call."""

from __future__ import annotations

import msgspec
import pytest

from evalcore.clients.interface import Call
from evalcore.errors import CaseError
from evalcore.library.component import Case, Document, OutputFormat
from evalcore.library.models import BUILT_IN, Model, Provider, StructuredOutput
from evalcore.library.reading import ReadingSettings
from evalcore.runs.plan import JobPlan, Server, call_for, cases_for, fit_to_output, plan_run
from evalcore.structs import JsonObject
from evalsim.testing import make_case, make_job_plan, make_provider

CASE = Case(name="a", input="The document.", expected="{}", sha256="0" * 64)
SCHEMA = {"type": "object"}


def model(structured_output: StructuredOutput) -> Model:
    return Model(id="m", provider="mindrouter", structured_output=structured_output, params={"seed": 1})


def test_prompt_is_the_system_message_and_input_the_users() -> None:
    assert call_for(model("json_schema"), "Do this.", SCHEMA, CASE, 3) == Call(
        case="a",
        replicate=3,
        model=model("json_schema"),
        system="Do this.",
        user="The document.",
        schema=SCHEMA,
    )


@pytest.mark.parametrize("structured_output", ["none", "json_object"])
def test_schema_goes_only_to_models_that_take_one(structured_output: StructuredOutput) -> None:
    assert call_for(model(structured_output), "Do this.", SCHEMA, CASE, 0).schema is None


def test_a_schema_that_refers_to_itself_without_end_says_nothing_soon() -> None:
    pairs = {f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(40)}
    for schema in ({"$ref": "#"}, {"$ref": "#/$defs/d0", "$defs": pairs}):
        assert fit_to_output(model("json_object"), "json", schema).structured_output == "none"


@pytest.mark.parametrize(
    ("wanted", "output", "schema", "asked"),
    [
        ("none", "json_object", SCHEMA, "none"),
        ("json_object", "json_object", None, "json_object"),
        ("json_object", "json_array", None, "none"),
        ("json_object", "json", None, "none"),
        ("json_object", "json", {"type": "object"}, "json_object"),
        ("json_object", "json", {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}, "json_object"),
        ("json_object", "json", {"anyOf": [{"type": "object"}, {"type": "array"}]}, "none"),
        ("json_object", "json", {"type": "array"}, "none"),
        ("json_object", "json_object", {"type": "array"}, "none"),
        ("json_object", "json", {"title": "whatever"}, "none"),
        ("json_object", "json_object", {"title": "whatever"}, "json_object"),
        ("json_object", "markdown", None, "none"),
        ("json_schema", "json_object", SCHEMA, "json_schema"),
        ("json_schema", "json_array", SCHEMA, "json_schema"),
        ("json_schema", "json_object", None, "json_object"),
        ("json_schema", "json_array", None, "none"),
        ("json_schema", "markdown", None, "none"),
    ],
)
def test_model_is_asked_for_no_more_structure_than_answers_have(
    wanted: StructuredOutput,
    output: OutputFormat,
    schema: JsonObject | None,
    asked: StructuredOutput,
) -> None:
    fitted = fit_to_output(model(wanted), output, schema)
    assert fitted == model(asked)


DOCUMENT = Document("input.pdf", "0" * 64, 9, "components/memo/evals/cases/one/input.pdf")


def job_of(document: Document, provider: Provider, **fields: object) -> JobPlan:
    return make_job_plan(
        cases=[make_case(document=document, **fields)],
        models=[Model("m", provider.name)],
        providers={provider.name: provider},
    )


def read_by(reader: str, kind: str = "pdf") -> Document:
    return msgspec.structs.replace(DOCUMENT, reader=reader, name=f"input.{kind}")


def test_no_call_is_planned_while_a_document_is_unread() -> None:
    job = job_of(DOCUMENT, make_provider())
    assert [case.name for case in job.unread] == ["one"]
    with pytest.raises(CaseError, match="the document of case one has not been read"):
        plan_run(job, job.models[0], "run", Server())


@pytest.mark.parametrize(
    ("provider", "kinds"),
    [
        ("mindrouter", {"png", "jpg", "jpeg"}),
        ("openai", {"png", "jpg", "jpeg", "pdf"}),
        ("anthropic", {"png", "jpg", "jpeg", "pdf"}),
        ("google", {"png", "jpg", "jpeg", "pdf"}),
    ],
)
def test_a_document_as_it_is_goes_only_to_whom_it_can_be_sent(provider: str, kinds: set[str]) -> None:
    for kind in ("pdf", "docx", "png", "jpg", "jpeg", "tiff", "tif"):
        for document in (read_by("none", kind), read_by("text", kind)):
            job = job_of(document, BUILT_IN[provider])
            used, skipped = cases_for(job, job.models[0])
            assert len(used) == (document.reader == "text" or kind in kinds)
            assert [f"takes no {kind.upper()} as it is" in case.reason for case in skipped] == [True] * (
                1 - len(used)
            )


def test_the_cases_that_a_model_is_not_sent_are_known_before_they_are_read() -> None:
    job = msgspec.structs.replace(
        job_of(DOCUMENT, BUILT_IN["mindrouter"]), reading=ReadingSettings(reader="none")
    )
    assert cases_for(job, job.models[0])[0] == ()
    assert job.calls == 0


def test_a_model_that_can_be_sent_no_document_is_left_out_with_the_reason() -> None:
    job = job_of(read_by("none"), BUILT_IN["mindrouter"])
    with pytest.raises(CaseError, match="mindrouter takes none of its documents as they are"):
        plan_run(job, job.models[0], "run", Server())


@pytest.mark.parametrize("reader", ["mindrouter", "text", "none"])
def test_a_document_that_is_local_only_goes_to_no_cloud_provider_whatever_reads_it(reader: str) -> None:
    job = job_of(read_by(reader, "png"), BUILT_IN["anthropic"], local_only=True)
    used, (skipped,) = cases_for(job, job.models[0])
    assert used == ()
    assert "is local_only" in skipped.reason
