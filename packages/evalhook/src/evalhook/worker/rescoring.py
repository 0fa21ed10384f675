"""The leaderboards whose replies are here, brought to the present scoring version: a pull request each.

What is published is what `evalcore.publishing.committer` publishes of a job, step by step: how far it is
stands in `<state>/rescoring/<slug>.json`, so that a killed process is finished by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog

from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.errors import EvaluatorError
from evalcore.evaluation.rescore import Rescoring, rescore_run
from evalcore.formats.versions import parse_version
from evalcore.git.clone import Clone
from evalcore.publishing.changes import read_leaderboard
from evalcore.publishing.committer import Committer
from evalcore.publishing.outbox import Outbox, Published
from evalcore.runs.case_privacy import CasePrivacy
from evalcore.runs.files import write_atomically
from evalcore.runs.folder import PLAN, RECORD, read_record
from evalcore.runs.leaderboard import known_records
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord
from evalcore.runs.rescoring import first_run_id, newest_scoring
from evalcore.structs import Frozen
from evalcore.version import SCORING_VERSION

MAX_OUTBOX_BYTES: Final = 1024 * 1024
log = structlog.stdlib.get_logger(__name__)


class _OfComponent(msgspec.Struct):
    slug: str


class _Header(msgspec.Struct):
    """The one field of run.json that says what a run is of."""

    component: _OfComponent


class PendingRescoring(Frozen, frozen=True):
    """How far the publishing of a component's rescored runs is; stored between its steps."""

    job_id: str
    run_ids: tuple[str, ...]
    """Of the records that are published; others are another publication."""
    outbox: Outbox = Outbox()


class RescoredComponent(Frozen, frozen=True):
    """What became of one component's runs."""

    slug: str
    rescored: int
    absent: int
    """Runs of older rules whose replies are not here."""
    problems: tuple[str, ...]
    """Why runs were left as they are, a line each."""
    published: Published | None
    """None where there was nothing to publish."""


def runs_by_component(runs_dir: Path) -> dict[str, dict[str, Path]]:
    """Return the run folders by component and run id; a folder without a readable plan is left out."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(runs_dir.glob(f"*/{PLAN}")):
        try:
            slug = decode_json(path.read_bytes(), _Header).component.slug
        except (OSError, *UNREADABLE) as error:
            log.warning("run_unreadable", folder=str(path.parent), reason=str(error))
            continue
        found.setdefault(slug, {})[path.parent.name] = path.parent
    return found


class ComponentRescorer:
    """Rescores components and publishes what comes of it; blocking."""

    def __init__(
        self,
        clone: Clone,
        committer: Committer,
        privacy: CasePrivacy,
        folder: Path,
        new_id: Callable[[], str],
    ) -> None:
        self._clone = clone
        self._committer = committer
        self._privacy = privacy
        self._folder = folder
        self._new_id = new_id

    def rescore(self, slug: str, runs: Mapping[str, Path]) -> RescoredComponent:
        """Bring a component's leaderboard to the present scoring version, and publish it.

        Raises RepositoryError, LeaderboardError or StorageError; asked again, it goes on where it was.
        """
        branch = self._clone.default_branch
        self._clone.fetch(branch)
        tip = self._clone.commit_at(self._clone.tracking_ref(branch))
        known = known_records(read_leaderboard(self._clone, slug, tip))
        older = [record for record in newest_scoring(known) if record.scoring_version < SCORING_VERSION]
        due = [record for record in older if first_run_id(record) in runs]
        firsts = {record.run_id: record for record in known if record.rescored_from is None}
        done, problems = _rescored(due, firsts, runs)
        if not done:
            # What a killed process had begun has been merged by now, or its replies are gone.
            self._path(slug).unlink(missing_ok=True)
        published = self._publish(slug, done) if done else None
        return RescoredComponent(
            slug=slug,
            rescored=len(done),
            absent=len(older) - len(due),
            problems=tuple(problems),
            published=published,
        )

    def _publish(self, slug: str, done: Sequence[Rescoring]) -> Published:
        run_ids = tuple(sorted(item.record.run_id for item in done))
        pending = self._read(slug)
        if pending is None or pending.run_ids != run_ids:
            # Another set of records is another publication: under the old id it would be found done.
            pending = PendingRescoring(self._new_id(), run_ids)
            self._write(slug, pending)
        records = [self._privacy.record(item.record, item.plan.component, item.plan.cases) for item in done]
        published = self._committer.publish(
            _plan_of(pending.job_id, done),
            records,
            {},
            pending.outbox,
            lambda step: self._write(slug, PendingRescoring(pending.job_id, run_ids, step)),
        )
        self._path(slug).unlink(missing_ok=True)
        return published

    def _path(self, slug: str) -> Path:
        return self._folder / f"{slug}.json"

    def _read(self, slug: str) -> PendingRescoring | None:
        try:
            with self._path(slug).open("rb") as file:
                return decode_json(file.read(MAX_OUTBOX_BYTES), PendingRescoring)
        except FileNotFoundError:
            return None
        except UNREADABLE as error:
            # Begun anew: the steps that were done are found on GitHub, since the records have the same ids.
            log.warning("rescoring_unreadable", file=str(self._path(slug)), reason=str(error))
            return None

    def _write(self, slug: str, pending: PendingRescoring) -> None:
        write_atomically(self._path(slug), msgspec.json.encode(pending))


def _rescored(
    due: Iterable[RunRecord], firsts: Mapping[str, RunRecord], runs: Mapping[str, Path]
) -> tuple[list[Rescoring], list[str]]:
    done: list[Rescoring] = []
    problems: list[str] = []
    for record in due:
        first = first_run_id(record)
        try:
            # The run's own record first: in a leaderboard, cases may be hashed.
            kept = runs[first]
            before = read_record(kept) if (kept / RECORD).exists() else firsts.get(first, record)
            found = rescore_run(kept, before)
        except EvaluatorError as error:
            problems.append(error.line)
            continue
        if found.altered:
            # Figures of altered replies would stand under the id of a run that others have published.
            problems.append(f"{first}: its files are not what they were: {'; '.join(found.altered)}")
        else:
            done.append(found)
    return done, problems


def _plan_of(job_id: str, done: Sequence[Rescoring]) -> JobPlan:
    """Describe the newest version that was rescored, as what the pull request is of."""
    newest = max(done, key=lambda item: (_order(item.record), item.record.finished_at, item.record.run_id))
    plan = newest.plan
    return JobPlan(
        job_id=job_id,
        origin=plan.origin,
        component=plan.component,
        cases=(),
        skipped_cases=(),
        models=(),
        providers={},
        replicates=newest.record.replicates,
        prompt_commit=plan.prompt_commit,
        dataset_commit=plan.dataset_commit,
    )


def _order(record: RunRecord) -> tuple[bool, object]:
    version = parse_version(record.component_version)
    return (False, ()) if version is None else (True, version)
