"""Four dialects with faults in each: what a run's record says, over real HTTP."""

import asyncio
import json
from contextlib import AsyncExitStack, ExitStack

import msgspec
import pytest

from evalcore.clients.registry import open_client
from evalcore.effects import real_effects
from evalcore.evaluation.evaluate import evaluate
from evalcore.evaluation.outcome import Observer
from evalcore.library.models import BUILT_IN, Model, Price
from evalcore.runs.folder import PLAN, RunFolder
from evalcore.runs.record import record_object
from evalcore.scoring.score_run import score_run
from evalsim.cloud import CloudConfig, CloudFault, CloudModel, SimulatedCloud
from evalsim.mindrouter import SimConfig, SimModel, SimulatedMindRouter
from evalsim.mindrouter.answers import AnswerBook, Expected
from evalsim.serving import running
from evalsim.testing import SHA, make_case, make_component, make_job_plan

EXPECTED = {"title": "Soil and carbon", "pages": 12}
SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "pages": {"type": "integer"},
        "note": {"type": "string"},
    },
    "required": ["title", "pages"],
}
CLOUD = ("anthropic", "openai", "google")
ALL = (*CLOUD, "mindrouter")
NAMES = ("a", "b")


def expected(value=EXPECTED):
    return AnswerBook({f"input {name}": Expected(value=value, is_json=True) for name in NAMES})


def job(kinds, *, schema=SCHEMA, value=EXPECTED, output="json_object", replicates=3, cases=None, **model):
    settings = {
        "structured_output": "json_schema",
        "params": {"max_tokens": 500},
        "price": Price(input=1.0, output=10.0),
    } | model
    return make_job_plan(
        origin="local",
        component=make_component("c", schema=schema, schema_sha256=SHA, output=output),
        cases=cases or [make_case(name, value, input=f"input {name}") for name in NAMES],
        models=[Model(f"model-{kind}", kind, **settings) for kind in kinds],
        providers={kind: BUILT_IN[kind] for kind in kinds},
        replicates=replicates,
    )


def simulated(kind, value, faults, **model):
    if kind == "mindrouter":
        return SimulatedMindRouter(SimConfig(models=(SimModel(id=f"model-{kind}"),)), expected(value))
    config = CloudConfig(models=(CloudModel(id=f"model-{kind}", **model),), faults=faults)
    return SimulatedCloud(kind, config, expected(value))


def evaluated(plan, runs_dir, *, value=EXPECTED, faults=(), **model):
    """Evaluate a plan on its providers, simulated; give the outcomes and the simulations by kind."""
    with ExitStack() as stack:
        apps = {kind: simulated(kind, value, faults, **model) for kind in plan.providers}
        urls = {kind: stack.enter_context(running(app)) for kind, app in apps.items()}

        async def run():
            async with AsyncExitStack() as opened:
                clients = {
                    kind: await opened.enter_async_context(open_client(BUILT_IN[kind], url, f"key-{kind}"))
                    for kind, url in urls.items()
                }
                return await evaluate(
                    plan,
                    clients,
                    runs_dir=runs_dir,
                    concurrency=8,
                    observer=Observer(),
                    effects=real_effects(),
                )

        return asyncio.run(run()), apps


def record_of(plan, runs_dir, **options):
    (outcome,), _ = evaluated(plan, runs_dir, **options)
    return outcome.record


def test_four_providers_are_scored_on_equal_terms(tmp_path):
    outcomes, _ = evaluated(job(ALL), tmp_path)
    records = {outcome.record.provider: outcome.record for outcome in outcomes}
    for record in records.values():
        assert (record.status, record.calls.ok, record.accuracy.mean) == ("complete", 6, 1.0)
        assert record.schema_valid_rate == 1.0
        assert record.structured_output == "json_schema"
    assert records["mindrouter"].schema_adapted is None
    assert records["google"].schema_adapted == ("minLength is not sent: title",)
    assert records["anthropic"].schema_adapted == (
        "additionalProperties: false is added: .",
        "minLength is not sent: title",
    )
    assert "an optional property is sent as required and nullable: note" in records["openai"].schema_adapted


@pytest.mark.parametrize("kind", CLOUD)
def test_a_record_is_recomputed_from_its_folder_byte_for_byte(tmp_path, kind):
    (outcome,), _ = evaluated(job((kind,)), tmp_path)
    folder = RunFolder.open_to_read(outcome.run_dir)
    again = folder.with_hashes(score_run(folder.plan, folder.replies_of))
    folder.close()
    assert record_object(again) == json.loads((outcome.run_dir / "record.json").read_bytes())


@pytest.mark.parametrize("kind", CLOUD)
def test_a_list_that_had_to_be_wrapped_is_scored_as_the_list(tmp_path, kind):
    value = [{"title": "a"}, {"title": "b"}]
    part = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    schema = {"type": "array", "items": part}
    plan = job((kind,), schema=schema, value=value, output="json_array")
    record = record_of(plan, tmp_path, value=value)
    assert (record.accuracy.mean, record.schema_valid_rate) == (1.0, 1.0)


@pytest.mark.parametrize("kind", CLOUD)
@pytest.mark.parametrize("fault", ["refusal", "blocked", "empty"])
def test_an_answer_that_is_declined_or_empty_is_the_models_failure(tmp_path, kind, fault):
    faults = (CloudFault(kind=fault, every=2),)
    record = record_of(job((kind,)), tmp_path, faults=faults)
    assert (record.status, record.calls.ok, record.calls.parse_error) == ("complete", 3, 3)
    assert record.calls.api_error == 0
    assert record.accuracy.mean == 0.5
    # what was thought is not what was declined
    assert record.calls.empty_after_thinking in ({0, 3} if fault == "empty" else {0})
    assert record.cost_usd is not None


@pytest.mark.parametrize("kind", CLOUD)
def test_an_answer_cut_at_its_limit_counts_as_truncated(tmp_path, kind):
    record = record_of(job((kind,)), tmp_path, faults=(CloudFault(kind="max_tokens", every=3),))
    assert (record.calls.truncated, record.calls.parse_error) == (2, 2)


@pytest.mark.parametrize("kind", CLOUD)
def test_without_money_the_run_is_partial_and_says_why(tmp_path, kind):
    record = record_of(job((kind,)), tmp_path, faults=(CloudFault(kind="quota"),))
    assert (record.status, record.calls.api_error) == ("partial", 6)
    assert "quota_exceeded" in record.reason


@pytest.mark.parametrize("kind", CLOUD)
def test_thinking_and_the_cache_have_prices_of_their_own(tmp_path, kind):
    price = Price(input=1.0, output=10.0, thinking=100.0, cache_read=0.5)
    thought = record_of(
        job((kind,), replicates=1, price=price), tmp_path / "a", faults=(CloudFault(kind="thinking"),)
    )
    plain = record_of(job((kind,), replicates=1, price=price), tmp_path / "b")
    thinking = thought.tokens.completion - plain.tokens.completion
    assert thinking == 2 * 17
    assert thought.cost_usd == pytest.approx(plain.cost_usd + thinking * 100 / 1e6)
    cached = record_of(
        job((kind,), replicates=1, price=price), tmp_path / "c", faults=(CloudFault(kind="cached"),)
    )
    assert cached.tokens == plain.tokens
    assert cached.cost_usd == pytest.approx(plain.cost_usd - 2 * 2 * 0.5 / 1e6)


@pytest.mark.parametrize("kind", CLOUD)
def test_a_parameter_that_the_model_refuses_makes_its_run_skipped_with_a_sentence(tmp_path, kind):
    plan = job((kind,), params={"temperature": 0.1})
    (outcome,), apps = evaluated(plan, tmp_path, is_reasoning=True)
    assert outcome.status == "skipped"
    for word in (f"model-{kind}", "`temperature`", "models.yaml"):
        assert word in outcome.reason
    assert len(apps[kind].seen) <= 8, "only what was in flight was asked"
    assert not list(tmp_path.glob("*/run.json"))


@pytest.mark.parametrize("kind", CLOUD)
def test_other_models_go_on_where_one_is_refused(tmp_path, kind):
    plan = job((kind, "mindrouter"), params={"warp": 1})
    skipped, complete = evaluated(plan, tmp_path)[0]
    assert (skipped.status, complete.status) == ("skipped", "complete")


@pytest.mark.parametrize("kind", CLOUD)
def test_a_model_that_is_not_there_makes_its_run_skipped(tmp_path, kind):
    plan = job((kind,))
    plan = msgspec.structs.replace(plan, models=(msgspec.structs.replace(plan.models[0], id="unheard-of"),))
    (outcome,), _ = evaluated(plan, tmp_path)
    assert outcome.status == "skipped"
    assert "models check" in outcome.reason


@pytest.mark.parametrize("kind", ["openai", "google"])
def test_a_schema_that_the_provider_cannot_take_costs_no_call(tmp_path, kind):
    circle = {"type": "array", "items": {"$ref": "#/$defs/t"}}
    schema = {
        **SCHEMA,
        "properties": {**SCHEMA["properties"], "t": {"$ref": "#/$defs/t"}},
        "$defs": {"t": circle},
    }
    if kind == "openai":
        schema["properties"]["t"] = {}
    (outcome,), apps = evaluated(job((kind,), schema=schema), tmp_path)
    assert outcome.status == "skipped"
    assert f"{kind} cannot be asked for it" in outcome.reason
    assert not apps[kind].seen


def test_a_grammar_that_anthropic_does_not_compile_is_asked_for_as_a_forced_tool(tmp_path):
    faults = (CloudFault(kind="grammar_too_large"),)
    (outcome,), apps = evaluated(job(("anthropic",)), tmp_path, faults=faults)
    record = outcome.record
    assert (record.status, record.calls.ok, record.accuracy.mean) == ("complete", 6, 1.0)
    assert record.schema_adapted[0].startswith("asked for as a forced tool")
    assert json.loads(apps["anthropic"].seen[-1].body)["tool_choice"]["type"] == "tool"
    assert [path.parent.name for path in tmp_path.glob(f"*/{PLAN}")] == [outcome.run_dir.name]


@pytest.mark.parametrize("kind", CLOUD)
def test_a_case_that_is_local_only_is_sent_to_no_cloud_provider(tmp_path, kind):
    cases = [
        make_case("a", EXPECTED, input="input a"),
        make_case("b", EXPECTED, input="input b", local_only=True, source="data_sets"),
    ]
    plan = job((kind, "mindrouter"), cases=cases)
    assert plan.calls == 3 + 6
    outcomes, apps = evaluated(plan, tmp_path)
    cloud, local = (outcome.record for outcome in outcomes)
    assert [result.case for result in cloud.case_results] == ["a"]
    assert [result.case for result in local.case_results] == ["a", "b"]
    (skipped,) = cloud.skipped_cases
    assert (skipped.case, skipped.source, skipped.broken) == ("b", "data_sets", False)
    assert "local_only" in skipped.reason
    assert not any(b"input b" in seen.body for seen in apps[kind].seen)
    assert local.skipped_cases == ()


def test_where_every_case_is_local_only_a_cloud_model_is_skipped(tmp_path):
    cases = [make_case("a", EXPECTED, input="input a", local_only=True)]
    (outcome,), apps = evaluated(job(("google",), cases=cases), tmp_path)
    assert outcome.status == "skipped"
    assert "local_only" in outcome.reason
    assert not apps["google"].seen


def test_a_key_of_one_provider_never_reaches_another_or_a_file(tmp_path):
    _, apps = evaluated(job(ALL), tmp_path, faults=(CloudFault(kind="rate_limited", seconds=0.01, times=1),))
    for kind in CLOUD:
        seen = apps[kind].seen
        assert seen
        for request in seen:
            text = " ".join(request.headers.values()) + request.path + request.body.decode()
            assert [other for other in ALL if f"key-{other}" in text] == [kind]
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"key-" not in files


def test_json_alone_cannot_be_asked_of_anthropic_and_the_record_says_that_it_was_not(tmp_path):
    record = record_of(job(("anthropic",), structured_output="json_object"), tmp_path)
    assert (record.structured_output, record.accuracy.mean) == ("none", 1.0)
