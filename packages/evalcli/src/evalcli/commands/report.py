"""`evalcli report`: what a run's replies show, as the prompt library publishes it; checked, and compared."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click

from evalcli.commands.arguments import RUNS_DIR, SELECTOR, prompt_library_option
from evalcli.commands.found_runs import found_runs, without_scratch
from evalcli.exits import PROGRAM, Exit, refuse
from evalcli.leaderboards.places import RUNS_IN_LIBRARY
from evalcli.leaderboards.present_policy import current_policy_sha256
from evalcli.leaderboards.published_cases import published_cases
from evalcli.leaderboards.records import records_in
from evalcli.leaderboards.run_folders import find_run, short_name
from evalcli.reports.run_comparison import comparison_lines
from evalcli.reports.run_summary import summary_lines
from evalcli.reports.run_words import scored_otherwise
from evalcli.reports.written_report import write_files
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import note, print_bytes, print_line, say
from evalcli.terminal.tables import print_lines
from evalcore.errors import ConfigurationError
from evalcore.evaluation.report import report_run, reported_run
from evalcore.formats.strict_json import encode_canonical
from evalcore.reports.run_report.check import MAX_BYTES, Checked, check_summary, summary_schema
from evalcore.reports.run_report.comparison import compare_runs
from evalcore.reports.run_report.comparison_page import comparison_page
from evalcore.reports.run_report.files import PAGE, SUMMARY
from evalcore.reports.run_report.make import RunReport, report_files, summary_object
from evalcore.runs.case_privacy import CasePrivacy
from evalcore.runs.files import read_regular
from evalcore.runs.folder import PLAN, RECORD, read_plan

COMPARISON = "COMPARISON.md"
OUT = click.Path(file_okay=False, path_type=Path)


@click.command(name="report")
@click.argument("runs", nargs=-1, metavar="RUN...", type=SELECTOR, shell_complete=completed_by("runs"))
@click.option("--out", type=OUT, help="Write each report into a folder of its own in there.")
@click.option("--png/--no-png", "has_png", default=True, show_default=True, help="Charts as PNG, too.")
@click.option("--check", "is_check", is_flag=True, help="Check reports that are there; write nothing.")
@click.option(
    "--compare",
    "compared",
    nargs=2,
    type=SELECTOR,
    metavar="RUN RUN",
    shell_complete=completed_by("runs"),
    help="Show what moved from the first run to the second, with examples.",
)
@click.option("--json", "as_json", is_flag=True, help="The summaries as a JSON array on standard output.")
@click.option("--schema", "is_schema", is_flag=True, help="Print the JSON Schema of summary.json.")
@prompt_library_option("The prompt library whose runs are meant.")
@RUNS_DIR
def command(
    runs: tuple[str, ...],
    out: Path | None,
    compared: tuple[str, str] | None,
    prompt_library: Path,
    runs_dir: Path | None,
    *,
    has_png: bool,
    is_check: bool,
    as_json: bool,
    is_schema: bool,
) -> int:
    """Report what a run's replies show: in short here, in full with --out.

    \b
    RUN is one of:
      RUN_DIR                a run's folder
      RUN_ID                 its id, or the beginning of it
      SKILL@VERSION/MODEL    the newest such run; VERSION, MODEL may be left out

    With --out each run gets a folder DATE-MODEL-RUN with REPORT.md, summary.json and charts, as it lies in
    components/SKILL/evals/reports of the prompt library; the same run gives the same bytes. No model is
    called. Only the library's own cases are quoted; of the data sets' cases not even the name is written.

    With --check a RUN may also be a report's folder or its summary.json, of this program or from before it:
    types, ranges and counts that must add up. Of a run's folder the report in --out must be its own, byte
    for byte. Exit code 1 where anything is wrong.
    """  # noqa: D301 - click takes the character for "do not rewrap"
    if is_schema:
        print_bytes(encode_canonical(summary_schema()))
        return Exit.DONE
    where = runs_dir or prompt_library / RUNS_IN_LIBRARY
    if compared is not None:
        if runs or is_check or as_json:
            refuse(
                "--compare takes two runs and nothing else", hint="leave --check, --json and other runs out"
            )
        _compare(find_run(compared[0], where), find_run(compared[1], where), out)
        return Exit.DONE
    if as_json and (out is not None or is_check):
        refuse("--json writes no report and checks none", hint="leave --out and --check out")
    if not runs:
        refuse("no run is named", hint="name a run's folder, or see `evalcli report --help`")
    if is_check:
        right = [_check(run, where, out, has_png=has_png) for run in without_scratch(runs)]
        return Exit.DONE if all(right) else Exit.INCOMPLETE
    found = found_runs(runs, where)
    if as_json:
        summaries = [report_run(run, _privacy(run, is_shown_to_others=False)).summary for run in found]
        print_bytes(encode_canonical(list(map(summary_object, summaries))))
        return Exit.DONE
    for run_dir in found:
        _report(run_dir, out, has_png=has_png)
        if said := _other_scoring(run_dir, prompt_library):
            note(said)
    return Exit.DONE


def _report(run_dir: Path, out: Path | None, *, has_png: bool) -> None:
    if out is None:
        summary = report_run(run_dir, _privacy(run_dir, is_shown_to_others=False)).summary
        print_lines(summary_lines(summary, short_name(run_dir)))
        return
    report = report_run(run_dir, _privacy(run_dir, is_shown_to_others=True))
    folder = out / report.summary.run_name
    write_files(folder, report_files(report, _pngs(has_png=has_png)))
    print_line(str(folder / PAGE))


def _other_scoring(run_dir: Path, prompt_library: Path) -> str:
    """Say that a run was scored again by another policy: a report is always by the run's own."""
    if not (run_dir / RECORD).exists():
        return ""
    component = read_plan(run_dir).component
    present = current_policy_sha256(prompt_library, None, component.slug)
    return scored_otherwise(records_in(run_dir), component.policy_sha256, present, short_name(run_dir))


def _privacy(run_dir: Path, *, is_shown_to_others: bool) -> CasePrivacy | None:
    # A report that is written is one to be published, wherever it is made.
    published = published_cases(os.environ, made="actions" if is_shown_to_others else None)
    return published.privacy(run_dir.resolve().parent)


def _pngs(*, has_png: bool) -> Callable[[str], bytes] | None:
    if not has_png:
        return None
    from evalcore.reports.run_report.png import draw_png  # noqa: PLC0415 - for those who want PNGs alone

    return draw_png


def _compare(before: Path, after: Path, out: Path | None) -> None:
    is_written = out is not None
    one, other = (_privacy(run, is_shown_to_others=is_written) for run in (before, after))
    with reported_run(before, one) as old, reported_run(after, other) as new:
        if old.plan.component.slug != new.plan.component.slug:
            slugs = f"{old.plan.component.slug} and {new.plan.component.slug}"
            what, hint = f"the runs are of two components, {slugs}", "name two runs of one"
            raise ConfigurationError(what, where=str(after), hint=hint)
        compared = compare_runs(old, new)
    if old.plan.component.policy_sha256 != new.plan.component.policy_sha256:
        line = shlex.join([PROGRAM, "compare", short_name(before), short_name(after)])
        note(f"a report is by each run's own policy; `{line}` is by one that both were scored by")
    if out is None:
        print_lines(comparison_lines(compared))
        return
    write_files(out, {COMPARISON: comparison_page(compared).encode()})
    print_line(str(out / COMPARISON))


def _check(named: str, where: Path, out: Path | None, *, has_png: bool) -> bool:
    """Check one report, say what is wrong, and return whether nothing is."""
    path = Path(named)
    if path.is_file() and path.suffix == ".json" and path.name != PLAN:
        return _say_checked(path, check_summary(_read(path)), ())
    if (path / SUMMARY).is_file():
        return _say_checked(path / SUMMARY, check_summary(_read(path / SUMMARY)), _lacking(path))
    if (path / PAGE).is_file():
        return _say_checked(path, Checked(None, (), ()), [f"it has no {SUMMARY}, which could be checked"])
    run_dir = find_run(named, where)
    report = report_run(run_dir, _privacy(run_dir, is_shown_to_others=True))
    folder = (out or Path()) / report.summary.run_name
    if out is None:
        hint = "name where its report lies with --out, or the report's folder"
        raise ConfigurationError("it is a run, and no report", where=named, hint=hint)
    return _say_checked(folder, Checked(None, (), ()), _differing(report, folder, has_png=has_png))


def _lacking(folder: Path) -> Sequence[str]:
    return () if (folder / PAGE).is_file() else (f"it has no {PAGE}",)


def _differing(report: RunReport, folder: Path, *, has_png: bool) -> Sequence[str]:
    wanted = report_files(report, _pngs(has_png=has_png))
    if not folder.is_dir():
        return ("the run's report is not there",)
    return [
        f"{name}: is not what the run gives"
        for name, data in wanted.items()
        if not (folder / name).is_file() or _read(folder / name) != data
    ]


def _say_checked(path: Path, checked: Checked, further: Iterable[str]) -> bool:
    problems = [*further, *checked.problems]
    for problem in problems:
        say(f"{path}: {problem}")
    for one in checked.notes:
        note(f"{path}: {one}")
    if not problems:
        print_line(f"{path}: valid")
    return not problems


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_BYTES + 1)
    except OSError as error:
        what = f"it cannot be read ({error.strerror or error})"
        raise ConfigurationError(what, where=str(path), hint="name a report's folder") from error
