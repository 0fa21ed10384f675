"""`evalcli rescore`: a run's record again, from its kept replies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from evalcli.commands.arguments import DATA_SETS_FOR_POLICY, RUNS_DIR, SELECTOR, prompt_library_option
from evalcli.commands.found_runs import found_runs
from evalcli.exits import PROGRAM, Exit
from evalcli.leaderboards.files import add_to_leaderboard, leaderboard_path, read_leaderboard
from evalcli.leaderboards.places import RUNS_IN_LIBRARY, data_sets_of
from evalcli.leaderboards.policies import rescore_by_policy
from evalcli.leaderboards.present_policy import current_policy, current_policy_sha256
from evalcli.leaderboards.rescoring import Rescored, published_scorings, rescore_folder
from evalcli.reports.rescoring import OTHER_POLICY, sentence
from evalcli.reports.results import encode_records
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import note, print_bytes, print_line, say
from evalcore.errors import EvaluatorError
from evalcore.library.checkout import FolderCheckout
from evalcore.runs.folder import read_plan
from evalcore.runs.leaderboard import known_records
from evalcore.runs.record import RunRecord


@click.command(name="rescore")
@click.argument(
    "runs",
    metavar="RUN...",
    nargs=-1,
    required=True,
    type=SELECTOR,
    shell_complete=completed_by("runs"),
)
@click.option(
    "--leaderboard",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Add the records to this leaderboard.json.",
)
@click.option(
    "--policy",
    type=click.Choice(["current"]),
    is_flag=False,
    flag_value="current",
    help="Score by the policy that the component has now, not by that of the run.",
)
@prompt_library_option("The prompt library: its runs, and its policy for --policy.")
@RUNS_DIR
@DATA_SETS_FOR_POLICY
@click.option("--json", "as_json", is_flag=True, help="The run records as a JSON array on standard output.")
def command(
    runs: tuple[str, ...],
    leaderboard: Path | None,
    policy: str | None,
    prompt_library: Path,
    runs_dir: Path | None,
    data_sets: Path | None,
    *,
    as_json: bool,
) -> int:
    """Score runs again from their kept replies; no model is called.

    \b
    RUN is one of:
      RUN_DIR                a run's folder
      RUN_ID                 its id, or the beginning of it
      SKILL@VERSION/MODEL    the newest such run; VERSION, MODEL may be left out

    By the scoring version that made it, a run's record.json must come out byte for byte the same; exit
    code 1 where one does not, which is then left as it stands. By a newer one a new record is
    made, of which `rescored_from` names the run. It is written to record-<scoring version>.json beside
    record.json, which stays. So is a record by another policy, with the policy's SHA-256 in its name;
    figures by two policies never stand in one ranking.
    """  # noqa: D301 - click takes the character for "do not rewrap"
    where = runs_dir or prompt_library / RUNS_IN_LIBRARY
    run_dirs = found_runs(runs, where)
    if policy is None:
        rescored = [rescore_folder(run_dir) for run_dir in run_dirs]
    else:
        rescored = [_by_current_policy(run_dir, prompt_library, data_sets) for run_dir in run_dirs]
    for item in rescored:
        # With --json standard output is the records' alone.
        (say if as_json else print_line)(sentence(item))
    if as_json:
        print_bytes(encode_records(item.record for item in rescored))
    usable = [item for item in rescored if item.is_usable]
    if leaderboard is not None:
        for slug in {item.slug for item in usable}:
            add_to_leaderboard(
                leaderboard, slug, published_scorings(item for item in usable if item.slug == slug)
            )
    elif policy is not None:
        for slug in sorted({item.slug for item in usable}):
            if _are_known(prompt_library, slug, [item.record for item in usable if item.slug == slug]):
                continue
            line = f"{PROGRAM} leaderboard rescore {slug} --policy {policy}"
            note(f"`{line}` adds such records to the leaderboard")
    else:
        _note_other_policy(usable, prompt_library, data_sets)
    return Exit.DONE if len(usable) == len(rescored) else Exit.INCOMPLETE


def _note_other_policy(rescored: Sequence[Rescored], prompt_library: Path, data_sets: Path | None) -> None:
    """Say of which components the present policy is another one: whoever changed it expects it to count."""
    for slug in sorted({item.slug for item in rescored}):
        now = current_policy_sha256(prompt_library, data_sets, slug)
        own = {item.record.policy_sha256 for item in rescored if item.slug == slug}
        if now is not None and own != {now.sha256}:
            note(OTHER_POLICY.format(slug))


def _are_known(prompt_library: Path, slug: str, records: Sequence[RunRecord]) -> bool:
    """Whether the component's leaderboard has these records."""
    path = leaderboard_path(prompt_library, slug)
    if not path.exists():
        return False
    try:
        known = {record.run_id for record in known_records(read_leaderboard(path))}
    except EvaluatorError:
        # The command that is named instead says what is wrong with the file.
        return False
    return all(record.run_id in known for record in records)


def _by_current_policy(run_dir: Path, prompt_library: Path, data_sets: Path | None) -> Rescored:
    beside = data_sets_of(prompt_library, data_sets)
    policy = current_policy(FolderCheckout(prompt_library), beside, read_plan(run_dir).component.slug)
    return rescore_by_policy(run_dir, policy)
