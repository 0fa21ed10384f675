"""docs/campaigns.md is true: it has the keys of a campaign, its files are read, its options exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from evalcli.campaigns import file as campaign_file
from evalcli.campaigns.file import Campaign, ProviderLimits, parse_campaign
from evalcli.commands.campaign import command as campaign_commands
from evalcli.main import cli

DOC = Path(__file__).parents[3] / "docs" / "campaigns.md"
TEXT = DOC.read_text("utf-8")
FILES = re.findall(r"```yaml\n# (\S+)\n(.*?)```", TEXT, re.DOTALL)
TABLE = TEXT.partition("| key of a campaign |")[2].partition("\n\n")[0]
KEYS = dict(re.findall(r"^\| `([\w.*]+)` \| ([^|]+?) \|", TABLE, re.MULTILINE))


def test_the_table_has_every_key_and_no_other() -> None:
    written = {*Campaign.__struct_fields__, *(f"limits.*.{key}" for key in ProviderLimits.__struct_fields__)}
    assert set(KEYS) == written


def test_the_defaults_are_those_of_a_file_that_says_nothing() -> None:
    campaign = parse_campaign("models: all", "x.yaml", "x")
    limits = campaign.limits_of("any")
    assert KEYS["replicates"] == str(campaign.replicates)
    assert KEYS["task"] == f"`{campaign.task}`"
    assert (KEYS["limits.*.calls"], KEYS["limits.*.runs"]) == (str(limits.calls), str(limits.runs))
    assert campaign.components is None
    assert KEYS["components"] == f"`{campaign_file.ALL}`"
    assert (campaign.deadline, campaign.budget_usd, limits.runs_per_hour) == (None, None, None)


@pytest.mark.parametrize(("name", "text"), FILES, ids=[name for name, _ in FILES])
def test_a_file_that_is_shown_is_one(name: str, text: str) -> None:
    campaign = parse_campaign(text, name, Path(name).stem)
    assert campaign.name == Path(name).stem


def test_files_are_shown() -> None:
    assert len(FILES) == 2


@pytest.mark.parametrize("line", re.findall(r"^\$ evalcli (campaign .*?)(?: +#.*)?$", TEXT, re.MULTILINE))
def test_a_command_that_is_shown_has_these_options(line: str) -> None:
    _, name, *rest = line.split()
    with click.Context(cli) as context:
        command = campaign_commands.get_command(context, name)
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= known
