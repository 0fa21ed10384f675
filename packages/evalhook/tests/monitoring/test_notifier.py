"""What GitHub is told: statuses, one issue per component, never doubled, never at a job's expense."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evalcore.github.reports import CONTEXT, LABEL, GitHubReports
from evalcore.github.tokens import FixedToken
from evalcore.publishing.outbox import Outbox, Regression
from evalcore.secret import Secret
from evalhook import jobs
from evalhook.jobs import Job, JobError, JobResult, ModelRow, Progress, Queued
from evalhook.monitoring.notifier import Notifier
from evalhook.monitoring.report_texts import ADVICE, failure_note, status_of
from evalsim.github import Fault, SimulatedGitHub
from evalsim.serving import running
from evalsim.testing import git

TOKEN = "ghp_0123456789abcdef0123456789abcdef"
NAME = "acme/prompt-library"
NOW = "2026-01-01T00:00:00.000Z"
PULL = "https://github.example/acme/prompt-library/pull/7"
PLAN: Any = None
"""The notifier ignores the plan."""
ROWS = (ModelRow("alpha", "complete", 1.0, 1.0, None), ModelRow("beta", "skipped", None, None, "not served"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimulatedGitHub, str]]:
    app = SimulatedGitHub(tmp_path_factory.mktemp("github"), token=TOKEN)
    with running(app) as url:
        yield app, url


class Scene:
    """A notifier, the jobs it finds, and the GitHub it notifies."""

    def __init__(self, folder: Path, app: SimulatedGitHub, url: str) -> None:
        self.folder = folder
        self.app = app
        self.jobs: dict[str, Job] = {}
        self.reports = GitHubReports(NAME, FixedToken(Secret(TOKEN)), api_url=f"{url}/api/v3", retries=0)

    @property
    def repository(self) -> Any:
        return self.app.state.repositories[NAME]

    def job(self, name: str = "a") -> Job:
        commit = self.repository.bare.branch("main")
        queued = Job(
            job_id=name,
            skill_name="memo",
            replicates=1,
            git_sha=None,
            prompt_commit=commit,
            dataset_commit=None,
            created_at=NOW,
            progress=Progress(done=3, total=8),
            state=Queued(),
        )
        return jobs.start(queued, NOW)

    def notifier(self) -> Notifier:
        pending = self.folder / "untold"
        return Notifier(pending, self.jobs.get, self.reports, "https://hook.example", seconds_between=0.01)

    def tell(self, *stages: Job, until: Callable[[], bool], notifier: Notifier | None = None) -> None:
        """Notify of each stage of a job in turn, until the condition holds."""

        notifier = notifier or self.notifier()

        async def story() -> None:
            task = asyncio.create_task(notifier.run())
            for job in stages:
                self.jobs[job.job_id] = job
                if job.is_finished:
                    notifier.job_ended(job)
                else:
                    notifier.job_started(job, PLAN)
            async with asyncio.timeout(20):
                while not until():  # noqa: ASYNC110 - what is awaited is on the other side of HTTP
                    await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.wait([task])

        asyncio.run(story())

    def states(self) -> list[str]:
        return [status.state for status in self.repository.statuses]

    def ended(self, name: str, error: JobError | None, rows: tuple[ModelRow, ...] = ROWS) -> Job:
        job = self.job(name)
        if error is not None:
            return jobs.fail(job, NOW, error)
        return jobs.complete(jobs.publish(job, rows), NOW, JobResult(PULL, "b", rows))

    def worse(self, name: str) -> Job:
        """A job whose results are a regression."""
        job = jobs.publish(self.job(name), ROWS)
        job = jobs.set_outbox(job, Outbox(regression=Regression("2.0.0", "alpha -50.0", "- `alpha`: worse")))
        return jobs.complete(job, NOW, JobResult(PULL, "b", ROWS))

    def bump(self) -> Any:
        """A merged pull request whose merge is the commit that jobs are of from now on; gives it."""
        bare = self.repository.bare
        commit = git(bare.path, "commit-tree", "main^{tree}", "-p", "main", "-m", "Raise the version")
        git(bare.path, "branch", "bump", commit)
        with self.reports._opened("open") as repository:
            repository.create_pull(base="main", head="bump", title="Bump", body="").merge()
        return self.repository.pulls[-1]

    def tell_end(
        self,
        name: str,
        error: JobError | None = None,
        rows: tuple[ModelRow, ...] = ROWS,
        job: Job | None = None,
    ) -> None:
        """Tell the end of a job, and wait until nothing is left to be told."""
        notifier = self.notifier()
        job = job or self.ended(name, error, rows)
        self.jobs[name] = job
        told: list[bool] = []

        def is_told() -> bool:
            told.append(notifier.pending > 0)
            return any(told) and notifier.pending == 0

        self.tell(job, until=is_told, notifier=notifier)


@pytest.fixture
def scene(served: tuple[SimulatedGitHub, str], tmp_path: Path) -> Scene:
    app, url = served
    app.state.faults.clear()
    app.state.root = tmp_path / "github"
    (tmp_path / "seed").mkdir()
    app.state.add_repository(NAME, tmp_path / "seed")
    return Scene(tmp_path, app, url)


FAILURE = JobError("push_refused", "main: @everyone <b>refused</b> [x](https://evil.example) ::error::")


def test_a_commit_is_pending_while_its_job_runs_and_green_at_its_end(scene: Scene) -> None:
    scene.tell(scene.job(), until=lambda: scene.states()[-2:] == ["pending"] * 2)
    pending = scene.repository.statuses[0]
    assert (pending.context, pending.sha) == (CONTEXT, scene.job().prompt_commit)
    assert pending.description == "Evaluating: 3 of 8 calls (37 %)"
    assert pending.target_url == "https://hook.example/"
    scene.tell_end("a", None)
    done = scene.repository.statuses[-1]
    assert (done.state, done.target_url) == ("success", PULL)
    assert done.description == "1 model evaluated, 1 left out"
    assert scene.repository.issues == []


def test_partial_runs_have_an_issue_with_the_reason_which_the_next_whole_evaluation_closes(
    scene: Scene,
) -> None:
    reason = "69 of 100 calls were never answered: unauthorized, the key is not accepted (401)"
    scene.tell_end("a", None, (ModelRow("alpha", "partial", 0.5, None, reason),))
    (issue,) = scene.repository.issues
    assert (issue.state, "unauthorized" in issue.body) == ("open", True)
    assert scene.repository.statuses[-1].description.startswith("1 model evaluated, 1 of them in part; 69 of")
    scene.tell_end("b", None)
    assert issue.state == "closed"


def test_a_component_that_fails_again_has_one_issue_which_the_next_success_closes(scene: Scene) -> None:
    scene.tell_end("a", FAILURE)
    (issue,) = scene.repository.issues
    assert (issue.state, issue.labels) == ("open", [LABEL])
    assert issue.title == "Evaluation of memo on the local models fails"
    assert "What to do" in issue.body
    scene.tell_end("b", FAILURE)
    assert len(scene.repository.issues) == 1
    assert len(issue.comments) == 1
    scene.tell_end("c", None)
    assert issue.state == "closed"
    assert PULL in issue.comments[-1].body
    scene.tell_end("d", FAILURE)
    assert len(scene.repository.issues) == 1
    assert issue.state == "open"
    assert scene.states() == ["failure", "failure", "success", "failure"]


def test_an_issue_of_somebody_elses_with_the_label_is_left_alone(scene: Scene) -> None:
    scene.reports.tell_failure("x", failure_note(scene.job(), FAILURE, None))
    other = scene.repository.issues[0]
    other.body = "an issue that a person wrote"
    scene.tell_end("a", FAILURE)
    assert len(scene.repository.issues) == 2
    assert other.comments == []


def test_a_failures_status_leads_to_its_issue(scene: Scene) -> None:
    scene.tell_end("a", FAILURE)
    (issue,) = scene.repository.issues
    assert scene.repository.statuses[-1].target_url.endswith(f"/{NAME}/issues/{issue.number}")
    scene.tell_end("b", FAILURE)
    assert scene.repository.statuses[-1].target_url.endswith(f"/{NAME}/issues/{issue.number}")


def test_a_failures_status_is_told_where_no_issue_may_be_written(scene: Scene) -> None:
    scene.app.state.faults.add(Fault(on="issues.create", status=403, message="no"))
    scene.jobs["a"] = jobs.fail(scene.job(), NOW, FAILURE)
    scene.tell(scene.jobs["a"], until=lambda: scene.states() == ["failure"])
    assert scene.repository.statuses[-1].target_url == "https://hook.example/"


def test_a_job_that_failed_and_was_published_by_hand_says_so_in_its_issue(scene: Scene) -> None:
    scene.tell_end("a", FAILURE)
    scene.tell_end("a", None)
    (issue,) = scene.repository.issues
    assert issue.state == "closed"
    assert PULL in issue.comments[-1].body


@pytest.mark.parametrize("operation", ["statuses.create", "issues.create", "comments.create", "issues.edit"])
@pytest.mark.parametrize("answer_lost", [False, True])
def test_what_failed_is_told_later_and_never_twice(
    scene: Scene, operation: str, *, answer_lost: bool
) -> None:
    scene.tell_end("a", FAILURE)
    if operation == "issues.create":
        scene.repository.issues.clear()
    scene.app.state.faults.add(Fault(on=operation, status=502, times=1, answer_lost=answer_lost))
    scene.tell_end("b", FAILURE)
    scene.tell_end("c", None)
    (issue,) = scene.repository.issues
    marks = [
        text.count("<!-- evaluator: job b -->") for text in (issue.body, *(c.body for c in issue.comments))
    ]
    assert sum(marks) == 1
    assert issue.state == "closed"
    assert scene.states()[-1] == "success"


def test_a_restart_finishes_what_was_not_told(scene: Scene) -> None:
    scene.tell(scene.job(), until=lambda: scene.states() == ["pending"])
    assert [path.name for path in (scene.folder / "untold").iterdir()] == ["a"]
    scene.jobs["a"] = scene.ended("a", FAILURE)
    scene.tell(until=lambda: not list((scene.folder / "untold").iterdir()))
    assert scene.states()[-1] == "failure"
    assert len(scene.repository.issues) == 1


def test_a_refusal_is_logged_once_and_ends_nothing(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.app.state.faults.add(Fault(on="statuses.create", status=403, message="no"))
    notifier = scene.notifier()
    scene.tell(
        scene.job(),
        until=lambda: notifier._pending and notifier._pending["a"].statuses > 3,
        notifier=notifier,
    )
    assert capsys.readouterr().out.count("not_told") == 1


def test_a_cancelled_job_is_neither_failure_nor_success(scene: Scene) -> None:
    status = status_of(jobs.cancel(scene.job(), NOW), None)
    assert (status.state, status.url) == ("error", None)


def test_foreign_words_are_code_in_an_issue_and_absent_from_a_status(scene: Scene) -> None:
    scene.tell_end("a", FAILURE)
    (issue,) = scene.repository.issues
    foreign = next(line for line in issue.body.splitlines() if "everyone" in line)
    before, _, rest = foreign.partition("`main:")
    assert "@" not in before
    assert rest.count("`") == 1
    assert "::error" not in issue.body
    assert "everyone" not in scene.repository.statuses[-1].description


@pytest.mark.parametrize("code", ["scoring", "internal", "unusable_file"])
def test_a_message_that_may_name_a_case_stays_here(scene: Scene, code: str) -> None:
    note = failure_note(scene.job(), JobError(code, "case patient-4711 is odd"), None)
    assert "4711" not in note.text


@pytest.mark.parametrize("code", [*ADVICE, "something_new"])
def test_every_failure_has_words_that_fit_beside_a_commit(scene: Scene, code: str) -> None:
    failed = jobs.fail(scene.job(), NOW, JobError(code, "x"))
    assert len(status_of(failed, None).description) <= 140


def test_a_regression_fails_the_commit_and_is_told_once_where_it_came_from(scene: Scene) -> None:
    pull = scene.bump()
    for _ in range(2):  # as after a kill
        scene.tell_end("a", job=scene.worse("a"))
    status = scene.repository.statuses[-1]
    assert (status.state, status.target_url) == ("failure", PULL)
    assert status.description == "Regression: alpha -50.0"
    (comment,) = pull.comments
    assert PULL in comment.body
    assert "**Regression** in `memo` version `2.0.0`" in comment.body
    assert "- `alpha`: worse" in comment.body
    assert scene.repository.issues == []


def test_a_regression_of_a_commit_that_no_pull_request_brought_fails_the_commit_alone(scene: Scene) -> None:
    scene.tell_end("a", job=scene.worse("a"))
    assert scene.states() == ["failure"]


def test_a_regression_is_told_on_no_pull_request_with_results(scene: Scene) -> None:
    scene.bump()
    scene.repository.pulls[-1].head = "eval-results/memo-0123456789ab-20260101T000000Z"
    scene.tell_end("a", job=scene.worse("a"))
    assert scene.repository.pulls[-1].comments == []


@pytest.mark.parametrize("operation", ["statuses.create", "comments.create"])
@pytest.mark.parametrize("answer_lost", [False, True])
def test_a_regression_that_could_not_be_told_is_told_later_and_never_twice(
    scene: Scene, operation: str, *, answer_lost: bool
) -> None:
    pull = scene.bump()
    scene.app.state.faults.add(Fault(on=operation, status=502, times=1, answer_lost=answer_lost))
    scene.tell_end("a", job=scene.worse("a"))
    assert scene.states()[-1] == "failure"
    assert len(pull.comments) == 1


def test_a_regressions_status_is_set_where_no_comment_may_be_written(scene: Scene) -> None:
    scene.bump()
    scene.app.state.faults.add(Fault(on="comments.create", status=403, message="no"))
    scene.jobs["a"] = scene.worse("a")
    scene.tell(scene.jobs["a"], until=lambda: scene.states() == ["failure"])


def figures_of(scene: Scene, commit: str) -> Job:
    """A job of a commit that is not on the default branch."""
    job = jobs.publish(msgspec.structs.replace(scene.job("a"), prompt_commit=commit), ROWS)
    job = jobs.set_outbox(
        job, Outbox(figures="| # | Model |", regression=Regression("2", "alpha -50.0", "x"))
    )
    return jobs.complete(job, NOW, JobResult(None, None, ROWS))


def open_head(scene: Scene, branch: str, of: str = NAME) -> str:
    """Open a pull request of a commit of its own; give the commit."""
    bare = scene.app.state.repositories[of].bare
    commit = git(bare.path, "commit-tree", "main^{tree}", "-p", "main", "-m", f"Change {branch} {of}")
    git(bare.path, "branch", branch, commit)
    head = branch if of == NAME else f"{of.partition('/')[0]}:{branch}"
    with scene.reports._opened("open") as repository:
        repository.create_pull(base="main", head=head, title="Change", body="")
    return commit


def test_figures_of_a_pull_requests_head_are_shown_on_it_once(scene: Scene) -> None:
    commit = open_head(scene, "change")
    for _ in range(2):  # as after a kill
        scene.tell_end("a", job=figures_of(scene, commit))
    (comment,) = scene.repository.pulls[-1].comments
    assert "| # | Model |" in comment.body
    status = scene.repository.statuses[-1]
    assert (status.sha, status.state, status.description) == (commit, "failure", "Regression: alpha -50.0")


def test_figures_are_shown_on_no_forks_pull_request_and_on_none_that_has_moved_on(scene: Scene) -> None:
    scene.app.state.add_repository("mallory/prompt-library", scene.repository.bare.path)
    forked = open_head(scene, "change", "mallory/prompt-library")
    moved = open_head(scene, "moved")
    bare = scene.repository.bare.path
    git(
        bare,
        "update-ref",
        "refs/heads/moved",
        git(bare, "commit-tree", "main^{tree}", "-p", moved, "-m", "x"),
    )
    for commit in (forked, moved):
        scene.tell_end("a", job=figures_of(scene, commit))
    assert [pull.comments for pull in scene.repository.pulls] == [[], []]
