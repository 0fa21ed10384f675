"""`evalcli leaderboard`: show, merge, resolve, validate, rescore, the schema, and git's merge driver."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import reduce
from itertools import islice
from pathlib import Path

import click
import jsonschema_rs

from evalcli.commands.arguments import FOLDER, LIBRARY, SELECTOR
from evalcli.exits import Exit, refuse
from evalcli.leaderboards.cache import ranking_cache
from evalcli.leaderboards.conflicts import (
    CONFIG_LINE,
    install_attributes,
    merge_for_git,
    resolve_conflict,
)
from evalcli.leaderboards.files import add_to_leaderboard, leaderboard_path, read_bytes, read_leaderboard
from evalcli.leaderboards.places import RUNS_IN_LIBRARY, data_sets_beside
from evalcli.leaderboards.policies import current_policy, rescore_to_policy
from evalcli.leaderboards.rescoring import RescoredRuns, published_scorings, rescore_older
from evalcli.reports.ranking import heading, notes, ranking_table
from evalcli.reports.ranking_export import rankings_csv, rankings_markdown
from evalcli.reports.rescoring import sentence
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import print_bytes, print_line, say, warn
from evalcli.terminal.rich_output import print_lines, print_table
from evalcli.terminal.text import line, shown
from evalcore.errors import LeaderboardError
from evalcore.formats.strict_json import encode_canonical
from evalcore.library.checkout import FolderCheckout
from evalcore.reports.ranking import Ranking, ranking_object, rankings
from evalcore.runs.files import turn_at, write_atomically
from evalcore.runs.leaderboard import (
    Leaderboard,
    encode_leaderboard,
    known_records,
    leaderboard_schema,
    merge_leaderboards,
    parse_leaderboard,
)
from evalcore.runs.rescoring import first_run_id
from evalcore.structs import JsonObject, JsonValue
from evalcore.version import SCORING_VERSION

MAX_PROBLEMS = 20
FILE = click.Path(path_type=Path)
LIBRARY_OPTION = click.option(
    "--prompt-library", type=LIBRARY, default=Path(), help="The prompt library; default: here."
)


@click.group(name="leaderboard")
def command() -> None:
    """Show, merge, resolve, validate and rescore leaderboards."""


@command.command()
@click.argument(
    "source", metavar="[SKILL|FILE]", required=False, type=SELECTOR, shell_complete=completed_by("components")
)
@LIBRARY_OPTION
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
def show(source: str | None, prompt_library: Path, form: str, *, every_run: bool, as_json: bool) -> int:
    """Show how the models stand, the newest version of the component first.

    All complete runs of a model that were asked and scored alike count together. A rank is a range, `1–2`
    where the replies do not show which of two is better; with 95 % chance no rank is wrong. Partial runs
    are shown, never ranked. Intervals are for these cases and endless replicates of them, if nothing drifts
    while a run is under way. Without SKILL or FILE: every leaderboard of the prompt library.
    """
    leaderboards = [read_leaderboard(path) for path in _paths(source, prompt_library)]
    with ranking_cache() as cache:
        ranked = [(each, rankings(known_records(each), cache)) for each in leaderboards]
    if as_json or form == "json":
        written: list[JsonValue] = [_object(each.component, found) for each, found in ranked]
        print_bytes(encode_canonical(written if source is None else written[0]))
        return Exit.DONE
    if form == "csv":
        named = [(each.component, found) for each, found in ranked]
        print_bytes(rankings_csv(named, every_run=every_run).encode())
        return Exit.DONE
    for leaderboard, found in ranked:
        if form == "markdown":
            text = rankings_markdown(leaderboard.component, found, every_run=every_run)
            print_bytes(f"{text}\n".encode())
        else:
            _show_one(leaderboard, found, every_run=every_run)
    return Exit.DONE


@command.command()
@click.argument("files", metavar="FILE FILE...", nargs=-1, required=True, type=FILE)
@click.option("--out", type=FILE, help="Where to write; default: standard output.")
def merge(files: tuple[Path, ...], out: Path | None) -> int:
    """Unite leaderboards of one component, by run id.

    The order of the files never matters, and merging twice changes nothing.
    """
    if out is None:
        print_bytes(_merged(files))
        return Exit.DONE
    with turn_at(out.parent):  # OUT may be one of FILES, and an evaluation about to add to it
        data = _merged(files)
        if out.exists():
            read_leaderboard(out)  # what is not valid is never overwritten
        write_atomically(out, data)
    return Exit.DONE


@command.command()
@click.argument("source", metavar="SKILL|FILE", type=SELECTOR, shell_complete=completed_by("components"))
@LIBRARY_OPTION
def resolve(source: str, prompt_library: Path) -> int:
    """Resolve a leaderboard that a merge, rebase or cherry-pick left in conflict.

    Both sides are united by run id, and the file is added to git's index; go on with `git merge
    --continue`, or as git said.
    """
    path = _path(source, prompt_library)
    resolved = resolve_conflict(path)
    if resolved is None:
        found = read_leaderboard(path)
        print_line(f"{path}: it is in no conflict, {len(found.runs)} run(s) of {found.component}")
    else:
        print_line(f"{path}: resolved, {len(resolved.runs)} run(s) of {resolved.component}")
    return Exit.DONE


@command.command(name="merge-driver")
@click.argument("versions", metavar="[BASE OURS THEIRS PATH]", nargs=-1, type=FILE)
@click.option("--install", "is_installed", is_flag=True, help="Name the driver in .gitattributes.")
@LIBRARY_OPTION
def merge_driver(versions: tuple[Path, ...], prompt_library: Path, *, is_installed: bool) -> int:
    """Merge leaderboards for git, so that none is ever in conflict.

    git calls it with %O %A %B %P. --install writes the line of .gitattributes, which is to be committed,
    and prints the one command that each clone needs besides, since git runs nothing that a commit names.
    """
    if is_installed:
        is_new = install_attributes(prompt_library)
        say(f".gitattributes {'names' if is_new else 'named'} the merge driver; in each clone, run:")
        print_line(CONFIG_LINE)
        return Exit.DONE
    if len(versions) != len(("base", "ours", "theirs", "path")):
        refuse("a merge driver is called with BASE OURS THEIRS PATH", hint="--install sets it up for git")
    _, ours, theirs, path = versions
    merge_for_git(ours, theirs, str(path))
    return Exit.DONE


@command.command()
@click.argument(
    "sources", metavar="SKILL|FILE...", nargs=-1, required=True, shell_complete=completed_by("components")
)
@click.option("--prompt-library", type=FILE, default=Path(), help="The prompt library; default: here.")
def validate(sources: tuple[str, ...], prompt_library: Path) -> int:
    """Say what is wrong with leaderboards, and where; exit code 2 if anything is."""
    validator = jsonschema_rs.validator_for(leaderboard_schema())
    is_valid = [_validate_one(_path(source, prompt_library), validator) for source in sources]
    return Exit.DONE if all(is_valid) else Exit.UNUSABLE


@command.command()
def schema() -> int:
    """Print the JSON Schema of leaderboard.json."""
    print_bytes(encode_canonical(leaderboard_schema()))
    return Exit.DONE


@command.command()
@click.argument("source", metavar="SKILL|FILE", type=SELECTOR, shell_complete=completed_by("components"))
@LIBRARY_OPTION
@click.option(
    "--runs-dir",
    type=FOLDER,
    help="Where the runs' replies are kept; default: .evaluator/runs in the library.",
)
@click.option(
    "--policy",
    type=click.Choice(["current"]),
    help="Score by the policy that the component has now, every run that has no record by it.",
)
@click.option(
    "--data-sets",
    type=FOLDER,
    help="The evaluation data sets, for --policy; default: ../evaluation-data-sets, beside the library.",
)
def rescore(
    source: str,
    prompt_library: Path,
    runs_dir: Path | None,
    policy: str | None,
    data_sets: Path | None,
) -> int:
    """Bring a component's leaderboard to the present scoring version, or to its present policy.

    Every run of an older one whose replies are in RUNS_DIR is scored again, and its new record is added
    beside the old one. Exit code 1 where some runs' replies are not at hand.
    """
    path, runs = _path(source, prompt_library), runs_dir or prompt_library / RUNS_IN_LIBRARY
    leaderboard = read_leaderboard(path)
    records = known_records(leaderboard)
    if policy is None:
        done = rescore_older(records, runs)
        return _rescored(path, leaderboard, done, runs, f"at scoring version {SCORING_VERSION}")
    beside = data_sets or data_sets_beside(prompt_library)
    checkout = FolderCheckout(beside) if beside is not None else None
    now = current_policy(FolderCheckout(prompt_library), checkout, leaderboard.component)
    done = rescore_to_policy(records, runs, now)
    return _rescored(path, leaderboard, done, runs, "by the present policy")


def _merged(files: tuple[Path, ...]) -> bytes:
    return encode_leaderboard(reduce(merge_leaderboards, [read_leaderboard(path) for path in files]))


def _paths(source: str | None, prompt_library: Path) -> list[Path]:
    if source is None:
        found = sorted(prompt_library.glob("components/*/leaderboard.json"))
        if not found:
            raise LeaderboardError(
                "there is no leaderboard",
                where=str(prompt_library / "components"),
                hint="name a file, or a prompt library with --prompt-library",
            )
        return found
    return [_path(source, prompt_library)]


def _path(source: str, prompt_library: Path) -> Path:
    path = Path(source)
    is_file = path.suffix == ".json" or len(path.parts) > 1 or path.is_file()
    return path if is_file else leaderboard_path(prompt_library, source)


def _object(component: str, found: Sequence[Ranking]) -> JsonObject:
    return {"component": component, "rankings": [ranking_object(ranking) for ranking in found]}


def _show_one(leaderboard: Leaderboard, found: Sequence[Ranking], *, every_run: bool) -> None:
    for ranking in found:
        title = heading(leaderboard.component, ranking)
        print_table(ranking_table(ranking, title, every_run=every_run))
        print_lines(line(note) for note in notes(leaderboard.component, ranking))
        print_line("")
    unknown = len(leaderboard.runs) - len(known_records(leaderboard))
    if unknown:
        warn(f"{leaderboard.component}: {unknown} run(s) of another evaluator are not shown")


def _validate_one(path: Path, validator: jsonschema_rs.Validator) -> bool:
    try:
        data = read_bytes(path)
        leaderboard = parse_leaderboard(data, str(path))
    except LeaderboardError as error:
        say(error.line)
        return False
    try:
        # The file as written, not as parsed, so that positions are those its reader counts.
        problems = list(islice(validator.iter_errors(json.loads(data)), MAX_PROBLEMS))
    except UnicodeEncodeError:  # legal in JSON as an escape, but no schema can be held against it
        say(f"{path}: a text holds half of a surrogate pair; mend it by hand")
        return False
    for problem in problems:
        where = "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem.instance_path
        )
        say(f"{path}: {where.removeprefix('.')}: {shown(problem.message)}; mend it by hand")
    if not problems:
        print_line(f"{path}: valid, {len(leaderboard.runs)} run(s) of {leaderboard.component}")
    return not problems


def _rescored(path: Path, leaderboard: Leaderboard, done: RescoredRuns, runs_dir: Path, wanted: str) -> Exit:
    for item in done.rescored:
        print_line(sentence(item))
    usable = published_scorings(item for item in done.rescored if item.is_usable)
    if usable:
        add_to_leaderboard(path, leaderboard.component, usable)
    for record in done.absent:
        print_line(
            f"{first_run_id(record)} ({record.model}, {record.component_version}): stays as it was scored,"
            f" its replies are not in {runs_dir}"
        )
    print_line(
        f"{path}: {len(usable)} run(s) rescored, {done.current} {wanted} before,"
        f" {len(done.absent)} without replies at hand"
    )
    return Exit.INCOMPLETE if done.absent or len(usable) < len(done.rescored) else Exit.DONE
