"""Being a worker until nothing is left: which providers are within reach, and how the process ends."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from evalcli.campaigns.address import is_shared, sqlite_path
from evalcli.campaigns.assignment import Places
from evalcli.campaigns.database import CampaignDatabase
from evalcli.campaigns.file import RESCORE
from evalcli.campaigns.worker import Worker
from evalcli.exits import PROGRAM, Exit
from evalcli.terminal.output import say, say_command, warn
from evalcore.errors import ConfigurationError, EvaluatorError
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import load_models, load_models_file
from evalcore.library.models import NotConfigured, resolve_provider
from evalcore.runs.files import lock


def within_reach(places: Places, environ: Mapping[str, str], wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Return the providers whose runs can be done here: those whose address and key are set.

    Of the `wanted` ones, or all of models.yaml where that is None; says which are out of reach, and why.
    """
    sources = places.sources
    if sources.models is not None:
        file = load_models_file(sources.models)
    else:
        file = load_models(FolderCheckout(sources.prompt_library))
    names = [*sorted({model.provider for model in file.models}), RESCORE] if wanted is None else wanted
    found = []
    for name in names:
        if name == RESCORE:
            found.append(name)
            continue
        provider = file.providers.get(name)
        if provider is None:
            warn(f"runs of {name} are left to other workers: models.yaml here does not define it")
            continue
        endpoint = resolve_provider(provider, environ)
        if isinstance(endpoint, NotConfigured):
            warn(f"runs of {name} are left to other workers: {endpoint.reason}")
        else:
            found.append(name)
    return tuple(found)


def work(
    database: CampaignDatabase,
    places: Places,
    lease_s: float,
    *,
    providers: tuple[str, ...],
    evaluator: str,
    is_done: Callable[[], bool],
    go_on: str,
) -> None:
    """Do runs until `is_done`; `go_on` is the command line that goes on after an interruption.

    Ends the process where it is interrupted, and begins it anew where it has lost its runs: in both cases
    threads of DBOS may wait for the outcome of runs that are others' by now, and would keep the process.
    """
    worker = Worker(database, places, lease_s, evaluator)
    interrupted = False

    def stop(number: int, frame: object) -> None:
        nonlocal interrupted
        del number, frame
        interrupted = True
        worker.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        with alone_on(database):
            has_kept_its_runs = worker.serve(providers, is_done)
    except EvaluatorError:
        raise
    except Exception:  # noqa: BLE001 - a defect: it is shown, and the threads must not keep the process for it
        traceback.print_exc()
        _end(Exit.INCOMPLETE)
    if not has_kept_its_runs:
        say("its runs are given to others, since it was out of touch for too long; it begins anew")
        worker.wait_for_database()
    if interrupted:
        say("every reply that came is kept; go on with:")
        say_command(go_on)
        _end(Exit.INTERRUPTED)
    if not has_kept_its_runs:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, "-c", _AGAIN, *sys.argv[1:]])  # noqa: S606 - no shell


@contextmanager
def alone_on(database: CampaignDatabase) -> Iterator[None]:
    """Let one worker at a time use a database that is a file: its limits hold within one process alone.

    Raises ConfigurationError where another one uses it.
    """
    if is_shared(database.url):
        yield
        return
    path = Path(f"{sqlite_path(database.url)}.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            lock(descriptor, is_awaited=False)
        except BlockingIOError:
            what = "another evalcli does runs from it, and a file is for one at a time"
            hint = "wait for it, or use postgresql:// for several workers"
            raise ConfigurationError(what, where=database.where, hint=hint) from None
        yield
    finally:
        os.close(descriptor)


_AGAIN = f"import sys; sys.argv[0] = {PROGRAM!r}; from evalcli.main import main; main()"
"""What the process is begun anew as, wherever the command itself is installed."""


def _end(code: Exit) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
