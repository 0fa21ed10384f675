"""One job from its state to its end: what it evaluates, what it publishes, and how each failure ends it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

import msgspec
import pytest

from evalcore.clients.interface import Served, ServedModel
from evalcore.documents.cache import DocumentCache
from evalcore.effects import real_effects
from evalcore.errors import ConfigurationError, LeaderboardError, StorageError
from evalcore.evaluation.outcome import Observer
from evalcore.library.models import Model
from evalcore.publishing.outbox import Outbox, Published
from evalcore.runs.folder import RECORD, RunFolder
from evalcore.runs.plan import plan_run
from evalcore.secret import MASK, Scrubber, Secret
from evalhook import jobs
from evalhook.config.settings import JobLimits
from evalhook.jobs import Completed, Failed, Job, JobResult, ModelRow, Progress, Queued
from evalhook.storage.store import JobStore
from evalhook.worker.execution import JobContext, JobExecution, finished_rows, read_records
from evalhook.worker.reading import DocumentSources
from evalhook.worker.watchdog import Watchdog
from evalsim.testing import make_case, make_job_plan, make_record, make_reply

NOW = "2026-01-05T09:00:00.000Z"
SECRET = "ghp_canary_0123456789"
MODELS = tuple(Model(id=name, provider="mindrouter") for name in ("alpha", "beta"))


class Gateway:
    """Serves the models in `served` and answers each call with an empty object."""

    def __init__(self):
        self.models = ["alpha", "beta"]
        self.calls = []
        self.opened = 0
        self.error = None

    @contextlib.asynccontextmanager
    async def open(self, plan):
        self.opened += 1
        self.plan = plan
        yield {"mindrouter": self}

    async def served(self):
        return Served(version="1", models={name: ServedModel(id=name) for name in self.models})

    async def call(self, call, _yield_slot):
        self.calls.append((call.model.id, call.case, call.replicate))
        if self.error is not None:
            raise self.error
        return make_reply(call.case, call.replicate)


class Publisher:
    def __init__(self):
        self.given = []
        self.errors = []
        self.published = Published("https://github.example/pull/1", "eval-results/x", None)

    def publish(self, _plan, records, left_out, outbox, save):
        self.given.append(([record.model for record in records], dict(left_out), outbox))
        save(msgspec.structs.replace(outbox, branch="eval-results/x"))
        if self.errors:
            raise self.errors.pop(0)
        return self.published


class Scene:
    """A job in a state directory, and what it is executed with."""

    def __init__(self, folder):
        self.folder, self.runs_dir = folder, folder / "runs"
        self.runs_dir.mkdir()
        self.gateway, self.publisher = Gateway(), Publisher()
        self.plan = make_job_plan(
            job_id="job-1", models=MODELS, run_ids={model.id: f"run-{model.id}" for model in MODELS}
        )
        self.job = jobs.start(
            Job(
                job_id="job-1",
                skill_name="memo",
                replicates=2,
                git_sha=None,
                prompt_commit="1" * 40,
                dataset_commit=None,
                created_at=NOW,
                progress=Progress(total=4),
                state=Queued(),
            ),
            NOW,
        )
        self.slept = []

    async def _sleep(self, seconds):
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def run(self):
        """Execute the job; gives how it ended and the execution."""

        async def executed():
            store = JobStore(self.folder / "jobs")
            store.open()
            effects = msgspec.structs.replace(
                real_effects(),
                sleep=self._sleep,
                monotonic=lambda: sum(self.slept),
                now=lambda: datetime(2026, 1, 5, 10, tzinfo=UTC),
            )
            context = JobContext(
                gateway=self.gateway,
                publisher=self.publisher,
                effects=effects,
                runs_dir=self.runs_dir,
                concurrency=2,
                scrub=Scrubber([Secret(SECRET)]),
                limits=JobLimits(grace=0, outage=0, stall=60, deadline=3600, queue=0),
                publish_cases=None,
                clones=asyncio.Lock(),
                documents=DocumentSources(None, self.gateway, DocumentCache(self.folder / "documents")),
            )
            try:
                store.update(self.job)
                watchdog = Watchdog(effects.monotonic)
                execution = JobExecution(self.plan, context, store, Observer(), watchdog, lambda: True)
                ended = await execution.run()
                return ended, execution.result()
            finally:
                store.close()

        return asyncio.run(executed())

    def finished_run(self, model, **fields):
        """Put the folder of a run that is scored where the job looks for it."""
        plan = plan_run(self.plan, next(m for m in MODELS if m.id == model), f"run-{model}", _server())
        folder = RunFolder.create(self.runs_dir, plan)
        for replicate in range(2):
            folder.append(make_reply("one", replicate))
        folder.write_record(make_record(run_id=f"run-{model}", model=model, **fields))
        folder.close()
        return self.runs_dir / f"run-{model}"


def _server():
    return make_record().server


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def test_every_model_is_evaluated_and_its_record_published(scene):
    job, _ = scene.run()
    assert isinstance(job.state, Completed)
    assert job.state.result.pull_request_url == "https://github.example/pull/1"
    assert job.state.result.branch == "eval-results/x"
    assert [(row.model, row.status, row.accuracy) for row in job.state.result.models] == [
        ("alpha", "complete", 1.0),
        ("beta", "complete", 1.0),
    ]
    assert scene.publisher.given[0][:2] == (["alpha", "beta"], {})
    assert job.progress == Progress(done=4, total=4, errors=0)
    assert sorted(scene.gateway.calls) == [(m, "one", r) for m in ("alpha", "beta") for r in (0, 1)]


def test_runs_bear_the_ids_that_were_fixed_when_the_job_was_accepted(scene):
    scene.run()
    assert sorted(path.name for path in scene.runs_dir.iterdir()) == ["run-alpha", "run-beta"]


def test_a_model_that_is_not_served_is_published_as_left_out(scene):
    scene.gateway.models = ["beta"]
    job, _ = scene.run()
    (records, left_out, _) = scene.publisher.given[0]
    assert records == ["beta"]
    assert list(left_out) == ["alpha"]
    assert job.progress == Progress(done=2, total=2, errors=0)
    assert list(job.skipped) == ["alpha"]


def test_a_model_that_was_left_out_before_a_restart_stays_out(scene):
    scene.job = jobs.skip(scene.job, "alpha", "it was not served")
    job, _ = scene.run()
    assert {model for model, _, _ in scene.gateway.calls} == {"beta"}
    assert job.state.result.models[0].reason == "it was not served"


def test_where_no_model_is_served_the_job_fails_and_nothing_is_published(scene):
    scene.gateway.models = []
    job, _ = scene.run()
    assert isinstance(job.state, Failed)
    assert job.state.error.code == "no_model_served"
    assert job.state.error.message.startswith(
        "none of the 2 configured local models could be called (alpha: "
    )
    assert [row.status for row in job.state.result.models] == ["skipped", "skipped"]
    assert scene.publisher.given == []


def test_what_a_run_holds_already_is_not_called_again(scene):
    scene.finished_run("alpha")
    scene.run()
    assert {model for model, _, _ in scene.gateway.calls} == {"beta"}


def test_a_job_that_is_being_published_calls_nobody(scene):
    scene.finished_run("alpha")
    rows = (ModelRow("alpha", "complete", 0.9, None, None), ModelRow("beta", "skipped", None, None, "gone"))
    scene.job = jobs.publish(scene.job, rows)
    job, _ = scene.run()
    assert scene.gateway.opened == 0
    assert scene.publisher.given[0][:2] == (["alpha"], {"beta": "gone"})
    assert job.state.result.models == rows


def test_each_try_to_publish_is_counted_and_each_step_stored(scene):
    scene.job = msgspec.structs.replace(scene.job, outbox=Outbox(tries=3))
    job, _ = scene.run()
    assert scene.publisher.given[0][2].tries == 4
    assert job.outbox.branch == "eval-results/x"


def test_why_results_were_not_committed_back_stands_in_every_row(scene):
    scene.publisher.published = Published(None, None, "committing back is switched off")
    job, _ = scene.run()
    assert {row.reason for row in job.state.result.models} == {"committing back is switched off"}


def test_a_failure_to_publish_ends_the_job_with_its_code_and_what_was_finished(scene):
    scene.publisher.errors = [LeaderboardError("is not valid", where="leaderboard.json", hint="mend it")]
    job, result = scene.run()
    assert isinstance(job.state, Failed)
    assert (job.state.error.code, job.state.error.message) == (
        "invalid_leaderboard",
        "leaderboard.json: is not valid; mend it",
    )
    assert [row.model for row in job.state.result.models] == ["alpha", "beta"]
    assert result.branch == "eval-results/x"


@pytest.mark.parametrize("error", [RuntimeError(f"boom {SECRET}"), KeyError("x"), RecursionError()])
def test_an_error_of_the_service_itself_is_told_by_the_job_alone(scene, error, capsys):
    scene.gateway.error = error
    job, _ = scene.run()
    assert job.state.error.code == "internal"
    assert job.state.error.message == "an error of the service itself; its log has it under job job-1"
    capsys.readouterr()


def test_a_secret_in_an_error_is_masked_and_the_message_is_one_line(scene):
    scene.publisher.errors = [ConfigurationError(f"git said\n{SECRET}")]
    job, _ = scene.run()
    assert job.state.error.message == f"git said {MASK}"


@pytest.mark.parametrize(("source", "is_told"), [("library", True), ("data_sets", False)])
def test_a_row_quotes_no_confidential_case(scene, source, is_told):
    scene.plan = msgspec.structs.replace(scene.plan, cases=(make_case(source=source),))
    words = "2 of 2 calls were never answered: bad_request, input was: Zebra"
    scene.finished_run("alpha", status="partial", reason=words)
    job, _ = scene.run()
    reason = job.state.result.models[0].reason
    assert reason.startswith("2 of 2 calls were never answered: bad_request")
    assert ("Zebra" in reason) == is_told


# What a job that was cut short has


def test_records_are_read_in_the_order_of_the_models(scene):
    for model in ("beta", "alpha"):
        scene.finished_run(model)
    assert [record.model for record in read_records(scene.runs_dir, scene.plan)] == ["alpha", "beta"]


def test_runs_without_a_record_are_left_out(scene):
    scene.finished_run("beta")
    assert [record.model for record in read_records(scene.runs_dir, scene.plan)] == ["beta"]
    assert read_records(scene.runs_dir / "nowhere", scene.plan) == []


def test_a_record_that_cannot_be_read_is_an_error(scene):
    (scene.finished_run("beta") / RECORD).write_text("{")
    with pytest.raises(StorageError):
        read_records(scene.runs_dir, scene.plan)
    assert finished_rows(scene.runs_dir, scene.plan) == ()


def test_a_job_without_a_record_has_no_rows(scene):
    assert finished_rows(scene.runs_dir, scene.plan) == ()


def test_of_a_job_that_was_cut_short_the_finished_runs_have_their_figures(scene):
    scene.finished_run("alpha", mean=0.25)
    rows = finished_rows(scene.runs_dir, scene.plan)
    assert [(row.model, row.status, row.accuracy, row.reason) for row in rows] == [
        ("alpha", "complete", 0.25, None),
        ("beta", "skipped", None, "its run was not finished"),
    ]
    assert jobs.has_results(JobResult(None, None, rows))
