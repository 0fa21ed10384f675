"""Which providers a worker can do runs for, and that a database that is a file has one worker at a time."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from evalcli.campaigns.address import sqlite_url
from evalcli.campaigns.assignment import Places
from evalcli.campaigns.database import CampaignDatabase
from evalcli.campaigns.file import RESCORE
from evalcli.campaigns.work import alone_on, within_reach
from evalcli.leaderboards.places import Sources
from evalcore.errors import ConfigurationError

MODELS = """\
providers:
  lab: {api: openai, base_url: "http://127.0.0.1:1"}
  other: {api: openai, base_url: "http://127.0.0.1:2", api_key_env: OTHER_API_KEY}
models:
  - {id: alpha, provider: mindrouter}
  - {id: beta, provider: lab}
  - {id: gamma, provider: lab}
"""
REACHED = {"MINDROUTER_BASE_URL": "http://127.0.0.1:3", "MINDROUTER_API_KEY": "key"}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / ".evaluator").mkdir()
    (tmp_path / ".evaluator" / "models.yaml").write_text(MODELS)
    return Places(Sources(tmp_path, None, None), tmp_path / "runs")


def test_of_all_those_whose_models_are_listed_and_whose_key_is_here_and_kept_replies(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    assert within_reach(places, REACHED, None) == ("lab", "mindrouter", RESCORE)
    assert capsys.readouterr().err == ""
    assert within_reach(places, {}, None) == ("lab", RESCORE)
    said = capsys.readouterr().err
    assert "runs of mindrouter are left to other workers: MINDROUTER_BASE_URL and MINDROUTER_API_KEY" in said
    assert "lab" not in said


def test_of_those_that_a_campaign_needs_each_that_is_out_of_reach_is_named_with_the_reason(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the order in which they are asked for; one whose models are not listed here may be a campaign's."""
    wanted = (RESCORE, "other", "elsewhere", "lab")
    assert within_reach(places, REACHED, wanted) == (RESCORE, "lab")
    first, second = capsys.readouterr().err.splitlines()
    assert "runs of other are left to other workers: OTHER_API_KEY" in first
    assert "runs of elsewhere are left to other workers: models.yaml here does not define it" in second


def test_models_that_are_named_count_instead_of_the_librarys(places: Places, tmp_path: Path) -> None:
    named = tmp_path / "models.yaml"
    named.write_text("models: [{id: delta, provider: mindrouter}]\n")
    elsewhere = Places(Sources(tmp_path, None, named), places.runs_dir)
    assert within_reach(elsewhere, REACHED, None) == ("mindrouter", RESCORE)


@pytest.fixture
def databases(tmp_path: Path) -> tuple[CampaignDatabase, CampaignDatabase]:
    """One database, opened twice."""
    url = sqlite_url(tmp_path / "campaigns.sqlite")
    with closing(CampaignDatabase(url)) as one, closing(CampaignDatabase(url)) as other:
        yield one, other


def test_a_database_that_is_a_file_is_for_one_worker_at_a_time(
    databases: tuple[CampaignDatabase, CampaignDatabase],
) -> None:
    one, other = databases
    refused = pytest.raises(ConfigurationError, match="another evalcli does runs from it")
    with alone_on(one), refused, alone_on(other):
        pass
    with alone_on(other):
        pass


def test_what_fails_while_it_is_used_is_not_taken_for_another_worker(
    databases: tuple[CampaignDatabase, CampaignDatabase],
) -> None:
    with pytest.raises(BlockingIOError, match="a pipe is full"), alone_on(databases[0]):
        raise BlockingIOError("a pipe is full")
