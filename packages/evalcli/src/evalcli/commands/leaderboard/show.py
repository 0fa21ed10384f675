"""`evalcli leaderboard show`: how the models stand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from evalcli.commands.arguments import DATA_SETS_WITH_POLICY, PROMPT_LIBRARY, SELECTOR
from evalcli.exits import Exit
from evalcli.leaderboards.cache import ranking_cache
from evalcli.leaderboards.files import leaderboards_named, read_leaderboard
from evalcli.leaderboards.present_policy import PolicyHash, current_policy_sha256
from evalcli.leaderboards.selectors import records_of_version, split_version
from evalcli.reports.ranking import heading, notes, present_first, ranking_table
from evalcli.reports.ranking_export import rankings_csv, rankings_markdown
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import print_bytes, print_line, warn
from evalcli.terminal.tables import print_lines, print_table
from evalcli.terminal.text import line
from evalcore.formats.counts import counted
from evalcore.formats.strict_json import encode_canonical
from evalcore.reports.ranking import Ranking, ranking_object, rankings
from evalcore.runs.leaderboard import Leaderboard, known_records
from evalcore.structs import JsonObject, JsonValue


@click.command(name="show")
@click.argument(
    "source",
    metavar="[SKILL[@VERSION]|FILE]",
    required=False,
    type=SELECTOR,
    shell_complete=completed_by("components"),
)
@PROMPT_LIBRARY
@DATA_SETS_WITH_POLICY
@click.option("--all", "every_run", is_flag=True, help="Each run too, of those that count together.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "markdown"]),
    default="table",
    show_default=True,
    help="How to write the rankings.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(
    source: str | None,
    prompt_library: Path,
    data_sets: Path | None,
    form: str,
    *,
    every_run: bool,
    as_json: bool,
) -> int:
    """Show how the models stand, the newest version of the component first.

    All complete runs of a model that were asked and scored alike count together. A rank is a range, `1–2`
    where the replies do not show which of two is better; with 95 % chance no rank is wrong. Partial runs
    are shown, never ranked. Intervals are for these cases and endless replicates of them, if nothing drifts
    while a run is under way. Of one version, rankings by the component's present policy stand first. Without
    SKILL or FILE: every leaderboard of the prompt library.
    """
    wanted, version = split_version(source)
    leaderboards = [read_leaderboard(path) for path in leaderboards_named(wanted, prompt_library)]
    with ranking_cache() as cache:
        ranked = [(each, rankings(records_of_version(each, version), cache)) for each in leaderboards]
    if as_json or form == "json":
        written: list[JsonValue] = [_object(each.component, found) for each, found in ranked]
        print_bytes(encode_canonical(written if source is None else written[0]))
        return Exit.DONE
    if form == "csv":
        named = [(each.component, found) for each, found in ranked]
        print_bytes(rankings_csv(named, every_run=every_run).encode())
        return Exit.DONE
    for leaderboard, found in ranked:
        present = current_policy_sha256(prompt_library, data_sets, leaderboard.component)
        ordered = present_first(found, present)
        if form == "markdown":
            text = rankings_markdown(leaderboard.component, ordered, present, every_run=every_run)
            print_bytes(f"{text}\n".encode())
        else:
            _show_one(leaderboard, ordered, present, every_run=every_run)
    return Exit.DONE


def _object(component: str, found: Sequence[Ranking]) -> JsonObject:
    return {"component": component, "rankings": [ranking_object(ranking) for ranking in found]}


def _show_one(
    leaderboard: Leaderboard, found: Sequence[Ranking], present: PolicyHash | None, *, every_run: bool
) -> None:
    for ranking in found:
        title = heading(leaderboard.component, ranking, found, present)
        print_table(ranking_table(ranking, title, every_run=every_run))
        print_lines(line(note) for note in notes(leaderboard.component, ranking, found))
        print_line("")
    unknown = len(leaderboard.runs) - len(known_records(leaderboard))
    if unknown:
        which = counted(unknown, "run of another evaluator is", "runs of another evaluator are")
        warn(f"{leaderboard.component}: {which} not shown")
