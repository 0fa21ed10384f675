"""The calls of an evaluation and what follows: results, leaderboard, how to resume what was cut short."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from evalcli.evaluation.documents import read_inputs
from evalcli.evaluation.run import CutShort, Evaluation, make_calls
from evalcli.exits import PROGRAM, Exit, Interrupted
from evalcli.leaderboards.files import add_to_leaderboard, check_leaderboard, leaderboard_path
from evalcli.leaderboards.published_cases import PublishedCases, published_cases
from evalcli.leaderboards.run_folders import short_name
from evalcli.reports.gates import AccuracyGate
from evalcli.reports.ranking import as_sentence, identical_notes, marked
from evalcli.reports.results import cut_short_hint, encode_records, exit_code, records_of, results_table
from evalcli.reports.written_report import write_files
from evalcli.terminal.output import note, print_bytes, print_line, say, say_command, warn
from evalcli.terminal.tables import print_table
from evalcore.errors import CaseError, EvaluatorError
from evalcore.evaluation.outcome import RunOutcome
from evalcore.formats.counts import counted
from evalcore.library.cases import NoUsableCase
from evalcore.reports.ranking_notes import ONE_REPLY, notes_of_runs
from evalcore.reports.run_report.files import reports_folder
from evalcore.runs.case_privacy import public_line
from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen


class FinishOptions(Frozen, frozen=True):
    """What the command line says of the time after the calls."""

    skill: str
    prompt_library: Path
    concurrency: int
    no_leaderboard: bool
    is_scratch: bool
    """Whether its runs lie in a folder of their own, and count nowhere."""
    as_json: bool
    allow_skipped: bool
    """Whether broken cases leave the exit code as it is."""
    gate: AccuracyGate
    published: PublishedCases
    publish_report: bool
    """Whether the prompt library gets a report of each run, beside the leaderboard."""
    planned: tuple[str, ...]
    """Options as they were given that a resumed run has in its plan, and a new one needs again."""
    others: tuple[str, ...]
    """Options as they were given that a resumed and a new run need again."""

    @property
    def leaderboard(self) -> Path | None:
        """Where the runs are added; None where they are not."""
        return (
            None
            if self.no_leaderboard or self.is_scratch
            else leaderboard_path(self.prompt_library, self.skill)
        )

    def resume_command(self, run_dir: Path) -> str:
        """Return the command line that goes on with a job, for a shell."""
        return shlex.join([PROGRAM, "evaluate", self.skill, "--resume", short_name(run_dir), *self.others])

    def command_for(self, models: Sequence[str], more: Sequence[str] = ()) -> str:
        """Return the command line that evaluates these models, with more options, for a shell."""
        named = [part for model in models for part in ("--model", model)]
        return shlex.join([PROGRAM, "evaluate", self.skill, *named, *self.planned, *more, *self.others])


def call_and_finish(evaluation: Evaluation, options: FinishOptions) -> Exit:
    """Make the calls, show the results, and add them to the leaderboard.

    Raises LeaderboardError or StorageError before any call where the leaderboard could not be written.
    """
    if options.leaderboard is not None:
        # Before any call is paid for: a leaderboard that cannot be merged is found now, not after hours.
        check_leaderboard(options.leaderboard, options.skill)
    # A resumed job may have nothing left to call and still has finished runs to be shown and added.
    if not evaluation.job.models and not evaluation.finished:
        warn("no model is left, so there is nothing to evaluate; set a key, or name models in models.yaml")
        _print_results(evaluation, [], options)
        return Exit.NOTHING
    if not evaluation.job.models:
        note("every run of this job is finished already, so no model is called")
    # Before the first call, for all models at once: read for each, a document would differ from one to the
    # next.
    evaluation = _with_documents_read(evaluation, options)
    ended = make_calls(evaluation, options.concurrency)
    if isinstance(ended, CutShort):
        with _added_later_if_not_now(ended.outcomes, options):
            _add(evaluation, ended.outcomes, options)
        _say_how_to_go_on(ended, options)
        if ended.reason is not None:
            say(ended.reason)
            return Exit.INCOMPLETE
        # Raised last, when what is there has been added and the way on was named.
        raise ended.error or Interrupted
    with _added_later_if_not_now(ended, options):
        # Shown first: should the leaderboard refuse them now, they have at least been seen.
        _print_results(evaluation, ended, options)
        _add(evaluation, ended, options)
    _say_how_to_look(ended)
    _say_how_to_repeat(evaluation, ended, options)
    code = exit_code(ended)
    has_broken = any(case.broken for case in evaluation.job.skipped_cases)
    unmet = options.gate.unmet(records_of(ended))
    if unmet is not None:
        say(unmet)
    # A stronger exit code stays: nothing evaluated, or a partial run, says more than a gate.
    if code is Exit.DONE and (unmet is not None or (has_broken and not options.allow_skipped)):
        return Exit.INCOMPLETE
    if code is Exit.NOTHING:
        if any(outcome.is_refused for outcome in ended):
            warn(f"nothing was evaluated; `{PROGRAM} models check` says what each model refuses")
        else:
            warn(f"no model is served now, so nothing was evaluated; `{PROGRAM} models check` says which are")
    return code


def _print_results(evaluation: Evaluation, outcomes: Sequence[RunOutcome], options: FinishOptions) -> None:
    if options.as_json:
        print_bytes(encode_records(_published(evaluation, outcomes, options)))
    elif outcomes:
        records = records_of(outcomes)
        print_table(results_table(outcomes, marked(options.skill, records)))
        for remark in _remarks(records):
            print_line(remark)
    broken = options.published.broken_sentence(evaluation.job.skipped_cases)
    if outcomes and broken is not None:
        (say if options.as_json else print_line)(f"{broken} `{PROGRAM} check {options.skill}` says why.")


def _remarks(records: Sequence[RunRecord]) -> Iterator[str]:
    """Yield where the results are first read what leaderboard and pull request say of them, too."""
    yield from identical_notes(records)
    if records and records[0].replicates == 1:
        yield f"{ONE_REPLY}."
    for record in records:
        if hint := cut_short_hint(record):
            yield hint
        yield from map(as_sentence, notes_of_runs(record.model, [record]))


def _published(
    evaluation: Evaluation, outcomes: Sequence[RunOutcome], options: FinishOptions
) -> Sequence[RunRecord]:
    return [
        options.published.record(record, evaluation.job, evaluation.runs_dir)
        for record in records_of(outcomes)
    ]


def _add(evaluation: Evaluation, outcomes: Sequence[RunOutcome], options: FinishOptions) -> None:
    records = _published(evaluation, outcomes, options)
    if options.leaderboard is not None and records:
        add_to_leaderboard(options.leaderboard, options.skill, records)
        note(f"{counted(len(records), 'run is', 'runs are')} in {options.leaderboard}")
        if options.publish_report:
            _add_reports(outcomes, options)
    elif options.is_scratch and records:
        note(
            f"{counted(len(records), 'run is', 'runs are')} kept apart, in {evaluation.runs_dir},"
            " and in no leaderboard"
        )


def _add_reports(outcomes: Sequence[RunOutcome], options: FinishOptions) -> None:
    """Write a report of each run into the prompt library, to be committed with the leaderboard."""
    from evalcore.evaluation.report import in_library, report_run  # noqa: PLC0415 - where it is asked for alone
    from evalcore.reports.run_report.png import draw_png  # noqa: PLC0415

    # As `evalcli report --out`: what lies in the library is read by others.
    published = published_cases(os.environ, made="actions")
    for outcome in outcomes:
        if outcome.record is not None and outcome.run_dir is not None:
            report = report_run(outcome.run_dir, published.privacy(outcome.run_dir.resolve().parent))
            write_files(options.prompt_library, in_library(options.skill, report, draw_png))
            note(f"the report of {outcome.model} is in {reports_folder(options.skill)}")


def _with_documents_read(evaluation: Evaluation, options: FinishOptions) -> Evaluation:
    """Read the documents among the inputs; say which cannot be used, and how to go on if it is cut short."""
    try:
        read = read_inputs(evaluation)
    except NoUsableCase as error:
        raise CaseError(public_line(error, options.published.setting)) from error
    except (EvaluatorError, KeyboardInterrupt) as error:
        say("what was read of the documents is kept; go on with:")
        say_command(options.command_for([model.id for model in evaluation.job.models]))
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted from None
        raise
    known = {case.case for case in evaluation.job.skipped_cases}
    for text in options.published.warnings(
        [case for case in read.job.skipped_cases if case.case not in known]
    ):
        warn(text)
    return read


@contextmanager
def _added_later_if_not_now(outcomes: Sequence[RunOutcome], options: FinishOptions) -> Iterator[None]:
    """Say how to go on where showing finished runs, or adding them, fails or is interrupted."""
    try:
        yield
    except (EvaluatorError, KeyboardInterrupt):
        # Any run of the job will do: the others are found beside it.
        kept = next((outcome.run_dir for outcome in outcomes if outcome.run_dir is not None), None)
        if kept is not None:
            say(f"the runs are kept in {kept.parent}; without a call, this goes on from there:")
            say_command(options.resume_command(kept))
        raise


def _say_how_to_look(outcomes: Sequence[RunOutcome]) -> None:
    """Name the command that shows the worst run of all that have answers."""
    runs = [
        (outcome.record.accuracy.mean, outcome.run_dir)
        for outcome in outcomes
        if outcome.record is not None and outcome.run_dir is not None
    ]
    known = [(accuracy, run_dir) for accuracy, run_dir in runs if accuracy is not None and accuracy < 1]
    if known:
        worst = min(known)[1]
        note(f"to see what is wrong: `{shlex.join([PROGRAM, 'show', short_name(worst), '--wrong-only'])}`")


def _say_how_to_repeat(
    evaluation: Evaluation, outcomes: Sequence[RunOutcome], options: FinishOptions
) -> None:
    """Name the command that evaluates anew what is partial: such a run is finished, and not resumed."""
    partial = [outcome.model for outcome in outcomes if outcome.status == "partial"]
    # Which cases a resumed look was of is in its plan alone, not in its command line.
    is_look_again = options.is_scratch and bool(evaluation.resumed or evaluation.finished)
    if not partial or is_look_again:
        return
    verb = "is" if len(partial) == 1 else "are"
    say(f"{counted(len(partial), 'run')} {verb} partial; when the cause is mended, evaluate anew with:")
    as_planned = () if "--replicates" in options.planned else ("--replicates", str(evaluation.job.replicates))
    say_command(options.command_for(partial, as_planned))


def _say_how_to_go_on(ended: CutShort, options: FinishOptions) -> None:
    if ended.unfinished is not None:
        say("every reply that came is kept; go on with:")
        say_command(options.resume_command(ended.unfinished))
    if ended.not_begun:
        them = "it" if len(ended.not_begun) == 1 else "them"
        say(f"{counted(len(ended.not_begun), 'model')} had not begun; evaluate {them} with:")
        say_command(options.command_for(ended.not_begun))
