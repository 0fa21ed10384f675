"""A checkout of the simulated GitHub's repositories, and the leaderboard read from it as a person would."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from evalcore.reports.ranking import RankedPool, rankings
from evalcore.runs.leaderboard import known_records, parse_leaderboard
from evalcore.runs.record import RunRecord
from evalcore.runs.rescoring import newest_scoring
from evalsim.demo.failure import DemoError
from evalsim.demo.screen import NOTHING
from evalsim.library import git_environment

HEADINGS = ("rank", "model", "accuracy", "95 %", "same again", "valid", "failed", "p50")
TIMEOUT = 60.0
"""Seconds that one git command may take."""


class GitCheckout:
    """A folder under git with the simulated GitHub as its remote `origin`."""

    def __init__(self, path: Path, url: str, token: str) -> None:
        self.path = path
        self.url = url
        credentials = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        # In the environment, as a token has no place among arguments or in a configuration file.
        self._environment = git_environment(
            {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {credentials}",
                # git would send loopback through a proxy of the user's environment too.
                "no_proxy": "127.0.0.1,localhost",
            }
        )

    def push(self, branch: str) -> None:
        """Push the branch to `origin`, which it must be able to hold."""
        self.run("remote", "add", "origin", self.url)
        self.run("push", "--quiet", "origin", f"{branch}:{branch}")

    def clone(self) -> None:
        """Make the folder as a clone of the remote."""
        self.path.mkdir(parents=True)
        self.run("clone", "--quiet", self.url, ".")

    def fetch(self) -> None:
        """Fetch the remote's branches."""
        self.run("fetch", "--quiet", "--prune", "origin")

    def tip(self, branch: str) -> str:
        """Return the commit that the remote itself names as the branch's tip."""
        listed = self.run("ls-remote", "--exit-code", "origin", f"refs/heads/{branch}")
        return listed.split()[0]

    def changed_files(self, base: str, head: str) -> list[str]:
        """Return the paths that differ between the fork point of two revisions and the second."""
        return self.run("diff", "--name-only", f"{base}...{head}").splitlines()

    def run(self, *arguments: str) -> str:
        """Run git and return what it prints; raises DemoError with git's own words."""
        try:
            done = subprocess.run(
                ["git", "-C", os.fspath(self.path), *arguments],  # noqa: S607 - git is found as the user finds it
                env=self._environment,
                check=True,
                capture_output=True,
                timeout=TIMEOUT,
            )
        except FileNotFoundError as error:
            raise DemoError("git is not installed", hint="install git 2.38 or newer") from error
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"git {arguments[0]} took over {TIMEOUT:.0f} s", where=self.url) from error
        except subprocess.CalledProcessError as error:
            words = error.stderr.decode("utf-8", "replace").strip()
            raise DemoError(f"git {arguments[0]} failed: {words}", where=self.url) from error
        return done.stdout.decode("utf-8", "replace")


def leaderboard_path(skill: str) -> str:
    """Return the file that holds a component's results."""
    return f"components/{skill}/leaderboard.json"


def leaderboard_records(checkout: GitCheckout, revision: str, skill: str) -> list[RunRecord]:
    """Return what the leaderboard of a revision holds, each run by its newest scoring.

    Raises LeaderboardError where the file is not valid.
    """
    path = leaderboard_path(skill)
    leaderboard = parse_leaderboard(checkout.run("show", f"{revision}:{path}").encode(), f"{revision}:{path}")
    return newest_scoring(known_records(leaderboard))


def job_records(checkout: GitCheckout, revision: str, skill: str, job_id: str) -> list[RunRecord]:
    """Return the records that a job left in the leaderboard of a revision, the best model first.

    Raises DemoError where there are none, LeaderboardError where the file is not valid.
    """
    known = leaderboard_records(checkout, revision, skill)
    records = [record for record in known if record.job_id == job_id]
    if not records:
        raise DemoError("holds no record of the job", where=f"{revision}:{leaderboard_path(skill)}")
    return sorted(records, key=_order)


def leaderboard_rows(records: Iterable[RunRecord], known: Iterable[RunRecord]) -> list[tuple[str, ...]]:
    """Lay records out under HEADINGS, each by the pool that it counts in among all that are known.

    Ranks are ranges; partial runs are shown and never ranked.
    """
    own = {record.run_id: record for record in records}
    pools = [
        (row, own[record.run_id])
        for ranking in rankings(known)
        if not ranking.are_cases_shared
        for row in ranking.rows
        for record in row.records
        if record.run_id in own
    ]
    return [_row(row, record) for row, record in pools]


def _row(row: RankedPool, record: RunRecord) -> tuple[str, ...]:
    calls, interval = record.calls, row.ci95
    p50 = record.latency_ms.p50
    return (
        record.status if row.rank is None else row.rank.text,
        record.model,
        _percent(row.accuracy),
        f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}" if interval is not None else NOTHING,
        _percent(row.reproducibility),
        _percent(record.schema_valid_rate),
        f"{calls.api_error + calls.parse_error} of {calls.total}",
        f"{p50:.0f} ms" if p50 is not None else NOTHING,
    )


def _percent(fraction: float | None) -> str:
    return NOTHING if fraction is None else f"{100 * fraction:.1f}"


def _order(record: RunRecord) -> tuple[bool, float, str]:
    mean = record.accuracy.mean
    return (record.status != "complete", -(mean if mean is not None else -1.0), record.model)
