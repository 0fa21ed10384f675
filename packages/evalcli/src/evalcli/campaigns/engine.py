"""DBOS in a worker's process: it takes runs from the queues, and hands those of lost workers on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from dbos import DBOS, DBOSConfig

from evalcli.campaigns.address import bounded_url, reaching, shown_url
from evalcli.campaigns.assignment import Assignment, RunResult
from evalcli.campaigns.rows import APPLICATION, WORKFLOW, queue_of, serializer
from evalcore.decoding import decode_json

Do = Callable[[Assignment], RunResult]
"""Does one run to its end; called in a thread of its own for each."""


class Engine:
    """Takes runs for one worker. A process has one at most: DBOS is one for a process."""

    def __init__(self, url: str, worker: str, evaluator: str, providers: Sequence[str], do: Do) -> None:
        """Begin to take runs of these providers, planned by this version; raises DatabaseGone."""
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": bounded_url(url),
            "application_version": evaluator,
            "executor_id": worker,
            "serializer": serializer(),
            # As in campaigns.database: what cannot be done is an error of ours, in one line.
            "log_level": "CRITICAL",
        }
        DBOS(config=config)

        # Without a limit of attempts: a run that outlives many workers is still to be done.
        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        def run(text: str) -> str:
            return msgspec.json.encode(do(decode_json(text, Assignment))).decode()

        DBOS.listen_queues([queue_of(provider) for provider in providers])
        self._where = shown_url(url)
        with reaching(self._where):
            DBOS.launch()

    def hand_on(self, workers: Sequence[str]) -> int:
        """Put what lost workers were doing back into its queue, and return how many runs that were.

        Doing it twice, or from two workers, changes nothing: a run that somebody else has by now is theirs.
        """
        # Without a name of its own in DBOS, which leaves noticing the lost to a service (Conductor); of what
        # it offers by name, `resume_workflows` would take a run from whoever has it by now.
        with reaching(self._where):
            return len(DBOS._recover_pending_workflows(list(workers)))  # noqa: SLF001

    def close(self) -> None:
        """Take no further run; what is being done is left, for whoever has this worker's runs next."""
        DBOS.destroy(destroy_registry=True)
