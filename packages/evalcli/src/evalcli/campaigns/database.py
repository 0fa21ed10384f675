"""Where campaigns are kept: their plans and workers in two tables of ours, their runs in those of DBOS.

DBOS (docs/decisions/0024) shares runs out: a queue for each provider, whose limits hold over all workers,
and one row for each run, which one worker has at a time. It does not notice that a worker is gone: that is
what the table of workers is for.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final

import msgspec
import sqlalchemy as sa
from dbos import DBOS, DBOSClient, EnqueueOptions

from evalcli.campaigns import queues
from evalcli.campaigns.address import DatabaseGone, bounded_url, engine_of, is_shared, reaching, shown_url
from evalcli.campaigns.assignment import OPEN, Assignment, RunState
from evalcli.campaigns.plan import CampaignPlan
from evalcli.campaigns.queues import LOOKS, is_by_model, register
from evalcli.campaigns.rows import APPLICATION, WORKFLOW, id_of, queue_of, read_stored, serializer, state_of
from evalcli.campaigns.workers_table import WorkersTable
from evalcore.errors import ConfigurationError

_TABLES: Final = sa.MetaData()
_CAMPAIGNS: Final = sa.Table(
    "evaluator_campaigns",
    _TABLES,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("plan", sa.Text, nullable=False),
)


class CampaignDatabase:
    """Campaigns, their runs and the workers that do them."""

    def __init__(self, url: str) -> None:
        """Raise ConfigurationError for an address of no such database, DatabaseGone where it is not there."""
        self.url = url
        self.where = shown_url(url)
        # DBOS logs each retry with its traceback; what cannot be done is an error of ours, in one line.
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        with self._reaching():
            self._engine = engine_of(url)
            # DBOS would make a database whose name is mistaken, and there would be nothing in it to do.
            with self._engine.connect():
                DBOS.migrate(bounded_url(url))
            _TABLES.create_all(self._engine)
            self.workers = WorkersTable(self._engine, self.where)
            self._client = DBOSClient(
                system_database_url=bounded_url(url),
                serializer=serializer(),
                application_name=APPLICATION,
                # By itself it would wait, without a word, until the database is there again.
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
        return None if found is None else read_stored(found, CampaignPlan, self.where)

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
        self._require_same_limits(plan)
        if (known := self.plan(name)) is not None:
            return known
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
            changed = [
                provider
                for provider in plan.providers
                if register(self._client, plan, provider, is_shared=is_shared(self.url))
            ]
        if changed and any(not worker.is_lost for worker in self.workers.known()):
            # Workers know what they last read: by that they would begin too many of the new runs.
            time.sleep(LOOKS * queues.POLL_S)
        with self._reaching():
            for assignment, priority in assignments:
                options: EnqueueOptions = {
                    "workflow_name": WORKFLOW,
                    "queue_name": queue_of(assignment.run.provider),
                    "workflow_id": id_of(assignment),
                    # A worker of another version, which would score differently, takes none of them.
                    "app_version": plan.evaluator,
                    "priority": priority,
                }
                if is_by_model(plan, assignment.run.provider):
                    options["queue_partition_key"] = assignment.run.model
                self._client.enqueue(options, msgspec.json.encode(assignment).decode())

    def runs(self, name: str) -> list[RunState]:
        """Return where each run of a campaign stands, by its last attempt, in the order of their names."""
        with self._reaching():
            rows = self._client.list_workflows(workflow_id_prefix=f"{name}/")
        present = {worker.id for worker in self.workers.known() if not worker.is_lost}
        states: dict[str, RunState] = {}
        for row in rows:
            state = state_of(row, self.where, present)
            # The prefix is a pattern, in which a name's `_` stands for any character.
            if state.assignment.campaign != name:
                continue
            known = states.get(state.assignment.run.key)
            if known is None or known.assignment.attempt < state.assignment.attempt:
                states[state.assignment.run.key] = state
        return [states[key] for key in sorted(states)]

    def cancel(self, name: str) -> int:
        """Cancel the runs of a campaign that have not ended, and return how many there were."""
        open_runs = [state for state in self.runs(name) if state.phase in OPEN]
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
        # As in `runs`: to the database the prefix is a pattern.
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

    def holders(self, evaluator: str) -> set[str]:
        """Return who has runs of this version in hand: the ids of workers, of lost ones too."""
        with self._reaching():
            rows = self._client.list_workflows(
                status="PENDING", app_version=evaluator, load_input=False, load_output=False
            )
        return {row.executor_id for row in rows if row.executor_id is not None}

    def _require_same_limits(self, plan: CampaignPlan) -> None:
        for name in self.names():
            if name == plan.campaign.name:
                continue
            other = self.plan(name)
            common = set(plan.providers) & set(other.providers if other is not None else ())
            differing = [
                one
                for one in sorted(common)
                if other is not None and other.campaign.limits_of(one) != plan.campaign.limits_of(one)
            ]
            if differing and any(state.phase in OPEN for state in self.runs(name)):
                what = f"campaign {name}, which is not done, has other limits for {', '.join(differing)}"
                hint = "give both the same, or wait for it"
                raise ConfigurationError(what, where=plan.campaign.name, hint=hint)

    def _reaching(self) -> AbstractContextManager[None]:
        return reaching(self.where)
