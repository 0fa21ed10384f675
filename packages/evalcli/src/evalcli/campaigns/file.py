"""CAMPAIGN.yaml: which components, models and replicates, within which limits, by when, for how much."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from evalcore.decoding import convert_mostly
from evalcore.errors import ConfigurationError, Problems
from evalcore.formats.type_words import in_type_words
from evalcore.formats.yaml_tree import YamlNode, read_yaml
from evalcore.library.models import concurrency_by_default
from evalcore.near_names import did_you_mean
from evalcore.runs.files import read_regular
from evalcore.structs import Frozen, Strict

ALL: Final = "all"
MAX_BYTES: Final = 256 * 1024
DEFAULT_REPLICATES: Final = 10
DEFAULT_CALLS: Final = 16
"""Calls in flight for a provider, as `evalcli evaluate` has them."""
DEFAULT_RUNS: Final = 4
"""Runs at once that share them."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")

Task = Literal["evaluate", "rescore"]
"""Call models, or score the kept replies of earlier runs by the present rules and policies."""
RESCORE: Final = "rescore"
"""Where `limits` name it: the scoring of kept replies, which has no provider."""
Read = TypeVar("Read", bound=Strict)
_Count = Annotated[int, Meta(ge=1, le=1000)]
_Names = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(min_length=1)]


class ProviderLimits(Strict, frozen=True):
    """What holds for a provider over all workers, on whatever hosts they are."""

    calls: _Count = DEFAULT_CALLS
    """Calls in flight."""
    runs: _Count = DEFAULT_RUNS
    """Runs at once; each has an equal share of the calls."""
    runs_per_model: _Count | None = None
    """Runs of one model at once; None: as many as a model's default `concurrency` has room for."""
    runs_per_worker: _Count | None = None
    """Runs at once in one worker; None: all of them on one machine, one where workers share a database."""
    runs_per_hour: _Count | None = None
    """Runs that are begun within any hour; None for no limit."""

    @property
    def calls_of_a_run(self) -> int:
        """Calls in flight of one run: its share, so that all runs at once never exceed the limit."""
        return self.calls // self.runs

    def runs_of_a_model(self, provider: str) -> int:
        """Runs of one model at once, of a provider; they share the model's own `concurrency`.

        The same for all models of it, since they are shared out by one queue.
        """
        if provider == RESCORE:
            return self.runs
        fitting = concurrency_by_default(provider) // self.calls_of_a_run
        return min(self.runs, self.runs_per_model or max(1, fitting))


RESCORE_LIMITS: Final = ProviderLimits(calls=64, runs=64)
"""Nothing is called: as many at once as workers have cores for."""


class Campaign(Frozen, frozen=True):
    """What a campaign's file asks for."""

    name: str
    components: tuple[str, ...] | None
    """None: all that the prompt library has."""
    models: tuple[str, ...] | None
    """None: all of models.yaml."""
    task: Task
    replicates: int
    deadline: datetime | None
    budget_usd: float | None
    limits: Mapping[str, ProviderLimits]
    """By provider name; a provider that is not named has the defaults."""

    def limits_of(self, provider: str) -> ProviderLimits:
        """Return what holds for a provider."""
        return self.limits.get(provider, RESCORE_LIMITS if provider == RESCORE else ProviderLimits())


class _File(Strict, frozen=True):
    models: _Names | str
    name: str | None = None
    components: _Names | str = ALL
    task: Task = "evaluate"
    replicates: Annotated[int, Meta(ge=1, le=100)] = DEFAULT_REPLICATES
    deadline: str | None = None
    budget_usd: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    limits: dict[str, ProviderLimits] = msgspec.field(default_factory=dict)


def read_campaign(path: Path) -> Campaign:
    """Read a campaign's file; raises ConfigurationError that names the file and, where known, the line."""
    where = str(path)
    try:
        data = read_regular(path, MAX_BYTES)
        text = data.decode("utf-8-sig")
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise ConfigurationError(what, where=where, hint="name a campaign's file") from None
    except UnicodeDecodeError:
        raise ConfigurationError("is not UTF-8", where=where, hint="save it as UTF-8") from None
    return parse_campaign(text, where, path.stem)


def parse_campaign(text: str, where: str, default_name: str) -> Campaign:
    """Parse a campaign's file, named `default_name` where it gives itself none; raises as `read_campaign`."""
    root = read_yaml(text, where, ConfigurationError)
    if root is None or not isinstance(root.value, dict):
        hint = "write `models:`, and what else docs/campaigns.md has"
        line = 1 if root is None else root.line
        raise ConfigurationError("is no mapping of a campaign's settings", where=f"{where}:{line}", hint=hint)
    problems = Problems(ConfigurationError)
    limits: dict[str, ProviderLimits] = {}
    # Each provider by itself: of a mapping's values msgspec says `[...]`, whichever of them is meant.
    given = root.items().get("limits")
    for name, node in given.items().items() if given is not None else ():
        with problems:
            limits[name] = _limits(name, node, where, problems)
    campaign = None
    with problems:
        campaign = _campaign(root, where, default_name, problems)
    problems.end()
    if campaign is None:  # never: what kept it from being made is raised
        raise ConfigurationError("cannot be read", where=where, hint="see docs/campaigns.md")
    return replace(campaign, limits=limits)


def _campaign(
    root: YamlNode, where: str, default_name: str, problems: Problems[ConfigurationError]
) -> Campaign:
    file = _converted(root, _File, where, problems)
    if file.task == "rescore" and "replicates" in root.items():
        what = "`replicates` is of an evaluation: kept replies are as many as they are"
        problems.add([_at(_node(root, "replicates"), what, "leave it out", where)])
    name = file.name or default_name
    if not _NAME.fullmatch(name):
        what = f"{name!r:.80} is no name of a campaign"
        hint = "give it `name:`, of a-z, 0-9, `.`, `_` and `-`, 60 at most"
        problems.add([_at(_node(root, "name"), what, hint, where)])
    components = models = deadline = None
    with problems:
        components = _names(file.components, "components", root, where)
    with problems:
        models = _names(file.models, "models", root, where)
    with problems:
        deadline = None if file.deadline is None else _moment(file.deadline, root, where)
    return Campaign(
        name=name,
        components=components,
        models=models,
        task=file.task,
        replicates=file.replicates,
        deadline=deadline,
        budget_usd=file.budget_usd,
        limits={},
    )


def _names(value: Sequence[str] | str, key: str, root: YamlNode, where: str) -> tuple[str, ...] | None:
    if value == ALL:
        return None
    if isinstance(value, str):
        raise _at(_node(root, key), f"`{key}` is neither `all` nor a list", "write [ONE, TWO]", where)
    return tuple(dict.fromkeys(value))


def _moment(text: str, root: YamlNode, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    # Without an offset it would be another moment on each worker's machine.
    if moment is None or moment.tzinfo is None:
        hint = "write it as 2026-12-07T08:00:00+01:00"
        raise _at(_node(root, "deadline"), "`deadline` is no moment with an offset from UTC", hint, where)
    return moment


def _unknown(node: YamlNode, known: Sequence[str], where: str) -> Iterator[ConfigurationError]:
    for key, child in node.items().items():
        if key not in known:
            hint = did_you_mean(key, known) or f"use {', '.join(known)}"
            yield _at(child, f"the key `{key[:60]}` is unknown", hint, where)


def _limits(name: str, node: YamlNode, where: str, problems: Problems[ConfigurationError]) -> ProviderLimits:
    """Read a provider's limits; raises ConfigurationError for some that cannot be held."""
    limits = _converted(node, ProviderLimits, where, problems, f"limits.{name[:60]}")
    default, given = (RESCORE_LIMITS if name == RESCORE else ProviderLimits()), node.items()
    if "calls" not in given:
        limits = replace(limits, calls=max(default.calls, limits.runs if name == RESCORE else 0))
    if "runs" not in given:
        # Whoever allows two calls need not be told that four runs cannot share them.
        limits = replace(limits, runs=min(default.runs, limits.calls))
    if limits.calls < limits.runs:
        what = f"{limits.calls} calls of {name[:60]} cannot be shared by {limits.runs} runs"
        raise _at(node, what, "let `runs` be at most `calls`", where)
    return limits


def _converted(
    node: YamlNode, kind: type[Read], where: str, problems: Problems[ConfigurationError], place: str = ""
) -> Read:
    """Return what a mapping at `place` of the file says, without what is wrong in it, which is noted.

    Raises ConfigurationError where too little is left.
    """
    problems.add(_unknown(node, kind.__struct_fields__, where))
    known = {key: child.plain() for key, child in node.items().items() if key in kind.__struct_fields__}
    if "limits" in known and isinstance(known["limits"], dict):
        del known["limits"]  # read apart
    # YAML reads an unquoted moment as text here; a number stays one.
    found, value = convert_mostly(known if isinstance(node.value, dict) else node.plain(), kind)
    mistakes = [_mistake(node, text, where, place) for text in found]
    problems.add(mistakes)
    if value is None:
        raise mistakes[-1]
    return value


def _mistake(node: YamlNode, text: str, where: str, place: str) -> ConfigurationError:
    what, _, path = text.partition(" - at `$")
    path = path.strip(".`")
    key = re.match(r"[a-z_]+", path)
    named = ".".join(filter(None, (place, path)))
    what = in_type_words(what)
    what = f"{what[:1].lower()}{what[1:]}"
    found = node if key is None else _node(node, key[0])
    return _at(found, f"`{named}` is wrong: {what}" if named else what, "see docs/campaigns.md", where)


def _node(root: YamlNode, key: str) -> YamlNode:
    return root.items().get(key, root)


def _at(node: YamlNode, what: str, hint: str, where: str) -> ConfigurationError:
    return ConfigurationError(what, where=f"{where}:{node.line}", hint=hint)
