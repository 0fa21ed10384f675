"""What `list` and `runs` show: components, and the runs whose replies are stored."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evalcli.terminal.text import Table, figure
from evalcore.structs import Frozen, JsonValue


class ListedComponent(Frozen, frozen=True):
    """A component, with what was evaluated of it."""

    component: str
    version: str | None
    """None where the component cannot be read."""
    cases: int
    """Those that can be used."""
    skipped_cases: int
    evaluated_version: str | None
    """The newest that has a complete run."""
    models: tuple[str, ...]
    """That have a complete run of it."""
    problem: str | None


class ListedRun(Frozen, frozen=True):
    """A run whose replies are stored."""

    run_id: str
    time: str | None
    """When it began; None where it has no record, and its id does not tell."""
    component: str
    component_version: str
    model: str
    status: str
    """complete, partial, unfinished, or unreadable."""
    accuracy: float | None
    """By its newest scoring by the component's present policy, else by its own."""
    scoring_version: int | None
    """Of that scoring, as the policy is; None where there is none."""
    policy_sha256: str | None
    is_present_policy: bool | None
    """Whether that is the policy that its component has now; None where either is not known."""
    folder: str


def components_table(components: Sequence[ListedComponent]) -> Table:
    """Lay components out; problems have a column where there are any."""
    headings: tuple[str, ...] = ("component", "version", "cases", "evaluated", "models")
    rows: list[tuple[str, ...]] = [
        (
            item.component,
            item.version or "-",
            f"{item.cases} of {item.cases + item.skipped_cases}" if item.skipped_cases else str(item.cases),
            item.evaluated_version or "-",
            str(len(item.models)) if item.models else "-",
        )
        for item in components
    ]
    if any(item.problem for item in components):
        headings = (*headings, "problem")
        rows = [(*row, item.problem or "") for row, item in zip(rows, components, strict=True)]
    return Table(headings=headings, rows=tuple(rows), numeric=frozenset({"cases", "models"}))


def components_object(components: Sequence[ListedComponent]) -> JsonValue:
    """Write components for `--json`."""
    written: JsonValue = msgspec.to_builtins(list(components))
    return written


def runs_table(runs: Sequence[ListedRun], beginning: int) -> Table:
    """Lay runs out, in the order in which they are given.

    So many characters of an id are its beginning that names the run alone, here and to other commands.
    """
    headings: tuple[str, ...] = (
        "run", "time", "component", "version", "model", "accuracy", "policy", "status", "folder",
    )  # fmt: skip
    rows = tuple(_run_row(run) for run in runs)
    if not any(run.is_present_policy is False for run in runs):
        # Where every figure is by the present policy the column says nothing.
        at = headings.index("policy")
        headings, rows = _without(headings, at), tuple(_without(row, at) for row in rows)
    return Table(
        headings=headings,
        rows=rows,
        numeric=frozenset({"accuracy"}),
        # The folder's name is the id again, and ids stand in the order of time.
        spare=("folder", "time", "version"),
        spare_in_blocks=frozenset({"folder"}),
        enough=(("run", beginning), ("time", len("2026-01-31T23:59"))),
    )


def _run_row(run: ListedRun) -> tuple[str, ...]:
    policy = {True: "present", False: "earlier", None: "-"}[run.is_present_policy]
    return (
        run.run_id,
        run.time or "-",
        run.component,
        run.component_version,
        run.model,
        figure(run.accuracy),
        policy,
        run.status,
        run.folder,
    )


def _without(cells: tuple[str, ...], at: int) -> tuple[str, ...]:
    return (*cells[:at], *cells[at + 1 :])


def runs_object(runs: Sequence[ListedRun]) -> JsonValue:
    """Write runs for `--json`."""
    written: JsonValue = msgspec.to_builtins(list(runs))
    return written
