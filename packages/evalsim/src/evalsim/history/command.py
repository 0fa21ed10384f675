"""`evalsim history`: a prompt library with a year's results."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from evalsim.history.library import write_year
from evalsim.library import write_sample_library


@click.command("history")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--prompt-library",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A library of yours: copied, never touched. Default: the sample.",
)
def command(folder: Path, prompt_library: Path | None) -> None:
    """Write a prompt library with a made-up year of results into DIR, which must not be there yet.

    Models of known quality are run as versions come out: one's server changes, one is given up, one comes
    late, cases are added, some runs are partial. The same every time; no model is called.
    """
    if folder.exists():
        raise click.BadParameter(f"{folder} is there already: name a new folder", param_hint="DIR")
    with tempfile.TemporaryDirectory() as temporary:
        source = prompt_library
        if source is None:
            source = Path(temporary) / "library"
            write_sample_library(source)
        try:
            written = write_year(source, folder)
        except OSError as error:
            raise click.BadParameter(f"{folder}: {error.strerror or error}", param_hint="DIR") from error
    for slug, count in written.items():
        click.echo(f"{slug}: {count} runs")
