"""`evalcli show`: why a model is wrong, case by case."""

from __future__ import annotations

import shlex
import webbrowser
from pathlib import Path

import click
import msgspec

from evalcli.commands.arguments import DATA_SETS_WITH_POLICY, RUNS_DIR, SELECTOR, prompt_library_option
from evalcli.commands.found_runs import found_runs
from evalcli.exits import PROGRAM, Exit, refuse
from evalcli.leaderboards.places import RUNS_IN_LIBRARY, data_sets_of
from evalcli.leaderboards.policies import with_policy
from evalcli.leaderboards.present_policy import current_policy, current_policy_sha256
from evalcli.leaderboards.records import newest_by, records_in
from evalcli.leaderboards.run_folders import short_name
from evalcli.reports.run_page import run_page
from evalcli.reports.run_view import run_lines, run_object
from evalcli.reports.run_words import ExaminedRun, scored_otherwise
from evalcli.reports.score_tree import TreeView
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import is_quiet, note, print_bytes, print_line, say_command
from evalcli.terminal.tables import print_lines
from evalcore.errors import CaseError
from evalcore.formats.strict_json import encode_canonical
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import PolicyText
from evalcore.near_names import did_you_mean
from evalcore.runs.files import write_atomically
from evalcore.runs.folder import RECORD, RunFolder, read_plan
from evalcore.runs.plan import RunPlan
from evalcore.scoring.examine import Selection, examine_run
from evalcore.scoring.explain import LONGEST_SHOWN

PAGE = "show.html"
"""The page of a run, in its folder: it is as confidential as the replies beside it."""


@click.command(name="show")
@click.argument("run", type=SELECTOR, shell_complete=completed_by("runs"))
@click.option(
    "--case",
    "cases",
    multiple=True,
    metavar="NAME",
    shell_complete=completed_by("run_cases"),
    help="Only this case; may be repeated.",
)
@click.option(
    "--replicate",
    type=click.IntRange(min=0),
    metavar="N",
    help="Only this replicate, from 0, as in the files.",
)
@click.option(
    "--worst",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="So many different answers of each case, the worst first.",
)
@click.option("--wrong-only", is_flag=True, help="Leave out what is right.")
@click.option("--full", "is_full", is_flag=True, help="Values and unparsable replies at their whole length.")
@click.option(
    "--policy",
    type=click.Choice(["current"]),
    is_flag=False,
    flag_value="current",
    help="By the policy that the component has now, not by that of the run.",
)
@prompt_library_option("The prompt library: its runs, and its policy for --policy.")
@RUNS_DIR
@DATA_SETS_WITH_POLICY
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option("--open", "is_opened", is_flag=True, help="Open the run as a page in the browser.")
def command(
    run: str,
    cases: tuple[str, ...],
    replicate: int | None,
    worst: int,
    policy: str | None,
    prompt_library: Path,
    runs_dir: Path | None,
    data_sets: Path | None,
    *,
    wrong_only: bool,
    is_full: bool,
    as_json: bool,
    is_opened: bool,
) -> int:
    """Show what is wrong in a run's replies, and why.

    \b
    RUN is one of:
      RUN_DIR                a run's folder
      RUN_ID                 its id, or the beginning of it
      SKILL@VERSION/MODEL    the newest such run; VERSION, MODEL may be left out

    For each case, the worst first: its worst answer beside the expected one, as a tree, and samples of
    the replies that cannot be parsed or never came. Cases, policy and schema are those of the run; no model
    is called. Where it was scored again by another policy a line says so: --policy current shows that.
    With --open a page of it, written to show.html in the run's folder, opens in the browser.
    """  # noqa: D301 - click takes the character for "do not rewrap"
    if as_json and is_opened:
        refuse("--json and --open are two ways to see a run", hint="leave one out")
    (path,) = found_runs([run], runs_dir or prompt_library / RUNS_IN_LIBRARY)
    slug = read_plan(path).component.slug
    present = None
    if policy is not None:
        present = current_policy(
            FolderCheckout(prompt_library), data_sets_of(prompt_library, data_sets), slug
        )
    examined = _examine(path, Selection(cases, replicate, worst, wrong_only), present)
    if policy is None:
        now = current_policy_sha256(prompt_library, data_sets, slug)
        own = examined.plan.component.policy_sha256
        said = scored_otherwise(examined.scorings, own, now, short_name(path))
        examined = msgspec.structs.replace(examined, note=said)
    if as_json:
        print_bytes(encode_canonical(run_object(examined)))
    elif is_opened:
        _open(path / PAGE, examined)
    else:
        view = TreeView(LONGEST_SHOWN * 2 if is_full else TreeView().longest, wrong_only)
        print_lines(run_lines(examined, view, is_full=is_full))
    if not examined.scorings:
        note("the run is not finished; go on with:")
        if not is_quiet():
            say_command(shlex.join([PROGRAM, "evaluate", slug, "--resume", short_name(path)]))
    return Exit.DONE


def _examine(path: Path, selection: Selection, policy: PolicyText | None) -> ExaminedRun:
    folder = RunFolder.open_to_read(path)
    try:
        plan = folder.plan
        if policy is not None:
            plan = msgspec.structs.replace(plan, component=with_policy(plan.component, policy))
        _check(plan, path, selection)
        cases = examine_run(plan, folder.replies_of, selection)
    finally:
        folder.close()
    records = records_in(path) if (path / RECORD).exists() else []
    return ExaminedRun(
        plan=plan,
        record=newest_by(records, plan.component.policy_sha256),
        cases=tuple(cases),
        scorings=tuple(records),
        is_present_policy=policy is not None,
    )


def _check(plan: RunPlan, path: Path, selection: Selection) -> None:
    known = [case.name for case in plan.cases]
    for name in selection.cases:
        if name not in known:
            hint = did_you_mean(name, known) or f"its cases: {', '.join(known[:10])}"
            raise CaseError(f"the run has no case {name!r:.110}", where=str(path), hint=hint)
    if selection.replicate is not None and selection.replicate >= plan.replicates:
        refuse(
            f"the run has no replicate {selection.replicate}",
            hint=f"its replicates are 0 to {plan.replicates - 1}",
        )


def _open(page: Path, run: ExaminedRun) -> None:
    write_atomically(page, run_page(run))
    print_line(str(page))
    webbrowser.open(page.resolve().as_uri())
