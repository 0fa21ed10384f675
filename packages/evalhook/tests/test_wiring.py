"""Every setting reaches the part that needs it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from evalcore.git.errors import BranchMissing, InsecureRemote
from evalcore.github.transport import GitHubUnreachable
from evalhook.app import create_app
from evalhook.commands.serve import require_clones, require_metrics_address, server_config
from evalhook.config.settings import JobLimits, Settings, read_settings
from evalhook.wiring import ExternalSystems
from evalsim.github import SimulatedGitHub
from evalsim.serving import running
from evalsim.testing import GITHUB_TOKEN, REPOSITORY, git


class Spied:
    """Settings that remember which of their fields were read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        derived = getattr(type(self._settings), name, None)
        if isinstance(derived, property):
            assert derived.fget is not None
            return derived.fget(self)
        self.read.add(name)
        return getattr(self._settings, name)


def spied(settings: Settings) -> tuple[Settings, Spied]:
    spy = Spied(settings)
    return cast("Settings", spy), spy


def test_every_setting_is_handed_on(environment, tmp_path: Path) -> None:
    chosen = environment(
        EVALHOOK_COMMIT_BACK="pr",
        EVALHOOK_GITHUB_REPO="owner/name",
        GITHUB_TOKEN="ghp_abcdefgh",
        EVALHOOK_DATA_SETS=str(tmp_path / "data-sets"),
    )
    (tmp_path / "library").mkdir()
    (tmp_path / "data-sets").mkdir()
    settings, spy = spied(read_settings(chosen))
    require_clones(settings)
    require_metrics_address(settings)
    server_config(create_app(settings), settings.host, settings.port)
    unread = set(Settings.__struct_fields__) - spy.read
    assert not unread, (
        f"packages/evalhook/src/evalhook/wiring.py: hand {sorted(unread)} to the part that needs it"
    )


def test_the_limits_of_a_job_are_handed_on_whole(world) -> None:
    """`Settings.limits` is one value for the runner; only the length of the queue is taken out of it."""
    world.changes = {
        "EVALHOOK_QUEUE": "3",
        "EVALHOOK_JOB_DEADLINE": "5h",
        "EVALHOOK_GRACE_SECONDS": "7",
        "EVALHOOK_OUTAGE_BUDGET": "90m",
        "EVALHOOK_STALL_MINUTES": "4",
    }
    assert world.settings.limits == JobLimits(grace=7, outage=5400, stall=240, deadline=18000, queue=3)


def test_the_trusted_publishers_reach_what_looks_for_open_results(environment, tmp_path: Path) -> None:
    branch = "eval-results/memo-0123456789ab-20260101T000000Z"
    simulated = SimulatedGitHub(tmp_path / "github", token=GITHUB_TOKEN)
    (tmp_path / "seed").mkdir()
    bare = simulated.state.add_repository(REPOSITORY, tmp_path / "seed").bare.path
    git(bare, "branch", branch, git(bare, "commit-tree", "main^{tree}", "-p", "main", "-m", "x"))
    simulated.state.add_token("ghs_actions", login="github-actions[bot]")
    found = {}
    with running(simulated) as url:
        for token, trusted in (
            ("ghs_actions", ""),
            (GITHUB_TOKEN, ""),
            (GITHUB_TOKEN, "github-actions[bot], ci"),
        ):
            chosen = environment(
                EVALHOOK_COMMIT_BACK="pr",
                EVALHOOK_GITHUB_REPO=REPOSITORY,
                GITHUB_TOKEN=token,
                EVALHOOK_GITHUB_API_URL=f"{url}/api/v3",
                EVALHOOK_TRUSTED_PUBLISHERS=trusted,
            )
            client = ExternalSystems(read_settings(chosen)).github
            assert client is not None
            if token != GITHUB_TOKEN:
                client.open_pull_request(branch, "main", "Theirs", "")
            found[token, trusted] = [pull.number for pull in client.open_results("main")]
    assert list(found.values()) == [[1], [], [1]]


def test_errors_of_git_and_github_name_the_services_settings(environment, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "-b", "trunk", str(tmp_path / "upstream.git"))
    git(tmp_path, "clone", "-q", str(tmp_path / "upstream.git"), str(tmp_path / "library"))
    chosen = environment(
        EVALHOOK_COMMIT_BACK="pr",
        EVALHOOK_GITHUB_REPO=REPOSITORY,
        GITHUB_TOKEN=GITHUB_TOKEN,
        EVALHOOK_GITHUB_API_URL="https://127.0.0.1:1/api/v3",
    )
    external = ExternalSystems(read_settings(chosen))
    with pytest.raises(BranchMissing, match="EVALHOOK_DEFAULT_BRANCH"):
        external.library.fast_forward()
    git(tmp_path / "library", "remote", "set-url", "origin", "http://git.example/x.git")
    with pytest.raises(InsecureRemote, match="or set EVALHOOK_ALLOW_HTTP=1 on a network you trust"):
        external.library.fast_forward()
    for github in (external.github, external.reports):
        assert github is not None
        with pytest.raises(GitHubUnreachable, match="check the network and EVALHOOK_GITHUB_API_URL"):
            github.check()


def test_nothing_outside_is_touched_while_it_is_made(environment, tmp_path: Path) -> None:
    external = ExternalSystems(read_settings(environment()))
    assert external.data_sets is None
    assert list(tmp_path.iterdir()) == []


def test_the_state_directory_is_free_again_when_the_application_has_ended(world) -> None:
    async def nothing(_: object) -> None:
        await asyncio.sleep(0)

    world.story(nothing)
    world.story(nothing)  # would be refused while another held it
