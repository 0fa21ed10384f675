"""`evalcli runs`: the runs whose replies are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from evalcli.commands.arguments import DATA_SETS_WITH_POLICY, PROMPT_LIBRARY, RUNS_DIR, SKILL
from evalcli.exits import PROGRAM, Exit
from evalcli.leaderboards.places import RUNS_IN_LIBRARY, require_library
from evalcli.leaderboards.present_policy import PolicyHash, current_policy_sha256
from evalcli.leaderboards.records import newest_by, records_in
from evalcli.leaderboards.run_folders import MOST_NAMED, RunHead, beginning_that_names, run_heads
from evalcli.reports.lists import ListedRun, runs_object, runs_table
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import print_bytes, say
from evalcli.terminal.tables import print_table
from evalcore.errors import StorageError
from evalcore.formats.strict_json import encode_canonical
from evalcore.ids import time_of
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import check_slug, list_components
from evalcore.near_names import did_you_mean
from evalcore.runs.folder import RECORD
from evalcore.runs.record import RunRecord


@click.command(name="runs")
@click.argument(
    "skill", metavar="[SKILL]", required=False, type=SKILL, shell_complete=completed_by("components")
)
@click.option(
    "--model",
    metavar="ID",
    shell_complete=completed_by("models"),
    help="Only runs of this model.",
)
@PROMPT_LIBRARY
@RUNS_DIR
@DATA_SETS_WITH_POLICY
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
def command(
    skill: str | None,
    model: str | None,
    prompt_library: Path,
    runs_dir: Path | None,
    data_sets: Path | None,
    *,
    as_json: bool,
) -> int:
    """List the runs whose replies are kept, the newest first; of SKILL alone, where it is named.

    Accuracy is by the component's present policy, where a run was scored by it, and else by the run's own,
    which the column `policy` then calls earlier. `evalcli show` shows what is wrong in one. Runs of
    --scratch lie in the folder scratch beside them.
    """
    if runs_dir is None:
        require_library(prompt_library)
    where = runs_dir or prompt_library / RUNS_IN_LIBRARY
    all_heads = run_heads(where)
    heads = [
        (path, head)
        for path, head in all_heads
        if skill in {None, head.component.slug} and model in {None, head.model.id}
    ]
    components = list_components(FolderCheckout(prompt_library))
    if skill is not None and not heads and components and skill not in components:
        # As everywhere. A component that was taken out of the library may have left runs, which are listed.
        check_slug(FolderCheckout(prompt_library), skill)
    slugs = {head.component.slug for _, head in heads}
    policies = {slug: current_policy_sha256(prompt_library, data_sets, slug) for slug in slugs}
    runs = [_listed(path, head, policies[head.component.slug]) for path, head in heads]
    if as_json:
        print_bytes(encode_canonical(runs_object(runs)))
    elif runs:
        print_table(runs_table(runs, beginning_that_names(where)))
    else:
        hint = _hint([head for _, head in all_heads], skill, model)
        which = "no such run" if all_heads else "no run"
        say(f"{which} is in {where}; {hint}")
    return Exit.DONE


def _hint(heads: Sequence[RunHead], skill: str | None, model: str | None) -> str:
    """Say what was probably meant, or what makes a run."""
    models = {head.model.id for head in heads if skill in {None, head.component.slug}}
    if model is not None and models and model not in models:
        return did_you_mean(model, models) or f"there are runs of {', '.join(sorted(models)[:MOST_NAMED])}"
    return f"`{PROGRAM} evaluate {skill or 'SKILL'}` makes some"


def _listed(path: Path, head: RunHead, policy: PolicyHash | None) -> ListedRun:
    # An id tells when its run was begun, to the second before its first reply.
    time, status, record = time_of(head.run_id), "unfinished", None
    try:
        if (path / RECORD).exists():
            record = _newest(records_in(path), policy)
            time, status = record.started_at, record.status
    except StorageError:
        status = "unreadable"
    return ListedRun(
        run_id=head.run_id,
        time=time,
        component=head.component.slug,
        component_version=head.component.version,
        model=head.model.id,
        status=status,
        accuracy=None if record is None else record.accuracy.mean,
        scoring_version=None if record is None else record.scoring_version,
        policy_sha256=None if record is None else record.policy_sha256,
        is_present_policy=None if record is None or policy is None else record.policy_sha256 == policy.sha256,
        folder=str(path),
    )


def _newest(records: Sequence[RunRecord], policy: PolicyHash | None) -> RunRecord:
    """Return the newest scoring by the component's present policy; without one, by the run's own."""
    first = records[0]
    present = newest_by(records, policy.sha256) if policy is not None else None
    return present or newest_by(records, first.policy_sha256) or first
