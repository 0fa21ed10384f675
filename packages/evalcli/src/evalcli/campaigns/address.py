"""Addresses of the campaigns' databases: which there are, how one is shown, and how it is reached."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import sqlalchemy as sa
from dbos import error as dbos_errors

from evalcli.terminal.output import note, say
from evalcore.errors import ConfigurationError, EvaluatorError
from evalcore.formats.durations import duration_text

PATIENCE_S: Final = 600.0
"""Seconds that a worker waits at its beginning for a database that is not there."""
BETWEEN_S: Final = 2.0
"""Seconds between two looks then."""
CONNECT_S: Final = 5
"""Seconds after which a database that does not answer is taken for gone."""
_CONNECT_LIMITS: Final = {"connect_timeout": str(CONNECT_S), "tcp_user_timeout": str(CONNECT_S * 1000)}
"""Those of libpq, in seconds and in milliseconds."""
_PASSWORDS: Final = frozenset({"password", "sslpassword"})
"""What libpq takes as passwords among an address's settings."""
SQLITE: Final = "sqlite:///"
Opened = TypeVar("Opened")


class DatabaseGone(EvaluatorError):
    """The database of the campaigns cannot be reached."""

    code = "database_gone"
    retryable = True


def sqlite_url(path: Path) -> str:
    """Return the address of a database that is a file."""
    return f"{SQLITE}{path.resolve()}"


def sqlite_path(url: str) -> Path:
    """Return the file that an address of `sqlite_url` names."""
    return Path(url.removeprefix(SQLITE))


def is_shared(url: str) -> bool:
    """Whether workers on several hosts can use a database."""
    return not url.startswith(SQLITE)


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


def when_there(opened: Callable[[], Opened]) -> Opened:
    """Return what opens a database, as soon as that is there; raises DatabaseGone after PATIENCE_S."""
    began, is_said = time.monotonic(), False
    while True:
        try:
            found = opened()
        except DatabaseGone as error:
            if time.monotonic() - began + BETWEEN_S > PATIENCE_S:
                raise
            if not is_said:
                # At once: the address may be wrong, which no waiting mends.
                waits = f"it is waited for, {duration_text(PATIENCE_S)} at most"
                say(f"{error.where}: {error.what}; {waits}")
                is_said = True
            time.sleep(BETWEEN_S)
        else:
            if is_said:
                note("the database is there")
            return found


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


def engine_of(url: str) -> sa.Engine:
    """Return what speaks to a database; raises ArgumentError of SQLAlchemy for an address of none."""
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


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    text = str(cause).strip().splitlines()
    return text[0][:200] if text else type(cause).__name__
