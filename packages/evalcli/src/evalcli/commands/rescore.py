"""`evalcli rescore`: a run's record again, from its kept replies."""

from __future__ import annotations

from pathlib import Path

import click

from evalcli.exits import Exit
from evalcli.leaderboards.files import add_to_leaderboard
from evalcli.leaderboards.rescoring import published_scorings, rescore_folder
from evalcli.reports.rescoring import sentence
from evalcli.reports.results import encode_records
from evalcli.terminal.output import print_bytes, print_line, say


@click.command(name="rescore")
@click.argument(
    "run_dirs",
    metavar="RUN_DIR...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option(
    "--leaderboard",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Add the records to this leaderboard.json.",
)
@click.option("--json", "as_json", is_flag=True, help="The run records as a JSON array on standard output.")
def command(run_dirs: tuple[Path, ...], leaderboard: Path | None, *, as_json: bool) -> int:
    """Score runs again from their kept replies; no model is called.

    By the scoring version that made it, a run's record.json must come out byte for byte the same; exit
    code 1 where one does not, which is then left as it stands. By a newer one a new record is
    made, of which `rescored_from` names the run. It is written to record-<scoring version>.json beside
    record.json, which stays.
    """
    rescored = [rescore_folder(run_dir) for run_dir in run_dirs]
    for item in rescored:
        (say if as_json else print_line)(sentence(item))
    if as_json:
        print_bytes(encode_records(item.record for item in rescored))
    usable = [item for item in rescored if item.verdict != "differs"]
    if leaderboard is not None:
        for slug in {item.slug for item in usable}:
            add_to_leaderboard(
                leaderboard, slug, published_scorings(item for item in usable if item.slug == slug)
            )
    return Exit.DONE if len(usable) == len(rescored) else Exit.INCOMPLETE
