"""Where campaigns are kept: their plans and workers in two tables of ours, their runs in those of DBOS.

DBOS (docs/decisions/0024) shares runs out: a queue for each provider, whose limits hold over all workers,
and one row for each run, which one worker has at a time. It does not notice that a worker is gone: that is
what the table of workers is for.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, WorkflowStatus
from dbos import error as dbos_errors

from evalcli.campaigns.assignment import Assignment, Phase, RunResult, RunState, WorkerState
from evalcli.campaigns.file import RESCORE
from evalcli.campaigns.plan import CampaignPlan
from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.errors import ConfigurationError, EvaluatorError
from evalcore.ids import is_plain_id

APPLICATION: Final = "evalcli-campaigns"
"""What our rows are marked with, where other programs use DBOS in the same database."""
WORKFLOW: Final = "run"
"""The one function that DBOS calls: it does one run."""
POLL_S: Final = 1.0
"""Seconds between two looks of a worker at a queue."""
CONNECT_S: Final = 5
"""Seconds after which a database that does not answer is taken for gone."""
_CONNECT_LIMITS: Final = {"connect_timeout": str(CONNECT_S), "tcp_user_timeout": str(CONNECT_S * 1000)}
"""Those of libpq, in seconds and in milliseconds."""
_PASSWORDS: Final = frozenset({"password", "sslpassword"})
"""What libpq takes as passwords among an address's settings."""
SQLITE: Final = "sqlite:///"
_PHASES: Final[Mapping[str, Phase]] = {
    "ENQUEUED": "waiting",
    "DELAYED": "waiting",
    "PENDING": "running",
    "SUCCESS": "ended",
    "ERROR": "ended",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "ended",
    "CANCELLED": "cancelled",
}
_TABLES: Final = sa.MetaData()
_CAMPAIGNS: Final = sa.Table(
    "evaluator_campaigns",
    _TABLES,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("plan", sa.Text, nullable=False),
)
_WORKERS: Final = sa.Table(
    "evaluator_workers",
    _TABLES,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("host", sa.String(300), nullable=False),
    # Which runs it may have: those that its version of the evaluator planned.
    sa.Column("evaluator", sa.String(100), nullable=False),
    sa.Column("lease_s", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
)


Stored = TypeVar("Stored", CampaignPlan, Assignment, RunResult)


class DatabaseGone(EvaluatorError):
    """The database of the campaigns cannot be reached."""

    code = "database_gone"
    retryable = True


def serializer() -> DBOSPortableJSONSerializer:
    """Return how DBOS writes what it stores: as JSON. Its own default, pickle, runs what it reads."""
    return DBOSPortableJSONSerializer()


def sqlite_url(path: Path) -> str:
    """Return the address of a database that is a file."""
    return f"{SQLITE}{path.resolve()}"


def sqlite_path(url: str) -> Path:
    """Return the file that an address of `sqlite_url` names."""
    return Path(url.removeprefix(SQLITE))


def is_shared(url: str) -> bool:
    """Whether workers on several hosts can use a database."""
    return not url.startswith(SQLITE)


class CampaignDatabase:
    """Campaigns, their runs and the workers that do them."""

    def __init__(self, url: str) -> None:
        """Raise ConfigurationError for an address of no such database, DatabaseGone where it is not there."""
        self.url = url
        self.where = shown_url(url)
        # DBOS logs each retry with its traceback; what cannot be done is an error of ours, in one line.
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        with self._reaching():
            self._engine = _engine(url)
            DBOS.migrate(bounded_url(url))
            _TABLES.create_all(self._engine)
            self._client = DBOSClient(
                system_database_url=bounded_url(url),
                serializer=serializer(),
                application_name=APPLICATION,
                retry_connection_errors=False,
            )

    def close(self) -> None:
        """Close all connections."""
        self._client.destroy()
        self._engine.dispose()

    def plan(self, name: str) -> CampaignPlan | None:
        """Return the plan of a campaign that was begun; None where there is none of that name."""
        with self._reaching(), self._engine.connect() as connection:
            found = connection.execute(sa.select(_CAMPAIGNS.c.plan).where(_CAMPAIGNS.c.name == name)).scalar()
        return None if found is None else self._read(found, CampaignPlan)

    def names(self) -> list[str]:
        """Return the names of all campaigns that were begun, sorted."""
        with self._reaching(), self._engine.connect() as connection:
            return sorted(connection.execute(sa.select(_CAMPAIGNS.c.name)).scalars())

    def begin(self, plan: CampaignPlan) -> CampaignPlan:
        """Note a campaign, unless it was begun already; returns the plan that counts.

        Raises ConfigurationError where a provider's limits differ from those of another campaign that is
        not done: both use its one queue.
        """
        name = plan.campaign.name
        if (known := self.plan(name)) is not None:
            return known
        self._require_same_limits(plan)
        text = msgspec.json.encode(plan).decode()
        try:
            with self._reaching(), self._engine.begin() as connection:
                connection.execute(sa.insert(_CAMPAIGNS).values(name=name, plan=text))
        except DatabaseGone:
            # Another command may have begun it in this moment.
            if (known := self.plan(name)) is None:
                raise
            return known
        return plan

    def renew(self, plan: CampaignPlan) -> None:
        """Note anew what of a campaign's plan may change: forecasts, deadline, budget."""
        text = msgspec.json.encode(plan).decode()
        with self._reaching(), self._engine.begin() as connection:
            row = sa.update(_CAMPAIGNS).where(_CAMPAIGNS.c.name == plan.campaign.name)
            connection.execute(row.values(plan=text))

    def add(self, plan: CampaignPlan, assignments: Sequence[tuple[Assignment, int]]) -> None:
        """Queue runs, each with its priority, the lowest number first; one that is there stays as it is."""
        with self._reaching():
            for provider in plan.providers:
                limits = plan.campaign.limits_of(provider)
                # Scoring takes a core for each run, which calls do not.
                here = (os.cpu_count() or 1) if provider == RESCORE else limits.runs
                each = limits.runs_per_worker or (1 if is_shared(self.url) else min(here, limits.runs))
                hourly = limits.runs_per_hour
                self._client.register_queue(
                    queue_of(provider),
                    global_concurrency=limits.runs,
                    worker_concurrency=each,
                    limiter={"limit": hourly, "period": 3600.0} if hourly is not None else None,
                    polling_interval_sec=POLL_S,
                )
            for assignment, priority in assignments:
                self._client.enqueue(
                    {
                        "workflow_name": WORKFLOW,
                        "queue_name": queue_of(assignment.run.provider),
                        "workflow_id": id_of(assignment),
                        # A worker of another version, which would score differently, takes none of them.
                        "app_version": plan.evaluator,
                        "priority": priority,
                    },
                    msgspec.json.encode(assignment).decode(),
                )

    def runs(self, name: str) -> list[RunState]:
        """Return where each run of a campaign stands, by its last attempt, in the order of their names."""
        with self._reaching():
            rows = self._client.list_workflows(workflow_id_prefix=f"{name}/")
        states: dict[str, RunState] = {}
        for row in rows:
            state = self._state(row)
            # The prefix is a pattern, in which a name's `_` stands for any character.
            if state.assignment.campaign != name:
                continue
            known = states.get(state.assignment.run.key)
            if known is None or known.assignment.attempt < state.assignment.attempt:
                states[state.assignment.run.key] = state
        return [states[key] for key in sorted(states)]

    def cancel(self, name: str) -> int:
        """Cancel the runs of a campaign that have not ended, and return how many there were."""
        open_runs = [state for state in self.runs(name) if state.phase in {"waiting", "running"}]
        with self._reaching():
            self._client.cancel_workflows([id_of(state.assignment) for state in open_runs])
        return len(open_runs)

    def open_runs(self, providers: Sequence[str], campaign: str | None = None) -> Counter[str]:
        """Count the runs for these providers that have not ended, by the version that planned them.

        Of one campaign where one is named, else of all.
        """
        if not providers:
            return Counter()
        prefix = None if campaign is None else f"{campaign}/"
        with self._reaching():
            rows = self._client.list_workflows(
                status=["ENQUEUED", "DELAYED", "PENDING"],
                queue_name=[queue_of(provider) for provider in providers],
                workflow_id_prefix=prefix,
                load_input=False,
                load_output=False,
            )
        return Counter(row.app_version or "" for row in rows if row.workflow_id.startswith(prefix or ""))

    def cancelled(self, ids: Sequence[str]) -> set[str]:
        """Return those of the runs that were cancelled, by the ids that DBOS knows them by."""
        if not ids:
            return set()
        with self._reaching():
            rows = self._client.list_workflows(
                workflow_ids=list(ids), status="CANCELLED", load_input=False, load_output=False
            )
        return {row.workflow_id for row in rows}

    def seen(self, worker: str, host: str, evaluator: str, lease_s: float) -> bool:
        """Note a worker's sign of life, by the database's clock; says whether it was known.

        One that was and is not any more was taken for lost, and its runs are given to others.
        """
        row = {"host": host, "evaluator": evaluator, "lease_s": lease_s, "seen_at": self._now()}
        with self._reaching(), self._engine.begin() as connection:
            done = connection.execute(sa.update(_WORKERS).where(_WORKERS.c.id == worker).values(row))
            is_known = bool(done.rowcount)
            if not is_known:
                connection.execute(sa.insert(_WORKERS).values(id=worker, **row))
        return is_known

    def workers(self) -> list[WorkerState]:
        """Return all workers that were not forgotten, those that are lost included."""
        age = (self._now() - _WORKERS.c.seen_at).label("age")
        with self._reaching(), self._engine.connect() as connection:
            columns = sa.select(_WORKERS.c.id, _WORKERS.c.host, _WORKERS.c.evaluator, age, _WORKERS.c.lease_s)
            return [WorkerState(*row) for row in connection.execute(columns.order_by(_WORKERS.c.id))]

    def retire(self, worker: str) -> None:
        """Note that a worker has stopped: others need not wait for its lease to end."""
        with self._reaching(), self._engine.begin() as connection:
            connection.execute(sa.update(_WORKERS).where(_WORKERS.c.id == worker).values(lease_s=-1.0))

    def forget(self, worker: str) -> None:
        """Take a worker out of the table: its runs are given to others, or it has none."""
        with self._reaching(), self._engine.begin() as connection:
            connection.execute(sa.delete(_WORKERS).where(_WORKERS.c.id == worker))

    def _now(self) -> sa.ColumnElement[float]:
        """Return the database's clock in seconds: those of hosts differ."""
        if is_shared(self.url):
            return sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), sa.Float)
        return sa.cast(sa.literal_column("(julianday('now') - 2440587.5) * 86400.0"), sa.Float)

    def _require_same_limits(self, plan: CampaignPlan) -> None:
        for name in self.names():
            other = self.plan(name)
            common = set(plan.providers) & set(other.providers if other is not None else ())
            differing = [
                one
                for one in sorted(common)
                if other is not None and other.campaign.limits_of(one) != plan.campaign.limits_of(one)
            ]
            if differing and any(state.phase in {"waiting", "running"} for state in self.runs(name)):
                what = f"campaign {name}, which is not done, has other limits for {', '.join(differing)}"
                hint = "give both the same, or wait for it"
                raise ConfigurationError(what, where=plan.campaign.name, hint=hint)

    def _state(self, row: WorkflowStatus) -> RunState:
        text = row.input["args"][0] if row.input is not None and row.input["args"] else "{}"
        assignment = self._read(text, Assignment)
        # Both become paths here and there, and the database may be anybody's.
        if not (is_plain_id(assignment.run_id) and is_plain_id(assignment.job_id)):
            raise self._no_run()
        phase = _PHASES[row.status]
        result = self._read(row.output, RunResult) if isinstance(row.output, str) else None
        if phase == "ended" and result is None:
            result = RunResult("failed", f"its worker failed: {row.error}", None, row.executor_id or "", "")
        if result is not None and result.record is not None and not is_plain_id(result.record.run_id):
            raise self._no_run()
        return RunState(
            assignment=assignment,
            phase=phase,
            worker=row.executor_id if phase != "waiting" else None,
            begun_at=_moment(row.dequeued_at),
            ended_at=_moment(row.completed_at),
            result=result,
        )

    def _read(self, text: str, kind: type[Stored]) -> Stored:
        try:
            return decode_json(text, kind)
        except UNREADABLE:
            raise self._no_run() from None

    def _no_run(self) -> ConfigurationError:
        hint = "use a database that only campaigns of this version are kept in"
        return ConfigurationError("it holds what is no run of a campaign", where=self.where, hint=hint)

    def _reaching(self) -> AbstractContextManager[None]:
        return reaching(self.where)


@contextmanager
def reaching(where: str) -> Iterator[None]:
    """Turn what a database raises into one line about `where`, which has no password in it."""
    try:
        yield
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, AssertionError) as error:
        hint = "write it as postgresql://USER@HOST/NAME"
        raise ConfigurationError("is no address of a database", where=where, hint=hint) from error
    except (sa.exc.SQLAlchemyError, dbos_errors.DBOSException, OSError) as error:
        what = f"the database cannot be used ({_first_line(error)})"
        raise DatabaseGone(what, where=where, hint="see that it is there, and try again") from error


def queue_of(provider: str) -> str:
    """Return the name of a provider's queue."""
    return f"provider:{provider}"


def id_of(assignment: Assignment) -> str:
    """Return what DBOS knows a run by; the same for the same attempt, so that it is queued once."""
    return f"{assignment.campaign}/{assignment.attempt}/{assignment.run.key}"


def shown_url(url: str) -> str:
    """Return a database's address as it may be shown: without a password."""
    address = _address(url)
    if address is None:
        return "--database"
    return address.difference_update_query(_PASSWORDS).render_as_string(hide_password=True)


def has_password(url: str) -> bool:
    """Whether an address has a password in it."""
    address = _address(url)
    return address is not None and (address.password is not None or not _PASSWORDS.isdisjoint(address.query))


def bounded_url(url: str) -> str:
    """Return a shared database's address with limits of time: DBOS would wait for a silent one for ever."""
    address = _address(url)
    if address is None or not is_shared(url):
        return url
    limits = {name: value for name, value in _CONNECT_LIMITS.items() if name not in address.query}
    return address.update_query_dict(limits).render_as_string(hide_password=False)


def _address(url: str) -> sa.URL | None:
    try:
        return sa.engine.make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # the latter of a port that is no number
        return None


def _engine(url: str) -> sa.Engine:
    address = _address(url)
    if address is not None and not is_shared(url):
        return sa.create_engine(address, connect_args={"timeout": CONNECT_S})
    if address is None or address.get_backend_name() != "postgresql":
        raise sa.exc.ArgumentError(shown_url(url))
    # Without its own limits a connection that was cut would be waited for until the system gives it up.
    limits = {**_CONNECT_LIMITS, "options": f"-c statement_timeout={CONNECT_S * 1000}"}
    return sa.create_engine(
        address.set(drivername="postgresql+psycopg"), connect_args=limits, pool_pre_ping=True
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    text = str(cause).strip().splitlines()
    return text[0][:200] if text else type(cause).__name__
