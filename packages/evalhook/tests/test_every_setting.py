"""Every setting of the table has an effect that a test sees: one that nobody is handed fails its test."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from evalcore.effects import real_effects
from evalcore.errors import EvaluatorError
from evalcore.git.errors import CommitNotFound, InsecureRemote, RemoteRefused
from evalcore.github.reports import CONTEXT
from evalcore.publishing.outbox import Outbox
from evalcore.runs.folder import RunFolder
from evalcore.scoring.score_run import score_run
from evalhook.config.settings import read_settings
from evalhook.config.table import SETTINGS
from evalhook.wiring import ExternalSystems, Parts
from evalhook.worker.repositories import Tips
from evalsim.github import SimulatedGitHub
from evalsim.github.state import Pull
from evalsim.serving import running
from evalsim.testing import (
    GITHUB_TOKEN,
    REPOSITORY,
    git,
    make_job_plan,
    make_record,
    make_reply,
    make_run_plan,
    write_component,
)

HERE = "packages/evalhook/tests/test_every_setting.py"
WIRING = "packages/evalhook/tests/test_wiring.py"
SECURITY = "packages/evalhook/tests/security"
SERVICE = "tests/integration/test_service.py"
CANNOT_BE_REACHED = f"{SERVICE}::test_what_cannot_be_reached_is_503_and_does_not_stop_the_start"
AS_AN_APP = f"{SERVICE}::test_a_github_app_clones_pushes_and_opens_the_pull_request"
WITH_OIDC = f"{SECURITY}/test_oidc.py::test_the_service_takes_such_a_token_and_still_the_shared_one"
CLONED = f"{HERE}::test_clones_are_made_from_their_urls_with_their_tokens"
STATUS = f"{HERE}::test_a_status_on_github_leads_to_the_public_url"

SEEN_IN = {
    "MINDROUTER_EVAL_WEBHOOK_TOKEN": f"{HERE}::test_only_the_token_opens_the_service",
    "MINDROUTER_EVAL_WEBHOOK_TOKEN_NEXT": f"{HERE}::test_only_the_token_opens_the_service",
    "EVALHOOK_OIDC_AUDIENCE": WITH_OIDC,
    "EVALHOOK_OIDC_ALLOW": WITH_OIDC,
    "EVALHOOK_OIDC_ISSUER": WITH_OIDC,
    "EVALHOOK_TRUSTED_PROXIES": (
        f"{SECURITY}/test_proxies.py::test_behind_a_trusted_proxy_the_request_must_have_come_encrypted"
    ),
    "EVALHOOK_ALLOWED_IPS": f"{SECURITY}/test_proxies.py::test_only_allowed_addresses_may_call",
    "EVALHOOK_PUBLISH_CASES": f"{HERE}::test_names_of_cases_are_published_as_the_setting_says",
    "EVALHOOK_ALLOW_ANY_COMMIT": f"{HERE}::test_other_branches_are_evaluated_where_that_is_allowed",
    "MINDROUTER_BASE_URL": CANNOT_BE_REACHED,
    "MINDROUTER_API_KEY": CANNOT_BE_REACHED,
    "MINDROUTER_PROXY": (
        "packages/evalhook/tests/worker/test_gateway.py::"
        "test_calls_and_documents_go_through_the_configured_proxy"
    ),
    "EVALHOOK_PROMPT_LIBRARY": CLONED,
    "EVALHOOK_PROMPT_LIBRARY_URL": CLONED,
    "EVALHOOK_DATA_SETS": CLONED,
    "EVALHOOK_DATA_SETS_URL": CLONED,
    "EVALHOOK_DATA_SETS_TOKEN": CLONED,
    "EVALHOOK_STATE_DIR": f"{HERE}::test_jobs_are_stored_in_the_state_directory",
    "EVALHOOK_BIND": f"{SERVICE}::test_the_service_process_starts_answers_and_stops_in_order",
    "EVALHOOK_DEFAULT_BRANCH": f"{HERE}::test_the_default_branch_is_evaluated",
    "EVALHOOK_COMMIT_BACK": f"{SERVICE}::test_mode_push_puts_the_record_on_the_default_branch",
    "EVALHOOK_AUTO_MERGE": f"{HERE}::test_pull_requests_merge_by_themselves_where_that_is_set",
    "EVALHOOK_COMMIT_SUFFIX": f"{HERE}::test_the_commit_suffix_reaches_the_commit",
    "EVALHOOK_DASHBOARD_URL": f"{HERE}::test_pull_requests_link_to_the_dashboard_where_there_is_one",
    "EVALHOOK_PUBLISH_REPORTS": f"{HERE}::test_reports_are_published_where_that_is_set",
    "EVALHOOK_GITHUB_REPO": STATUS,
    "EVALHOOK_TRUSTED_PUBLISHERS": (
        f"{WIRING}::test_the_trusted_publishers_reach_what_looks_for_open_results"
    ),
    "EVALHOOK_GITHUB_API_URL": STATUS,
    "GITHUB_TOKEN": STATUS,
    "EVALHOOK_GITHUB_APP_ID": AS_AN_APP,
    "EVALHOOK_GITHUB_APP_PRIVATE_KEY": AS_AN_APP,
    "EVALHOOK_CONCURRENCY": f"{HERE}::test_no_more_calls_are_in_flight_than_allowed",
    "EVALHOOK_QUEUE": f"{HERE}::test_so_many_jobs_wait",
    "EVALHOOK_OUTAGE_BUDGET": f"{HERE}::test_a_model_is_waited_for_as_long_as_allowed",
    "EVALHOOK_STALL_MINUTES": f"{HERE}::test_a_job_without_progress_says_so_after_the_minutes_set",
    "EVALHOOK_JOB_DEADLINE": f"{HERE}::test_a_job_is_ended_at_its_deadline",
    "EVALHOOK_GRACE_SECONDS": f"{HERE}::test_calls_in_flight_have_the_grace_time_to_end",
    "EVALHOOK_REFRESH_MINUTES": f"{HERE}::test_open_results_are_looked_at_as_often_as_set",
    "EVALHOOK_RETENTION_DAYS": f"{HERE}::test_jobs_are_removed_after_the_days_set",
    "EVALHOOK_MAX_STATE_GB": f"{HERE}::test_the_oldest_jobs_go_beyond_the_size_set",
    "EVALHOOK_MIN_FREE_GB": f"{HERE}::test_a_job_is_refused_without_the_free_space_set",
    "EVALHOOK_PUBLIC_URL": STATUS,
    "EVALHOOK_METRICS_BIND": f"{HERE}::test_metrics_have_a_second_address",
    "EVALHOOK_ALLOW_HTTP": f"{HERE}::test_plain_http_is_for_those_who_allow_it",
}
"""Each setting with the test that sees its effect; tests of reading settings do not count."""


def test_every_setting_names_the_test_that_sees_its_effect(project_root: Path) -> None:
    names = {setting.name for setting in SETTINGS}
    assert set(SEEN_IN) == names, (
        f"{HERE}: name in SEEN_IN, for each setting of config/table.py, the test that sees its effect: "
        f"{sorted(set(SEEN_IN) ^ names)}"
    )
    for name, test in SEEN_IN.items():
        path, _, function = test.partition("::")
        text = (project_root / path).read_text("utf-8")
        assert f"def {function}(" in text, f"there is no {test}"
        outside_the_table = text.replace(f'"{name}": ', "", 1) if path == HERE else text
        assert name in outside_the_table, f"{path} does not set {name}"


async def post(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/evaluate", json={"skill_name": "memo", "replicates": 2})


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - what is awaited has no event
        await asyncio.sleep(0)


@pytest.mark.parametrize("name", ["MINDROUTER_EVAL_WEBHOOK_TOKEN", "MINDROUTER_EVAL_WEBHOOK_TOKEN_NEXT"])
def test_only_the_token_opens_the_service(world, name: str) -> None:
    token = "another-token-of-thirty-two-characters"

    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.get("/jobs", headers={"Authorization": f"Bearer {token}"})
        answers.append(answer.status_code)

    answers: list[int] = []
    world.story(tell)
    world.changes = {name: token}
    world.story(tell)
    assert answers == [401, 200]


class Repositories:
    """A library on a remote with the branches main, trunk and side, and a clone of it."""

    def __init__(self, folder: Path) -> None:
        self.upstream, clone = folder / "upstream.git", folder / "library"
        git(folder, "init", "-q", "--bare", "-b", "main", str(self.upstream))
        git(folder, "clone", "-q", str(self.upstream), str(clone))
        write_component(clone, "memo")
        git(clone, "checkout", "-q", "-b", "main")
        git(clone, "add", ".")
        git(clone, "commit", "-q", "-m", "a component")
        self.main = git(clone, "rev-parse", "HEAD")
        self.trunk = git(clone, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "trunk")
        self.side = git(clone, "commit-tree", "HEAD^{tree}", "-m", "side")
        refs = [f"{self.trunk}:refs/heads/trunk", f"{self.side}:refs/heads/side"]
        git(clone, "push", "-q", "origin", "main", *refs)


@pytest.fixture
def repositories(tmp_path: Path) -> Repositories:
    return Repositories(tmp_path)


def test_the_default_branch_is_evaluated(environment, repositories: Repositories) -> None:
    found = [
        ExternalSystems(read_settings(environment(EVALHOOK_DEFAULT_BRANCH=branch))).library.fast_forward()
        for branch in ("main", "trunk")
    ]
    assert found == [repositories.main, repositories.trunk]


def test_other_branches_are_evaluated_where_that_is_allowed(environment, repositories: Repositories) -> None:
    def found(allowed: str) -> str:
        external = ExternalSystems(read_settings(environment(EVALHOOK_ALLOW_ANY_COMMIT=allowed)))
        external.library.fast_forward()
        tips = Tips(library=repositories.main, data_sets=None)
        return asyncio.run(external.repositories.commit(repositories.side, tips))

    assert found("1") == repositories.side
    with pytest.raises(CommitNotFound):
        found("")


def test_names_of_cases_are_published_as_the_setting_says(environment, repositories: Repositories) -> None:
    published = []
    for number, what in enumerate(("names", "none")):
        chosen = environment(
            EVALHOOK_COMMIT_BACK="push", GITHUB_TOKEN="ghp_abcdefgh", EVALHOOK_PUBLISH_CASES=what
        )
        mine = make_record(number + 1, prompt_commit=repositories.main)
        plan = make_job_plan(prompt_commit=repositories.main)
        publisher = ExternalSystems(read_settings(chosen)).publisher
        publisher.publish(plan, [mine], {}, Outbox(), lambda _: None)
        shown = git(repositories.upstream, "show", "main:components/memo/leaderboard.json")
        (run,) = (run for run in json.loads(shown)["runs"] if run["run_id"] == mine.run_id)
        published.append([each["case"] for each in run["case_results"]])
    assert published == [["one"], []]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[tuple[SimulatedGitHub, str]]:
    app = SimulatedGitHub(tmp_path / "github", token=GITHUB_TOKEN)
    (tmp_path / "seed").mkdir()
    app.state.add_repository(REPOSITORY, tmp_path / "seed")
    with running(app) as url:
        yield app, url


@pytest.fixture
def pull_request(environment, github, tmp_path: Path) -> Callable[..., Pull]:
    """Publishes results under these settings, and returns their pull request as GitHub has it."""
    app, url = github
    repository = app.state.repositories[REPOSITORY]
    repository.allow_auto_merge = True
    repository.required_contexts = (CONTEXT,)
    write_component(tmp_path / "seed", "memo")

    def published(**changes: str) -> Pull:
        chosen = environment(
            EVALHOOK_PROMPT_LIBRARY_URL=f"{url}/{REPOSITORY}.git",
            EVALHOOK_COMMIT_BACK="pr",
            EVALHOOK_GITHUB_REPO=REPOSITORY,
            EVALHOOK_GITHUB_API_URL=f"{url}/api/v3",
            GITHUB_TOKEN=GITHUB_TOKEN,
            **changes,
        )
        external = ExternalSystems(read_settings(chosen))
        external.library.ensure()
        tip = repository.bare.branch("main")
        record = make_record(1, prompt_commit=tip)
        plan = make_job_plan(prompt_commit=tip)
        external.publisher.publish(plan, [record], {}, Outbox(), lambda _: None)
        (pull,) = repository.pulls
        return pull

    return published


@pytest.mark.parametrize("wanted", ["", "1"])
def test_reports_are_published_where_that_is_set(pull_request, environment, github, wanted: str) -> None:
    run = make_run_plan(run_id=make_record(1).run_id, replicates=1)
    folder = RunFolder.create(read_settings(environment()).runs_dir, run)
    folder.append(make_reply())
    folder.write_record(score_run(run, folder.replies_of))
    folder.close()
    pull = pull_request(EVALHOOK_PUBLISH_REPORTS=wanted)
    bare = github[0].state.repositories[REPOSITORY].bare.path
    added = git(bare, "diff", "--name-only", "main", pull.head).splitlines()
    assert any(path.endswith("/REPORT.md") for path in added) == bool(wanted)
    assert ("reports are added" in pull.body) == bool(wanted)


@pytest.mark.parametrize("auto_merge", ["", "1"])
def test_pull_requests_merge_by_themselves_where_that_is_set(pull_request, auto_merge: str) -> None:
    pull = pull_request(EVALHOOK_AUTO_MERGE=auto_merge)
    assert (pull.auto_merge is not None) == bool(auto_merge)


@pytest.mark.parametrize(("suffix", "subject"), [("", "1 models"), ("[skip ci]", "1 models [skip ci]")])
def test_the_commit_suffix_reaches_the_commit(pull_request, github, suffix: str, subject: str) -> None:
    pull = pull_request(EVALHOOK_COMMIT_SUFFIX=suffix)
    assert pull.title.endswith(f", {subject}")
    bare = github[0].state.repositories[REPOSITORY].bare.path
    assert git(bare, "log", "-1", "--format=%s", pull.head) == pull.title


@pytest.mark.parametrize("dashboard", ["", "https://university.example/evaluations"])
def test_pull_requests_link_to_the_dashboard_where_there_is_one(pull_request, dashboard: str) -> None:
    body = pull_request(EVALHOOK_DASHBOARD_URL=dashboard).body
    assert (f"[Dashboard]({dashboard}/components/" in body) == bool(dashboard)
    assert ("Dashboard" in body) == bool(dashboard)


def test_clones_are_made_from_their_urls_with_their_tokens(environment, tmp_path: Path, github) -> None:
    app, url = github
    app.state.add_token("ghp_for_data_sets", login="reader")
    places = environment(
        EVALHOOK_PROMPT_LIBRARY=str(tmp_path / "one"),
        EVALHOOK_PROMPT_LIBRARY_URL=f"{url}/{REPOSITORY}.git",
        EVALHOOK_DATA_SETS=str(tmp_path / "two"),
        EVALHOOK_DATA_SETS_URL=f"{url}/{REPOSITORY}.git",
    )
    refused = ExternalSystems(read_settings(places))
    for clone in (refused.library, refused.data_sets):
        assert clone is not None
        with pytest.raises(RemoteRefused):
            clone.ensure()
    # The token of the data sets is right, and GitHub's is not: each goes to its own clone.
    tokens = {"EVALHOOK_DATA_SETS_TOKEN": "ghp_for_data_sets", "GITHUB_TOKEN": "ghp_wrong"}
    external = ExternalSystems(read_settings(places | tokens | {"EVALHOOK_COMMIT_BACK": "push"}))
    assert external.data_sets is not None
    external.data_sets.ensure()
    assert (tmp_path / "two" / ".git").is_dir()
    with pytest.raises(RemoteRefused):
        external.library.ensure()
    external = ExternalSystems(
        read_settings(places | {"GITHUB_TOKEN": GITHUB_TOKEN, "EVALHOOK_COMMIT_BACK": "push"})
    )
    external.library.ensure()
    assert (tmp_path / "one" / ".git").is_dir()
    assert external.library.head() == app.state.repositories[REPOSITORY].bare.branch("main")


@pytest.mark.parametrize("public_url", ["", "https://evaluator.example.org"])
def test_a_status_on_github_leads_to_the_public_url(world, github, public_url: str) -> None:
    app, url = github
    repository = app.state.repositories[REPOSITORY]
    world.changes = {
        "EVALHOOK_COMMIT_BACK": "pr",
        "EVALHOOK_GITHUB_REPO": REPOSITORY,
        "EVALHOOK_GITHUB_API_URL": f"{url}/api/v3",
        "GITHUB_TOKEN": GITHUB_TOKEN,
        "EVALHOOK_PUBLIC_URL": public_url,
    }

    async def pull() -> Tips:
        return Tips(library=repository.bare.branch("main"), data_sets=None)

    world.clones.pull = pull

    async def tell(client: httpx.AsyncClient) -> None:
        # Held while it runs: the status at its end leads to the pull request.
        world.router.gate = asyncio.Event()
        await post(client)
        while not repository.statuses:  # noqa: ASYNC110 - behind HTTP
            await asyncio.sleep(0.005)
        assert repository.statuses[0].state == "pending"
        world.router.gate.set()

    world.story(tell)
    target = repository.statuses[0].target_url or ""
    assert target.startswith(f"{public_url}/") if public_url else target == ""


def test_plain_http_is_for_those_who_allow_it(environment, tmp_path: Path) -> None:
    Repositories(tmp_path)
    git(tmp_path / "library", "remote", "set-url", "origin", "http://git.example/x.git")
    allowed = ExternalSystems(read_settings(environment(EVALHOOK_ALLOW_HTTP="1")))
    assert allowed.library.remote_url() == "http://git.example/x.git"
    with pytest.raises(InsecureRemote):
        ExternalSystems(read_settings(environment())).library.remote_url()


def test_jobs_are_stored_in_the_state_directory(world, tmp_path: Path) -> None:
    world.changes = {"EVALHOOK_STATE_DIR": str(tmp_path / "elsewhere")}

    async def tell(client: httpx.AsyncClient) -> None:
        job = await world.evaluated(client)
        assert (tmp_path / "elsewhere" / "jobs" / f"{job['job_id']}.json").is_file()
        assert len(list((tmp_path / "elsewhere" / "runs").iterdir())) == 2

    world.story(tell)


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_calls_are_in_flight_than_allowed(world, most: int) -> None:
    world.changes = {"EVALHOOK_CONCURRENCY": str(most)}

    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        job_id = (await post(client)).json()["job_id"]
        await until(lambda: world.router.calls == most)
        # Whatever else could be called has its turn, many times over.
        for _ in range(200):
            await client.get("/jobs")
        assert world.router.calls == most
        world.router.gate.set()
        assert (await world.ended(client, job_id))["status"] == "completed"

    world.story(tell)


@pytest.mark.parametrize("places", [0, 1])
def test_so_many_jobs_wait(world, places: int) -> None:
    world.changes = {"EVALHOOK_QUEUE": str(places)}

    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        answers = [
            (await client.post("/evaluate", json={"skill_name": skill})).status_code
            for skill in ("memo", "letter", "invoice")
        ]
        assert answers == [202, *[202] * places, *[409] * (2 - places)]
        world.router.gate.set()

    world.story(tell)


def test_a_model_is_waited_for_as_long_as_allowed(world, monkeypatch: pytest.MonkeyPatch) -> None:
    """How a model is waited for is shown by the tests of outages; here, that the budget gets there."""
    world.changes = {"EVALHOOK_OUTAGE_BUDGET": "90m"}
    seen: list[Any] = []

    async def evaluate(*_: object, outage_policy: Any, **__: object) -> None:
        seen.append(outage_policy.budget)
        raise EvaluatorError("seen")

    monkeypatch.setattr("evalhook.worker.execution.evaluate", evaluate)
    world.story(world.evaluated)
    assert seen == [5400]


def test_a_job_without_progress_says_so_after_the_minutes_set(world) -> None:
    world.changes = {"EVALHOOK_STALL_MINUTES": "4"}

    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        job_id = (await post(client)).json()["job_id"]
        job: dict[str, Any] = {}
        while "attention" not in job:
            job = (await client.get(f"/jobs/{job_id}")).json()
            await asyncio.sleep(0)
        assert "no call has ended for 4 min" in job["attention"]["message"]
        world.router.gate.set()
        await world.ended(client, job_id)

    world.story(tell)


def rewritten(world, job_id: str, **changes: object) -> None:
    """Change what is stored of a job."""
    path = world.settings.jobs_dir / f"{job_id}.json"
    job = json.loads(path.read_text())
    state = changes.pop("state", {})
    path.write_text(json.dumps(job | changes | {"state": job["state"] | state}))


def test_a_job_is_ended_at_its_deadline(world) -> None:
    world.changes = {"EVALHOOK_JOB_DEADLINE": "5h"}
    ids: list[str] = []

    async def stop(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        ids.append((await post(client)).json()["job_id"])
        await world.router.asked.wait()

    async def look(client: httpx.AsyncClient) -> None:
        job = await world.ended(client, ids[0])
        assert "not done within 5 h" in job["error"]["message"]

    world.story(stop)
    rewritten(world, ids[0], elapsed_s=5 * 3600)
    world.story(look)


def test_calls_in_flight_have_the_grace_time_to_end(world) -> None:
    world.changes = {"EVALHOOK_GRACE_SECONDS": "1"}

    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        await post(client)
        await world.router.asked.wait()
        began.append(time.monotonic())

    began: list[float] = []
    world.story(tell)
    assert time.monotonic() - began[0] >= 1


def test_open_results_are_looked_at_as_often_as_set(world, environment) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.Event().wait()

    chosen = environment(
        EVALHOOK_COMMIT_BACK="pr",
        EVALHOOK_GITHUB_REPO=REPOSITORY,
        GITHUB_TOKEN=GITHUB_TOKEN,
        EVALHOOK_GITHUB_API_URL="https://127.0.0.1:1",
        EVALHOOK_REFRESH_MINUTES="7",
    )
    effects = msgspec.structs.replace(real_effects(), sleep=sleep)
    parts = Parts(read_settings(chosen), sources=world.clones, gateway=world.router, effects=effects)

    async def run() -> None:
        async with asyncio.timeout(30), parts.running():
            while 7 * 60 not in slept:  # noqa: ASYNC110 - a refresh in a thread comes first
                await asyncio.sleep(0.005)

    asyncio.run(run())


@asynccontextmanager
async def with_old_job(world, **age: float) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """The service after a restart, with a job that ended so long ago."""
    ids: list[str] = []

    async def evaluate(client: httpx.AsyncClient) -> None:
        ids.append((await world.evaluated(client))["job_id"])

    async with world.running() as client:
        await evaluate(client)
    ended = (datetime.now(UTC) - timedelta(**age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    rewritten(world, ids[0], state={"finished_at": ended})
    async with world.running() as client:
        yield client, ids[0]


async def gone(client: httpx.AsyncClient, job_id: str) -> None:
    while (await client.get(f"/jobs/{job_id}")).status_code != 404:  # noqa: ASYNC110 - behind HTTP
        await asyncio.sleep(0.005)


def test_jobs_are_removed_after_the_days_set(world) -> None:
    world.changes = {"EVALHOOK_RETENTION_DAYS": "5"}

    async def run() -> None:
        async with asyncio.timeout(30), with_old_job(world, days=6) as (client, old):
            await world.evaluated(client)  # after each job there is a sweep
            await gone(client, old)

    asyncio.run(run())


def test_the_oldest_jobs_go_beyond_the_size_set(world) -> None:
    world.changes = {"EVALHOOK_MAX_STATE_GB": "1"}

    async def run() -> None:
        async with asyncio.timeout(30), with_old_job(world, hours=2) as (client, old):
            run_dir = next(world.settings.runs_dir.iterdir())
            with (run_dir / "large").open("wb") as file:
                file.truncate(2 * 10**9)  # a hole, which takes no room on the disk
            await world.evaluated(client)
            await gone(client, old)

    asyncio.run(run())


def test_a_job_is_refused_without_the_free_space_set(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answers.append((await post(client)).status_code)

    answers: list[int] = []
    for reserve in ("1000000", "0"):
        world.changes = {"EVALHOOK_MIN_FREE_GB": reserve}
        world.story(tell)
    assert answers == [503, 202]


def test_metrics_have_a_second_address(world) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    world.changes = {"EVALHOOK_METRICS_BIND": f"127.0.0.1:{port}"}

    async def tell(_: httpx.AsyncClient) -> None:
        async with httpx.AsyncClient(trust_env=False) as stranger:
            answer = await stranger.get(f"http://127.0.0.1:{port}/metrics")
        assert "evalhook_" in answer.text

    world.story(tell)
