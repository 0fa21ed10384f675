"""Plan + a client -> kept replies -> records, whatever the client answers."""

import asyncio
import json
import random
import signal
import time

import msgspec
import pytest

from evalcore.clients.interface import Served, ServedModel
from evalcore.clients.reply import CallError, Usage
from evalcore.documents.cache import DocumentCache
from evalcore.effects import real_effects
from evalcore.errors import ComponentError, ProviderUnreachable, StorageError
from evalcore.evaluation.evaluate import evaluate
from evalcore.evaluation.outcome import Observer
from evalcore.formats.strict_json import encode_canonical, sha256_hex
from evalcore.library.component import Case, Document
from evalcore.library.models import Model, Price
from evalcore.runs.folder import RECORD, REPLIES, RunFolder
from evalcore.runs.plan import Server, plan_run
from evalcore.runs.record import record_object
from evalcore.scoring.score_run import score_run
from evalsim.testing import SHA, make_case, make_component, make_job_plan, make_reply

EXPECTED = {"title": "Annual report", "pages": 12}
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title", "pages"]}
COMPONENT = make_component("c", schema=SCHEMA, schema_sha256=SHA)


def job(models=("m",), replicates=3, cases=("a", "b"), **changes):
    values = {
        "origin": "local",
        "component": COMPONENT,
        "cases": [make_case(name, EXPECTED, input=f"input {name}") for name in cases],
        "models": [Model(name, "mindrouter", price=Price(1.0, 2.0)) for name in models],
        "replicates": replicates,
    }
    return make_job_plan(**values | changes)


class ScriptedClient:
    """Serves every model; `answer(call)` gives a text or a CallError."""

    def __init__(self, answer, models=("m", "n")):
        self.answer, self.models, self.calls = answer, models, []

    async def served(self):
        return Served("2.9.58", {name: ServedModel(name) for name in self.models})

    async def call(self, call, _lent):
        self.calls.append((call.model.id, call.case, call.replicate))
        await asyncio.sleep(0)
        answer = self.answer(call)
        failed = isinstance(answer, CallError)
        return make_reply(
            call.case,
            call.replicate,
            None if failed else answer,
            request_id=f"{call.model.id}-{call.case}-{call.replicate}",
            finish_reason=None if failed else "length" if answer.endswith("…") else "stop",
            usage=None if failed else Usage(10, 5),
            started_at=f"2026-01-01T00:00:0{call.replicate}.000Z",
            finished_at=f"2026-01-01T00:00:1{call.replicate}.000Z",
            latency_ms=100.0 * (call.replicate + 1),
            error=answer if failed else None,
        )


def run(plan, client, runs_dir, observer=None, **options):
    return asyncio.run(
        evaluate(
            plan,
            {"mindrouter": client},
            runs_dir=runs_dir,
            concurrency=4,
            observer=observer or Observer(),
            effects=real_effects(),
            **options,
        )
    )


def right(_call):
    return json.dumps(EXPECTED)


INFRASTRUCTURE = CallError("infrastructure", "server_error", "the gateway failed")
TOO_LATE = CallError("model", "timeout", "it ran into its time limit after it had begun to answer")


def test_a_model_that_is_always_right_and_always_the_same_scores_one(tmp_path):
    (outcome,) = run(job(), ScriptedClient(right), tmp_path)
    record = outcome.record
    assert (outcome.status, record.status) == ("complete", "complete")
    assert record.accuracy.mean == record.accuracy.anls_star == 1
    assert record.reproducibility.mean == record.reproducibility.identical_rate == 1
    assert record.accuracy.by_field == {"title": 1, "pages": 1}
    assert record.schema_valid_rate == 1
    assert record.calls.total == record.calls.ok == 6
    assert (record.tokens.prompt, record.tokens.completion) == (60, 30)
    assert record.cost_usd == pytest.approx((60 * 1.0 + 30 * 2.0) / 1e6)
    assert (record.latency_ms.p50, record.latency_ms.p95) == (200, 300)
    assert (record.started_at, record.finished_at) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:12.000Z")


def test_the_mean_is_over_cases_of_the_mean_over_replicates(tmp_path):
    def answer(call):
        return right(call) if call.case == "a" or call.replicate == 0 else "{}"

    (outcome,) = run(job(), ScriptedClient(answer), tmp_path)
    assert outcome.record.accuracy.mean == pytest.approx((1 + 1 / 3) / 2)
    assert [result.scores for result in outcome.record.case_results] == [(1, 1, 1), (1, 0, 0)]


def test_a_model_that_is_away_takes_no_place_from_those_that_are_there(tmp_path):
    others_done = asyncio.Event()

    def answer(call):
        if call.model.id == "m" or call.replicate == 0 or others_done.is_set():
            return right(call)
        return CallError("infrastructure", "unreachable", "no connection")

    class Others(Observer):
        def run_finished(self, outcome):
            if outcome.model == "m":
                others_done.set()

    async def sleep(_seconds):
        await others_done.wait()

    async def story():
        plan, client = job(models=("n", "m"), replicates=10), ScriptedClient(answer)
        effects = msgspec.structs.replace(real_effects(), sleep=sleep)
        async with asyncio.timeout(20):
            return await evaluate(
                plan,
                {"mindrouter": client},
                runs_dir=tmp_path,
                concurrency=4,
                observer=Others(),
                effects=effects,
            )

    assert [outcome.status for outcome in asyncio.run(story())] == ["complete", "complete"]


def test_an_unparsable_reply_is_the_models_failure(tmp_path):
    def answer(call):
        return right(call) if call.replicate else '{"title": "Annual…'

    (outcome,) = run(job(), ScriptedClient(answer), tmp_path)
    record = outcome.record
    assert record.calls.parse_error == record.calls.truncated == 2
    assert record.accuracy.mean == pytest.approx(2 / 3)
    assert record.accuracy.by_field["title"] == pytest.approx(2 / 3)
    assert record.schema_valid_rate == pytest.approx(2 / 3)
    # Of three pairs per case, one has two replies that parsed.
    assert record.reproducibility.mean == pytest.approx(1 / 3)
    assert record.status == "complete"


def test_a_reply_cut_off_by_its_time_limit_is_the_models_failure(tmp_path):
    (outcome,) = run(job(), ScriptedClient(lambda _call: TOO_LATE), tmp_path)
    assert outcome.record.accuracy.mean == 0
    assert outcome.record.calls.parse_error == 6
    assert outcome.record.reproducibility.mean == 0
    assert outcome.record.tokens.prompt is None
    assert outcome.record.cost_usd is None


def test_a_call_that_never_gave_a_reply_is_left_out_of_the_figures(tmp_path):
    def answer(call):
        return INFRASTRUCTURE if (call.case, call.replicate) == ("a", 0) else right(call)

    (outcome,) = run(job(replicates=10), ScriptedClient(answer), tmp_path)
    assert outcome.record.calls.api_error == 1
    assert outcome.record.accuracy.mean == 1
    assert outcome.record.case_results[0].scores == (None, *[1] * 9)
    assert outcome.record.status == "complete"


@pytest.mark.parametrize(
    ("failing", "status"),
    [({("a", 0), ("b", 0)}, "complete"), ({("a", 0), ("a", 1), ("b", 0)}, "partial")],
)
def test_a_run_with_more_than_a_tenth_unanswered_is_partial(tmp_path, failing, status):
    def answer(call):
        return INFRASTRUCTURE if (call.case, call.replicate) in failing else right(call)

    (outcome,) = run(job(replicates=10), ScriptedClient(answer), tmp_path)
    assert outcome.record.status == outcome.status == status


def test_a_run_with_more_than_a_fifth_of_one_case_unanswered_is_partial(tmp_path):
    def answer(call):
        return INFRASTRUCTURE if call.case == "a" and call.replicate < 3 else right(call)

    cases = tuple("abcdef")
    (outcome,) = run(job(replicates=10, cases=cases), ScriptedClient(answer), tmp_path)
    assert outcome.status == "partial"
    reason = "3 of 60 calls were never answered: server_error, the gateway failed"
    assert outcome.reason == outcome.record.reason == reason


def test_a_run_whose_key_was_refused_is_partial_whatever_the_share_and_names_the_commonest_failure(tmp_path):
    refused = CallError("infrastructure", "unauthorized", "the key is not accepted (401)")

    def answer(call):
        if call.replicate == 11:
            return refused if call.case in "abc" else INFRASTRUCTURE if call.case == "d" else right(call)
        return right(call)

    (outcome,) = run(job(replicates=12, cases=tuple("abcdef")), ScriptedClient(answer), tmp_path)
    words = "4 of 72 calls were never answered: unauthorized, the key is not accepted (401)"
    assert (outcome.record.status, outcome.record.reason) == ("partial", words)


def test_a_complete_run_gives_no_reason_though_a_call_failed(tmp_path):
    def answer(call):
        return INFRASTRUCTURE if (call.case, call.replicate) == ("a", 9) else right(call)

    (outcome,) = run(job(replicates=10), ScriptedClient(answer), tmp_path)
    assert (outcome.record.status, outcome.record.reason) == ("complete", None)


def test_where_nothing_was_answered_there_is_no_number(tmp_path):
    (outcome,) = run(job(), ScriptedClient(lambda _call: INFRASTRUCTURE), tmp_path)
    record = outcome.record
    assert record.status == "partial"
    assert record.accuracy.mean is record.reproducibility.mean is record.schema_valid_rate is None
    assert record.latency_ms.p50 is None


def test_a_model_that_is_not_listed_is_skipped_while_the_others_run(tmp_path):
    async def no_wait(_seconds):
        now[0] += 50

    now = [0.0]
    effects = msgspec.structs.replace(real_effects(), sleep=no_wait, monotonic=lambda: now[0])
    client = ScriptedClient(right, models=("n",))
    outcomes = asyncio.run(
        evaluate(
            job(("m", "n")),
            {"mindrouter": client},
            runs_dir=tmp_path,
            concurrency=4,
            observer=Observer(),
            effects=effects,
        )
    )
    assert [(outcome.model, outcome.status) for outcome in outcomes] == [("m", "skipped"), ("n", "complete")]
    assert "no backend" in outcomes[0].reason


def test_a_gateway_that_cannot_be_reached_is_an_error_and_leaves_no_run(tmp_path):
    class Gone(ScriptedClient):
        async def served(self):
            raise ProviderUnreachable("no connection", where="mindrouter")

    with pytest.raises(ProviderUnreachable, match="no connection"):
        run(job(), Gone(right), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_goes_on_where_it_was_and_gives_the_same_record(tmp_path):
    def answer(call):
        answered.append(call)
        if interrupt and len(answered) == 3:
            signal.raise_signal(signal.SIGINT)  # as Ctrl-C does
        return json.dumps({"title": f"Report {call.replicate}", "pages": 12})

    interrupt, answered = True, []
    with pytest.raises(KeyboardInterrupt):
        run(job(), ScriptedClient(answer), tmp_path)
    (path,) = tmp_path.iterdir()
    kept = len((path / REPLIES).read_bytes().splitlines())
    assert 0 < kept < 6

    interrupt, again = False, ScriptedClient(answer)
    (resumed,) = run(job(), again, tmp_path, resumed={"m": path})
    assert len(again.calls) == 6 - kept
    (straight,) = run(job(), ScriptedClient(answer), tmp_path)
    ids = {"run_id": "x", "job_id": "x", "plan_sha256": "x"}
    assert record_object(resumed.record) | ids == record_object(straight.record) | ids


def test_a_record_is_recomputed_byte_for_byte_from_the_folder_in_any_order_of_replies(tmp_path):
    def answer(call):
        return json.dumps({"title": "Annual " * call.replicate, "pages": call.replicate})

    (outcome,) = run(job(replicates=5), ScriptedClient(answer), tmp_path)
    before = (outcome.run_dir / RECORD).read_bytes()
    lines = (outcome.run_dir / REPLIES).read_bytes().splitlines(keepends=True)
    random.Random(7).shuffle(lines)
    (outcome.run_dir / REPLIES).write_bytes(b"".join(lines))
    folder = RunFolder.open(outcome.run_dir)
    again = folder.with_hashes(score_run(folder.plan, folder.replies_of))
    assert encode_canonical(record_object(again)) == before
    folder.close()


def test_a_run_that_lacks_a_reply_has_no_record(tmp_path):
    (outcome,) = run(job(), ScriptedClient(right), tmp_path)
    lines = (outcome.run_dir / REPLIES).read_bytes().splitlines(keepends=True)
    (outcome.run_dir / REPLIES).write_bytes(b"".join(lines[:-1]))
    folder = RunFolder.open(outcome.run_dir)
    with pytest.raises(StorageError, match="has 2 of 3 replies; resume the run first"):
        score_run(folder.plan, folder.replies_of)
    folder.close()


def test_replies_that_cannot_be_kept_end_the_evaluation_with_a_storage_error(tmp_path):
    (tmp_path / "runs").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="runs"):
        run(job(), ScriptedClient(right), tmp_path / "runs")


def test_scoring_does_not_hold_up_the_event_loop(tmp_path):
    big = {"items": [{"name": f"name {n}", "note": f"some words about number {n}"} for n in range(120)]}
    component = msgspec.structs.replace(COMPONENT, schema=None)
    plan = job(component=component, replicates=6, cases=("a",))
    cases = (Case("a", "in", json.dumps(big), SHA),)
    plan = msgspec.structs.replace(plan, cases=cases)

    def answer(call):
        shuffled = random.Random(call.replicate).sample(big["items"], len(big["items"]))
        changed = [{**item, "note": item["note"][call.replicate :]} for item in shuffled]
        return json.dumps({"items": changed})

    async def ticking(gaps):
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    async def both(gaps, runs_dir):
        ticker = asyncio.create_task(ticking(gaps))
        outcomes = await evaluate(
            plan,
            {"mindrouter": ScriptedClient(answer)},
            runs_dir=runs_dir,
            concurrency=4,
            observer=Observer(),
            effects=real_effects(),
        )
        ticker.cancel()
        return outcomes

    # The machine may pause the whole process: one gap in a hundred is not ours, nor what is not always there.
    usual = []
    for attempt in range(3):
        gaps = []
        (outcome,) = asyncio.run(both(gaps, tmp_path / str(attempt)))
        assert outcome.status == "complete"
        gaps.sort()
        usual.append(gaps[int(len(gaps) * 0.99)])
        if usual[-1] < 0.02:
            return
    pytest.fail(f"no event for {usual} s")


def test_a_run_that_has_its_record_is_neither_called_nor_scored_again(tmp_path):
    (first,) = run(job(run_ids={"m": "the-run"}), ScriptedClient(right), tmp_path)
    assert first.run_dir == tmp_path / "the-run"
    inode = (first.run_dir / RECORD).stat().st_ino
    client = ScriptedClient(right)
    (again,) = run(job(), client, tmp_path, resumed={"m": first.run_dir})
    assert (again.record, client.calls) == (first.record, [])
    assert (first.run_dir / RECORD).stat().st_ino == inode


def test_a_model_that_has_replies_is_not_looked_for_first_and_its_outage_is_waited_out(tmp_path):
    (first,) = run(job(), ScriptedClient(right), tmp_path)
    (first.run_dir / RECORD).unlink()
    lines = (first.run_dir / REPLIES).read_bytes().splitlines(keepends=True)
    (first.run_dir / REPLIES).write_bytes(b"".join(lines[:2]))
    client = ScriptedClient(right, models=())
    (again,) = run(job(), client, tmp_path, resumed={"m": first.run_dir})
    assert again.record == first.record
    assert len(client.calls) == 4


def test_a_folder_whose_maker_was_killed_before_its_plan_is_made_again(tmp_path):
    (tmp_path / "the-run").mkdir()
    (outcome,) = run(job(run_ids={"m": "the-run"}), ScriptedClient(right), tmp_path)
    assert outcome.run_dir == tmp_path / "the-run"


def test_once_no_call_may_be_made_those_in_flight_end_and_none_begins(tmp_path):
    answered = []

    def answer(call):
        answered.append(call)
        return right(call)

    async def stop_early():
        may_call = True

        class Stopping(Observer):
            def replied(self, plan, reply):  # noqa: ARG002 - the interface's
                nonlocal may_call
                may_call = False

        work = asyncio.ensure_future(
            evaluate(
                job(replicates=50),
                {"mindrouter": ScriptedClient(answer)},
                runs_dir=tmp_path,
                concurrency=4,
                observer=Stopping(),
                effects=real_effects(),
                may_call=lambda: may_call,
            )
        )
        for _ in range(2000):
            await asyncio.sleep(0)
        assert not work.done()
        work.cancel()
        await asyncio.wait([work])

    asyncio.run(stop_early())
    (folder,) = tmp_path.iterdir()
    assert len((folder / REPLIES).read_bytes().splitlines()) == len(answered) == 4


def test_a_run_is_scored_once_however_its_last_replies_come_together(tmp_path):
    class Finished(Observer):
        def __init__(self):
            self.runs = []

        def run_finished(self, outcome):
            self.runs.append(outcome.model)

    def hurried():
        # So much time has passed at every look that each reply is synced to the disk.
        now[0] += 60
        return now[0]

    now, observer = [0.0], Finished()
    asyncio.run(
        evaluate(
            job(replicates=2),
            {"mindrouter": ScriptedClient(right)},
            runs_dir=tmp_path,
            concurrency=4,
            observer=observer,
            effects=msgspec.structs.replace(real_effects(), monotonic=hurried),
        )
    )
    assert observer.runs == ["m"]


PNG = b"a picture"


def job_of_pictures(folder, reader="none"):
    """A job whose one case is a picture that is sent as it is, and what keeps it."""
    document = Document("input.png", sha256_hex(PNG), len(PNG), "x/input.png", reader=reader)
    expected = json.dumps(EXPECTED)
    hashed = sha256_hex(PNG + b"\0" + expected.encode())
    case = make_case("a", expected, input="", sha256=hashed, document=document)
    documents = DocumentCache(folder / "documents")
    documents.keep_original(case, PNG)
    return msgspec.structs.replace(job(replicates=2), cases=(case,)), documents


def test_a_document_that_is_sent_as_it_is_goes_with_every_call_and_into_the_record(tmp_path):
    sent = []

    def answer(call):
        sent.append((call.user, call.attachment.media_type, call.attachment.data))
        return right(call)

    plan, documents = job_of_pictures(tmp_path)
    (outcome,) = run(plan, ScriptedClient(answer), tmp_path, documents=documents)
    assert sent == [("", "image/png", PNG)] * 2
    (told,) = outcome.record.documents
    assert (told.case, told.sha256, told.reader, told.version) == ("a", sha256_hex(PNG), "none", None)


def test_a_resumed_run_has_its_documents_whatever_became_of_the_others(tmp_path):
    plan, documents = job_of_pictures(tmp_path)
    folder = RunFolder.create(tmp_path, plan_run(plan, plan.models[0], "run", Server()), documents.original)
    folder.append(make_reply("a", 0, json.dumps(EXPECTED)))
    folder.close()
    documents.original(plan.cases[0]).unlink()
    client = ScriptedClient(right)
    (outcome,) = run(plan, client, tmp_path, resumed={"m": folder.path})
    assert [replicate for _, _, replicate in client.calls] == [1]
    assert outcome.status == "complete"


def test_no_call_is_made_while_a_document_is_unread(tmp_path):
    plan, _ = job_of_pictures(tmp_path, reader=None)
    client = ScriptedClient(right)
    (outcome,) = run(plan, client, tmp_path)
    assert client.calls == []
    assert "has not been read" in outcome.reason


def test_a_policy_that_needs_the_inputs_text_refuses_documents_before_any_call(tmp_path):
    plan, documents = job_of_pictures(tmp_path)
    policy = "fields: {title: {compare: contained_in_input}}"
    component = msgspec.structs.replace(COMPONENT, policy=policy, policy_where="scoring.yaml")
    client = ScriptedClient(right)
    with pytest.raises(ComponentError, match="compares with the input's text"):
        run(msgspec.structs.replace(plan, component=component), client, tmp_path, documents=documents)
    assert client.calls == []
