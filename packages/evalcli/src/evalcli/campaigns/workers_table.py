"""The table of workers: who is there, by the database's clock. DBOS does not notice that one is gone."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from evalcli.campaigns.address import reaching
from evalcli.campaigns.assignment import WorkerState

_TABLES: Final = sa.MetaData()
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


class WorkersTable:
    """Workers and their last signs of life; what is asked of it raises DatabaseGone where it is not there."""

    def __init__(self, engine: sa.Engine, where: str) -> None:
        """Make the table where it is not there; `where` is how the database's address is shown."""
        self._engine = engine
        self._where = where
        with reaching(where):
            _TABLES.create_all(engine)

    def seen(self, worker: str, host: str, evaluator: str, lease_s: float) -> bool:
        """Note a worker's sign of life, by the database's clock; says whether it was known.

        One that was and is not any more was taken for lost, and its runs are given to others.
        """
        row = {"host": host, "evaluator": evaluator, "lease_s": lease_s, "seen_at": self._now()}
        with reaching(self._where), self._engine.begin() as connection:
            done = connection.execute(sa.update(_WORKERS).where(_WORKERS.c.id == worker).values(row))
            is_known = bool(done.rowcount)
            if not is_known:
                connection.execute(sa.insert(_WORKERS).values(id=worker, **row))
        return is_known

    def known(self) -> list[WorkerState]:
        """Return all workers that were not forgotten, those that are lost included."""
        age = (self._now() - _WORKERS.c.seen_at).label("age")
        with reaching(self._where), self._engine.connect() as connection:
            columns = sa.select(_WORKERS.c.id, _WORKERS.c.host, _WORKERS.c.evaluator, age, _WORKERS.c.lease_s)
            return [WorkerState(*row) for row in connection.execute(columns.order_by(_WORKERS.c.id))]

    def retire(self, worker: str) -> None:
        """Note that a worker has stopped: others need not wait for its lease to end."""
        with reaching(self._where), self._engine.begin() as connection:
            # Below 0, since a worker that was seen in this instant has been silent for 0 seconds.
            connection.execute(sa.update(_WORKERS).where(_WORKERS.c.id == worker).values(lease_s=-1.0))

    def forget(self, worker: str) -> None:
        """Take a worker out of the table: its runs are given to others, or it has none."""
        with reaching(self._where), self._engine.begin() as connection:
            connection.execute(sa.delete(_WORKERS).where(_WORKERS.c.id == worker))

    def _now(self) -> sa.ColumnElement[float]:
        """Return the database's clock in seconds: those of hosts differ."""
        if self._engine.dialect.name == "postgresql":
            return sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), sa.Float)
        return sa.cast(sa.literal_column("(julianday('now') - 2440587.5) * 86400.0"), sa.Float)
