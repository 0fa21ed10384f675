"""`evalcli check`: everything that can be known of a prompt library without a call."""

from __future__ import annotations

import os
from pathlib import Path

import click

from evalcli.commands.arguments import DATA_SETS, PROMPT_LIBRARY, SKILL
from evalcli.evaluation.check import check_library
from evalcli.exits import Exit
from evalcli.leaderboards.places import Sources, no_library, require_library
from evalcli.leaderboards.published_cases import published_cases
from evalcli.reports.findings import finding_lines, findings_object
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import print_bytes
from evalcli.terminal.tables import print_lines
from evalcore.formats.strict_json import encode_canonical
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import check_slug, list_components


@click.command(name="check")
@click.argument(
    "skills", metavar="[SKILL]...", nargs=-1, type=SKILL, shell_complete=completed_by("components")
)
@PROMPT_LIBRARY
@DATA_SETS
@click.option(
    "--models",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    show_default=".evaluator/models.yaml",
    help="The file of models.",
)
@click.option("--strict", "is_strict", is_flag=True, help="Exit code 1 for warnings too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    skills: tuple[str, ...],
    prompt_library: Path,
    data_sets: Path | None,
    models: Path | None,
    *,
    is_strict: bool,
    as_json: bool,
) -> int:
    """Check components, all of them where none is named; no model is called.

    Prompt and version, catalog, schema, scoring policy, cases (those that are broken or not finished, and
    expected answers that contradict the schema), models.yaml, leaderboards, prompts whose text changed
    under an unchanged version, and what cloud providers would have to change in a schema. Exit code 1
    where there are errors.
    """
    require_library(prompt_library)
    library = FolderCheckout(prompt_library)
    for slug in skills:
        check_slug(library, slug)
    slugs = tuple(dict.fromkeys(skills)) or list_components(library)
    if not slugs:
        raise no_library(prompt_library)
    found = check_library(Sources(prompt_library, data_sets, models), slugs, is_whole=not skills)
    found = published_cases(os.environ).findings(found)
    if as_json:
        print_bytes(encode_canonical(findings_object(slugs, found)))
    else:
        print_lines(finding_lines(len(slugs), found))
    failing = [one for one in found if one.severity == "error" or (is_strict and one.severity == "warning")]
    return Exit.INCOMPLETE if failing else Exit.DONE
