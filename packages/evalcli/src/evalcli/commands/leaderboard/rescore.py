"""`evalcli leaderboard rescore`: a component's runs brought to the present rules."""

from __future__ import annotations

from pathlib import Path

import click

from evalcli.commands.arguments import DATA_SETS_FOR_POLICY, PROMPT_LIBRARY, RUNS_DIR, SELECTOR
from evalcli.exits import Exit
from evalcli.leaderboards.files import add_to_leaderboard, named_leaderboard, read_leaderboard
from evalcli.leaderboards.places import RUNS_IN_LIBRARY, data_sets_of
from evalcli.leaderboards.policies import rescore_to_policy
from evalcli.leaderboards.present_policy import current_policy, current_policy_sha256
from evalcli.leaderboards.rescoring import RescoredRuns, published_scorings, rescore_older
from evalcli.reports.rescoring import OTHER_POLICY, missing_sentence, sentence
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import note, print_line, say
from evalcore.formats.counts import counted
from evalcore.library.checkout import FolderCheckout
from evalcore.runs.leaderboard import Leaderboard, known_records
from evalcore.runs.rescoring import first_run_id
from evalcore.version import SCORING_VERSION


@click.command(name="rescore")
@click.argument("source", metavar="SKILL|FILE", type=SELECTOR, shell_complete=completed_by("components"))
@PROMPT_LIBRARY
@RUNS_DIR
@click.option(
    "--policy",
    type=click.Choice(["current"]),
    is_flag=False,
    flag_value="current",
    help="Score by the policy that the component has now, every run that has no record by it.",
)
@DATA_SETS_FOR_POLICY
def command(
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
    path, runs = named_leaderboard(source, prompt_library), runs_dir or prompt_library / RUNS_IN_LIBRARY
    # Read whatever follows: a component that is mistyped has no runs, and would be reported as done.
    leaderboard = read_leaderboard(path)
    records = known_records(leaderboard)
    if policy is None:
        done = rescore_older(records, runs)
        code = _rescored(path, leaderboard, done, runs, f"at scoring version {SCORING_VERSION}")
        now = current_policy_sha256(prompt_library, data_sets, leaderboard.component)
        if now is not None and all(record.policy_sha256 != now.sha256 for record in records):
            note(OTHER_POLICY.format(leaderboard.component))
        return code
    beside = data_sets_of(prompt_library, data_sets)
    policy_text = current_policy(FolderCheckout(prompt_library), beside, leaderboard.component)
    done = rescore_to_policy(records, runs, policy_text)
    return _rescored(path, leaderboard, done, runs, "by the present policy")


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
    stays = len(done.rescored) - len(usable)
    left = f", {stays} left as they stand" if stays else ""
    print_line(
        f"{path}: {counted(len(usable), 'run')} rescored, {done.current} {wanted} before,"
        f" {len(done.absent)} without replies at hand{left}"
    )
    missing = missing_sentence(done.absent, runs_dir, wanted)
    if missing is not None:
        say(missing)
    return Exit.INCOMPLETE if done.absent or len(usable) < len(done.rescored) else Exit.DONE
