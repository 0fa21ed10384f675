"""Where campaigns are kept: the extra that they need, and a database that cannot be used."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evalcli.campaigns.address import shown_url, sqlite_url
from evalcli.campaigns.database import CampaignDatabase
from evalcli.commands.campaign.options import this_command

Make = Callable[..., Any]
PASSWORD = "s3cret-canary-8f1d"
NEEDS_DATABASE = {
    "run": ["run", "{file}"],
    "worker": ["worker"],
    "status": ["status", "nightly"],
    "cancel": ["cancel", "nightly"],
    "publish": ["publish", "nightly", "--here"],
}


@pytest.fixture
def world(make_world: Make) -> Any:
    return make_world()


def line_of(world: Any, command: str) -> list[str]:
    return [word.format(file=world.file) for word in NEEDS_DATABASE[command]]


@pytest.mark.parametrize("missing", ["dbos", "sqlalchemy"])
def test_without_the_extra_one_line_names_it_and_a_plan_needs_it_not(world: Any, missing: str) -> None:
    lines = [["campaign", *line_of(world, command)] for command in NEEDS_DATABASE]
    lines.append(["campaign", "plan", str(world.file)])
    code = f"""\
import json, sys
sys.modules[{missing!r}] = None
from evalcli.exits import run
from evalcli.main import cli
codes = [int(run(cli, line)) for line in json.loads(sys.argv[1])]
print(codes, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(lines)],
        cwd=world.library,
        env=world.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    *said, codes = done.stderr.splitlines()
    assert codes == "[2, 2, 2, 2, 2, 0]", done.stderr
    assert said == [said[0]] * 5
    assert said[0].startswith(f"evalcli: campaigns need {missing}, which is not installed;")
    assert "evalcli[campaign]" in said[0]


@pytest.mark.parametrize("command", NEEDS_DATABASE)
@pytest.mark.parametrize("url", ["mysql://host/name", f"postgresql://u:{PASSWORD}@host:port/name"])
def test_what_is_no_address_of_a_database_is_one_line_and_exit_code_2(
    world: Any, command: str, url: str
) -> None:
    done = world.look(*line_of(world, command), EVALCLI_CAMPAIGN_DATABASE=url)
    assert (done.code, done.out) == (2, "")
    assert "is no address of a database; write it as postgresql://USER@HOST/NAME" in done.err.splitlines()[-1]
    assert PASSWORD not in done.err


def test_a_database_that_is_not_there_is_one_line_and_exit_code_2(world: Any) -> None:
    url = f"postgresql://u:{PASSWORD}@127.0.0.1:1/name"
    done = world.look("status", "nightly", "--database", url)
    assert (done.code, done.out) == (2, "")
    warning, line = done.err.splitlines()
    assert "a password on the command line can be read by everybody on this machine" in warning
    assert line.startswith("evalcli: postgresql://u:***@127.0.0.1:1/name: the database cannot be used (")
    assert PASSWORD not in done.err
    # From the environment nobody reads it.
    assert len(world.look("status", "nightly", EVALCLI_CAMPAIGN_DATABASE=url).err.splitlines()) == 1


def test_the_command_that_goes_on_is_shown_without_the_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"postgresql://u:{PASSWORD}@host/name"
    with closing(CampaignDatabase(sqlite_url(tmp_path / "campaigns.sqlite"))) as database:
        database.url, database.where = url, shown_url(url)
        for option in (["--database", url], [f"--database={url}"]):
            monkeypatch.setattr(sys, "argv", ["evalcli", "campaign", "run", "one file.yaml", *option])
            line = this_command(database)
            assert line.startswith("evalcli campaign run 'one file.yaml' ")
            assert "u:***@host/name" in line
            assert PASSWORD not in line


def test_nothing_but_a_campaign_makes_the_librarys_database(world: Any) -> None:
    for command in ("status", "cancel"):
        done = world.look(*line_of(world, command))
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert "no campaign was begun here" in done.err
    assert not world.runs_dir.exists()
