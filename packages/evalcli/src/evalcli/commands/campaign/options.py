"""What the commands of campaigns have in common: the campaign, its database, and where files are."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from evalcli.campaigns.file import Campaign, read_campaign
from evalcli.exits import PROGRAM, refuse
from evalcli.leaderboards.places import RUNS_IN_LIBRARY
from evalcli.terminal.output import warn
from evalcore.errors import ConfigurationError
from evalcore.near_names import did_you_mean

if TYPE_CHECKING:
    from evalcli.campaigns.database import CampaignDatabase
    from evalcli.campaigns.plan import CampaignPlan

DATABASE_VARIABLE: Final = "EVALCLI_CAMPAIGN_DATABASE"
FILE_NAME: Final = "campaigns.sqlite"
EXTRA: Final = frozenset({"dbos", "sqlalchemy", "psycopg"})
"""Modules that the extra `campaign` brings."""

CAMPAIGN_FILE: Final = click.argument(
    "file", metavar="CAMPAIGN.yaml", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
CAMPAIGN: Final = click.argument("campaign", metavar="CAMPAIGN")
"""By its file, or by its name."""
DATABASE: Final = click.option(
    "--database",
    metavar="URL",
    envvar=DATABASE_VARIABLE,
    show_default=f".evaluator/runs/{FILE_NAME} in the library, or {DATABASE_VARIABLE}",
    help="Where the campaign is kept: postgresql://USER@HOST/NAME for workers on many hosts.",
)
MODELS: Final = click.option(
    "--models",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    show_default=".evaluator/models.yaml",
    help="The models.",
)
WORKER_RUNS_DIR: Final = click.option(
    "--runs-dir",
    type=click.Path(file_okay=False, path_type=Path),
    show_default=".evaluator/runs in the library",
    help="Where every reply is kept; a folder that all workers share lets them go on with each other's runs.",
)
LEASE: Final = click.option(
    "--lease",
    "lease_s",
    type=click.FloatRange(2, 3600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Without a sign of life for so long, this worker's runs are given to others.",
)


def open_database(
    url: str | None, prompt_library: Path, *, is_made: bool, is_awaited: bool = False
) -> CampaignDatabase:
    """Open the database that is named, or the library's own file, which `is_made` where it is not there.

    One that is named `is_awaited` for a while where it is not there.

    Raises UsageError where the extra is not installed, ConfigurationError where nothing was begun in the
    library, otherwise as CampaignDatabase.
    """
    try:
        # Of an extra, which no other command needs.
        from evalcli.campaigns.address import (  # noqa: PLC0415
            has_password,
            is_shared,
            sqlite_url,
            when_there,
        )
        from evalcli.campaigns.database import CampaignDatabase  # noqa: PLC0415
    except ModuleNotFoundError as error:
        # A module of our own that is missing is a defect, and no reason to install anything.
        if error.name is None or error.name.split(".")[0] not in EXTRA:
            raise
        refuse(f"campaigns need {error.name}, which is not installed", hint="install evalcli[campaign]")
    if url is None:
        file = prompt_library / RUNS_IN_LIBRARY / FILE_NAME
        if not (is_made or file.exists()):
            hint = "begin one with `evalcli campaign run`, or name its --database"
            raise ConfigurationError("no campaign was begun here", where=str(prompt_library), hint=hint)
        url = sqlite_url(file)
    source = click.get_current_context().get_parameter_source("database")
    if has_password(url) and source is click.core.ParameterSource.COMMANDLINE:
        warn(
            "a password on the command line can be read by everybody on this machine;"
            f" set {DATABASE_VARIABLE}, or PGPASSWORD"
        )
    if is_awaited and is_shared(url):
        return when_there(partial(CampaignDatabase, url))
    return CampaignDatabase(url)


def this_command(database: CampaignDatabase) -> str:
    """Return the command line as it may be shown: without the database's password."""
    shown = (argument.replace(database.url, database.where) for argument in sys.argv[1:])
    return shlex.join([PROGRAM, *shown])


def begun_campaign(database: CampaignDatabase, named: str) -> CampaignPlan:
    """Return the plan of a campaign that is named by its name or its file.

    Raises ConfigurationError where no such campaign was begun.
    """
    name = _name(named)
    plan = database.plan(name)
    if plan is None:
        names = database.names()
        hint = did_you_mean(name, names) or (f"there are {', '.join(names)}" if names else "begin one first")
        raise ConfigurationError(f"no campaign {name!r:.80} was begun", where=database.where, hint=hint)
    return plan


def _name(named: str) -> str:
    campaign: Campaign | None = read_campaign(Path(named)) if Path(named).is_file() else None
    return named if campaign is None else campaign.name
