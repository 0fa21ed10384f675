"""`evalcli cases read`: what is sent to the models for each document, and storing it as text beside it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from evalcli.commands.arguments import DATA_SETS, PROMPT_LIBRARY, SKILL_ARGUMENT
from evalcli.evaluation.documents import document_source, read_job
from evalcli.evaluation.plan import Prepared, only_cases, prepare
from evalcli.exits import Exit
from evalcli.leaderboards.places import RUNS_IN_LIBRARY, Sources, data_sets_of
from evalcli.leaderboards.published_cases import UNNAMED, PublishedCases, published_cases
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import note, print_line, say, warn
from evalcore.effects import real_effects
from evalcore.errors import CaseError, ConfigurationError
from evalcore.formats.counts import counted
from evalcore.library.cases import READ_INPUT, NoUsableCase
from evalcore.library.checkout import FolderCheckout
from evalcore.library.component import Case, SkippedCase
from evalcore.runs.files import write_atomically
from evalcore.runs.plan import JobPlan

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="read")
@SKILL_ARGUMENT
@click.option(
    "--case",
    "case_names",
    multiple=True,
    metavar="NAME",
    shell_complete=completed_by("cases"),
    help="Only this case; may be repeated.",
)
@click.option(
    "--write", "is_written", is_flag=True, help="Store what is read as input.md beside the document."
)
@PROMPT_LIBRARY
@DATA_SETS
@click.option("--models", type=FILE, show_default=".evaluator/models.yaml", help="The file of models.")
@click.option(
    "--runs-dir",
    type=click.Path(file_okay=False, path_type=Path),
    show_default=".evaluator/runs in the library",
    help="Beside which runs what was read is kept.",
)
def command(
    skill: str,
    case_names: tuple[str, ...],
    prompt_library: Path,
    data_sets: Path | None,
    models: Path | None,
    runs_dir: Path | None,
    *,
    is_written: bool,
) -> int:
    """Read the documents among a component's inputs, and show what would be sent for each.

    They are read as an evaluation reads them: by the reader of models.yaml or evals/inputs.yaml, and once,
    since what was read is kept. With --write it becomes the case's input.md, which counts before the
    document: look it through, correct it, and commit it. Exit code 1 where a document cannot be read.
    """
    published = published_cases(os.environ)
    sources = Sources(prompt_library, data_sets, models)
    job_id = real_effects().new_id()
    prepared = prepare(skill, sources, (), 1, job_id=job_id, environ=os.environ)
    prepared = only_cases(prepared, case_names) if case_names else prepared
    if not prepared.job.unread:
        note(f"every input of {skill} is a text already")
        return Exit.DONE
    if is_written and prepared.job.reading.reader == "none":
        what = "`reader: none` reads nothing that could be stored"
        raise ConfigurationError(what, where=skill, hint="set `reader: text` or `reader: mindrouter`")
    read, unread = _read(prepared, runs_dir or prompt_library / RUNS_IN_LIBRARY)
    for case in read:
        if is_written:
            path = _write(case, prompt_library, data_sets)
            print_line(f"{path}: {_told(case)}" if _is_shown(case, published) else f"{UNNAMED}: written")
        else:
            _show(case, published)
    for text in published.warnings(unread):
        warn(text)
    return Exit.INCOMPLETE if unread else Exit.DONE


def _read(prepared: Prepared, runs_dir: Path) -> tuple[list[Case], list[SkippedCase]]:
    """Return the cases whose documents were read, and those that cannot be."""
    source = document_source(prepared, runs_dir, os.environ)
    wanted = {case.name for case in prepared.job.unread}
    if source is None:
        return [], []
    try:
        job: JobPlan = read_job(prepared.job, source)
        cases, skipped = job.cases, job.skipped_cases
    except NoUsableCase as error:
        cases, skipped = (), error.skipped
    except KeyboardInterrupt:
        say("what was read is kept: the same command goes on from there")
        raise
    return (
        [case for case in cases if case.name in wanted],
        [case for case in skipped if case.case in wanted],
    )


def _is_shown(case: Case, published: PublishedCases) -> bool:
    """Whether a case may be shown where this writes to: the log of Actions is for others to read."""
    return published.setting == "names" or (published.setting is None and case.source == "library")


def _show(case: Case, published: PublishedCases) -> None:
    if not _is_shown(case, published):
        print_line(f"{UNNAMED}: read, and not shown here")
        return
    print_line(f"== {case.name}: {_told(case)}")
    for line in case.input.splitlines():
        print_line(line)


def _told(case: Case) -> str:
    document = case.document
    if document is None:
        return "a text"
    pages = "" if document.pages is None else f", {counted(document.pages, 'page')}"
    if document.reader == "none":
        return f"{document.name}{pages}, sent to the models as it is"
    by = " ".join(part for part in (document.reader, document.version) if part)
    return f"{document.name}{pages}, {len(case.input):,} characters read by {by}"


def _write(case: Case, prompt_library: Path, data_sets: Path | None) -> Path:
    """Store what was read beside its document; raises StorageError."""
    checkout: FolderCheckout | None = FolderCheckout(prompt_library)
    if case.source == "data_sets":
        checkout = data_sets_of(prompt_library, data_sets)
    if checkout is None or case.document is None:  # never: the document was read from there
        raise CaseError("its folder is not there any more", where=case.name, hint="begin again")
    folder = checkout.root / Path(case.document.path).parent
    if not folder.resolve().is_relative_to(checkout.root.resolve()):
        hint = "put the case itself there"
        raise CaseError("is a link that leaves the checkout", where=str(folder), hint=hint)
    path = folder / READ_INPUT
    # Not one byte more than what an evaluation sends: its figures then count together with earlier ones.
    write_atomically(path, case.input.encode())
    return path
