"""CAMPAIGN.yaml: what it may say, and that each mistake is one line that names the file and the line."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evalcli.campaigns.file import Campaign, ProviderLimits, parse_campaign, read_campaign
from evalcore.errors import ConfigurationError


def parse(text: str) -> Campaign:
    return parse_campaign(text, "nightly.yaml", "nightly")


def test_the_models_suffice_and_the_rest_has_defaults() -> None:
    campaign = parse("models: all\n")
    assert (campaign.name, campaign.components, campaign.models) == ("nightly", None, None)
    assert (campaign.task, campaign.replicates, campaign.deadline) == ("evaluate", 10, None)
    assert campaign.budget_usd is None
    assert campaign.limits_of("mindrouter") == ProviderLimits(calls=16, runs=4)


def test_everything_that_a_file_may_say_is_read() -> None:
    campaign = parse("""\
name: three-new-models
components: [memo, budget, memo]
models: [alpha, beta]
replicates: 20
deadline: 2026-12-07T08:00:00+01:00
budget_usd: 12.5
limits:
  mindrouter: {calls: 12, runs: 3, runs_per_model: 2, runs_per_worker: 2, runs_per_hour: 60}
""")
    assert campaign.name == "three-new-models"
    assert (campaign.components, campaign.models) == (("memo", "budget"), ("alpha", "beta"))
    assert (campaign.replicates, campaign.budget_usd) == (20, 12.5)
    assert campaign.deadline == datetime(2026, 12, 7, 7, tzinfo=UTC)
    limits = campaign.limits_of("mindrouter")
    assert limits == ProviderLimits(calls=12, runs=3, runs_per_model=2, runs_per_worker=2, runs_per_hour=60)
    assert limits.calls_of_a_run == 4
    assert campaign.limits_of("openai") == ProviderLimits()


@pytest.mark.parametrize(
    ("limits", "provider", "runs"),
    [
        # A model of MindRouter has four calls by default, one of another provider eight.
        (ProviderLimits(), "mindrouter", 1),
        (ProviderLimits(), "openai", 2),
        (ProviderLimits(calls=4, runs=2), "mindrouter", 2),
        (ProviderLimits(calls=2, runs=2), "openai", 2),
        (ProviderLimits(calls=64, runs=2), "mindrouter", 1),
        (ProviderLimits(runs_per_model=3), "mindrouter", 3),
        (ProviderLimits(runs_per_model=30), "mindrouter", 4),
        (ProviderLimits(calls=64, runs=64), "rescore", 64),
    ],
)
def test_a_model_has_as_many_runs_at_once_as_its_calls_allow(
    limits: ProviderLimits, provider: str, runs: int
) -> None:
    assert limits.runs_of_a_model(provider) == runs


def test_kept_replies_are_scored_again_as_many_as_there_are() -> None:
    assert parse("models: all\ntask: rescore\n").task == "rescore"
    with pytest.raises(ConfigurationError, match=r"^nightly\.yaml:3: `replicates` is of an evaluation"):
        parse("models: all\ntask: rescore\nreplicates: 3\n")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "is no mapping"),
        ("# nothing\n", 1, "is no mapping"),
        ("\n- models\n", 2, "is no mapping"),
        ("models: [a\n", 2, "is not YAML"),
        ("models: all\nmodels: all\n", 2, "the key `models` stands twice"),
        ("components: all\n", 1, "`models`"),
        ("models: all\n\nmodells: all\n", 3, "the key `modells` is unknown; did you mean `models`?"),
        ("models: every\n", 1, "`models` is neither `all` nor a list"),
        ("models: []\n", 1, "`models` is wrong"),
        ("models: [3]\n", 1, "`models[0]` is wrong"),
        ("models: ['']\n", 1, "`models[0]` is wrong"),
        ("models: all\ncomponents:\n", 2, "`components` is wrong"),
        ("models: all\ncomponents: memo\n", 2, "`components` is neither `all` nor a list"),
        ("models: all\nreplicates: 0\n", 2, "`replicates` is wrong"),
        ("models: all\nreplicates: 101\n", 2, "`replicates` is wrong"),
        ("models: all\nreplicates: many\n", 2, "`replicates` is wrong"),
        ("models: all\nreplicates: 2.5\n", 2, "`replicates` is wrong"),
        ("models: all\ntask: publish\n", 2, "`task` is wrong"),
        ("models: all\nbudget_usd: 0\n", 2, "`budget_usd` is wrong"),
        ("models: all\nbudget_usd: .nan\n", 2, "`budget_usd` is wrong"),
        ("models: all\nbudget_usd: .inf\n", 2, "`budget_usd` is wrong"),
        ("models: all\ndeadline: Monday\n", 2, "`deadline` is no moment"),
        ("models: all\ndeadline: 2026-12-07T08:00:00\n", 2, "`deadline` is no moment"),
        ("models: all\ndeadline: 20261207\n", 2, "`deadline` is wrong"),
        ("name: The Campaign\nmodels: all\n", 1, "'The Campaign' is no name"),
        ("name: a/b\nmodels: all\n", 1, "'a/b' is no name"),
        ("models: all\nlimits: 3\n", 2, "`limits` is wrong"),
        ("models: all\nlimits:\n  lab: 3\n", 3, "`limits.lab` is wrong"),
        ("models: all\nlimits:\n  lab:\n    calls: 0\n", 4, "`limits.lab.calls` is wrong"),
        ("models: all\nlimits:\n  a: {}\n  lab: {calls: 1001}\n", 4, "`limits.lab.calls` is wrong"),
        ("models: all\nlimits:\n  lab: {call: 3}\n", 3, "the key `call` is unknown; did you mean `calls`?"),
        ("models: all\nlimits:\n  a: {}\n  lab: {calls: 2, runs: 3}\n", 4, "2 calls of lab cannot be shared"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file_and_the_line(text: str, line: int, what: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse(text)
    assert raised.value.line.startswith(f"nightly.yaml:{line}: ")
    assert what in raised.value.line
    assert "\n" not in raised.value.line


@pytest.mark.parametrize(
    ("limits", "calls", "runs"),
    [
        ("lab: {calls: 2}", 2, 2),
        ("lab: {calls: 9}", 9, 4),
        ("lab: {runs: 3}", 16, 3),
        ("rescore: {runs_per_worker: 2}", 64, 64),
        ("rescore: {runs: 100}", 100, 100),
    ],
)
def test_what_is_not_said_of_a_provider_suits_what_is(limits: str, calls: int, runs: int) -> None:
    name = limits.partition(":")[0]
    found = parse(f"models: all\nlimits:\n  {limits}\n").limits_of(name)
    assert (found.calls, found.runs) == (calls, runs)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent.yaml"
    with pytest.raises(ConfigurationError, match="cannot be read") as raised:
        read_campaign(absent)
    assert raised.value.where == str(absent)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_campaign(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"models: all # \xe9\n")
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        read_campaign(tmp_path / "latin.yaml")


def test_a_campaign_is_named_after_its_file_where_it_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "weekend.yaml"
    path.write_bytes(b"\xef\xbb\xbfmodels: all\n")
    assert read_campaign(path).name == "weekend"
    path.rename(tmp_path / "Two words.yaml")
    with pytest.raises(ConfigurationError, match="'Two words' is no name of a campaign; give it `name:`"):
        read_campaign(tmp_path / "Two words.yaml")


def read_or_refused(read: Callable[[], Campaign]) -> Campaign | ConfigurationError:
    try:
        return read()
    except ConfigurationError as error:
        return error


KEYS = ["models", "components", "name", "task", "replicates", "deadline", "budget_usd", "limits", "calls"]
VALUES = ["all", "[a]", "[a, ~]", "{lab: {calls: 2}}", "{lab: }", "{3: {}}", "~", "3", "-1", "1e999", ".nan",
          "0x10", "2026-12-07", "2026-12-07T08:00:00Z", "0001-01-01T00:00:00+14:00", '"\\ud800"', "&a [*a]",
          "!!int x", "!!binary x", "{? [a] : b}", "rescore", "'\\0'", "<<", "{<<: {calls: 1}}"]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)), unique_by=lambda pair: pair[0]))
@example([("models", "all"), ("limits", '{"\\ud800": {}}')])
@example([("models", '["\\ud800"]')])
def test_what_is_read_can_be_stored_and_what_is_not_is_a_mistake_of_this_file(
    entries: list[tuple[str, str]],
) -> None:
    read = read_or_refused(lambda: parse("".join(f"{key}: {value}\n" for key, value in entries)))
    if isinstance(read, ConfigurationError):
        assert read.line.startswith("nightly.yaml:")
        assert "\n" not in read.line
    else:
        assert msgspec.json.decode(msgspec.json.encode(read), type=Campaign) == read


@given(
    st.binary(max_size=200)
    | st.text(alphabet="models:[]{}- \n'\"&*!#|>all0.,\t", max_size=80).map(str.encode)
)
def test_no_bytes_are_more_than_a_mistake(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.yaml"
        path.write_bytes(data)
        read = read_or_refused(lambda: read_campaign(path))
    assert isinstance(read, Campaign) or read.line.startswith(str(path))


def test_all_that_is_wrong_is_named_at_once() -> None:
    text = """\
modells: all
models: every
replicates: 0
deadline: 2026-12-07T08:00:00
name: A name
limits:
  mindrouter: {calls: 2, runs: 4}
  openai: {calls: many, run: 1}
"""
    with pytest.raises(ConfigurationError) as error:
        parse(text)
    told = [line.removeprefix("nightly.yaml:").partition(";")[0] for line in error.value.lines]
    assert told == [
        "1: the key `modells` is unknown",
        "2: `models` is neither `all` nor a list",
        "3: `replicates` is wrong: it should be a whole number of at least 1",
        "4: `deadline` is no moment with an offset from UTC",
        "5: 'A name' is no name of a campaign",
        "7: 2 calls of mindrouter cannot be shared by 4 runs",
        "8: the key `run` is unknown",
        "8: `limits.openai.calls` is wrong: it should be a whole number, and is text",
    ]
