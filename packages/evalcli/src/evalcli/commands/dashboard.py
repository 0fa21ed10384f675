"""`evalcli dashboard`: the static site that people read."""

from __future__ import annotations

import os
from pathlib import Path

import click

from evalcli.commands.arguments import DATA_SETS, PROMPT_LIBRARY
from evalcli.dashboard.digests import component_digests
from evalcli.dashboard.library import GITHUB, read_library
from evalcli.dashboard.mkdocs import find_mkdocs, place_in_navigation
from evalcli.dashboard.site import check_folder, write_site
from evalcli.exits import Exit, refuse
from evalcli.terminal.output import print_bytes, print_line, warn
from evalcore.formats.counts import counted
from evalcore.formats.strict_json import encode_canonical
from evalcore.reports.dashboard.build import build_site
from evalcore.reports.dashboard.files import data_files
from evalcore.reports.dashboard.site import site_schema
from evalcore.reports.pages.mkdocs import FOLDER
from evalcore.reports.pages.places import INDEX_PAGE, Layout
from evalcore.reports.pages.render import site_pages


@click.command(name="dashboard")
@PROMPT_LIBRARY
@DATA_SETS
@click.option(
    "--out", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Where to write the site."
)
@click.option(
    "--mkdocs",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Write pages for MkDocs instead, and their navigation: the folder of mkdocs.yml, or of its pages.",
)
@click.option(
    "--repo",
    metavar="OWNER/NAME",
    envvar="GITHUB_REPOSITORY",
    show_default="GITHUB_REPOSITORY, or what the catalog says",
    help="The prompt library on GitHub, for links.",
)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of index.json instead.")
def command(
    prompt_library: Path,
    data_sets: Path | None,
    out: Path | None,
    mkdocs: Path | None,
    repo: str | None,
    *,
    schema: bool,
) -> int:
    """Write a static site of all leaderboards: for GitHub Pages, and to be opened from the folder.

    It says which model is best for each component, how each did over versions and time, where models fail,
    how each does across the library, and what has never been evaluated. `index.json` holds all that the
    pages show, `data/` each table as CSV. DIR is new, empty, or a site of ours: then what has changed is
    written, and nothing else. No server is asked for anything. With --mkdocs the same pages become a part of
    a site that MkDocs makes, in its folder evaluations/.
    """
    if schema:
        print_bytes(encode_canonical(site_schema()))
        return Exit.DONE
    if (out is None) == (mkdocs is None):
        refuse(
            "there is nowhere to write to" if out is None else "--out and --mkdocs are two sites",
            hint="name a folder with --out, or with --mkdocs",
        )
    embedding = None if mkdocs is None else find_mkdocs(mkdocs)
    folder = embedding.pages if embedding is not None else (out or Path())
    # Before anything is worked out, which may take minutes.
    check_folder(folder, may_have_others=False)
    read = read_library(
        prompt_library, data_sets, repo or None, os.environ.get("GITHUB_SERVER_URL") or GITHUB
    )
    digests = component_digests(prompt_library, read.components, read.library)
    site = build_site(read.library, digests)
    for component in site.components:
        for problem in (component.problem, component.leaderboard_problem):
            if problem is not None:
                warn(problem)
    if site.library.models_problem is not None:
        warn(site.library.models_problem)
    layout = Layout() if embedding is None else embedding.layout
    written = write_site(folder, [*site_pages(site, layout), *data_files(site)])
    if embedding is not None and place_in_navigation(embedding, site) == "none":
        warn(
            f"{mkdocs}: there is no mkdocs.yml with these pages, so that its navigation is left to you: "
            f"{FOLDER}/index.md is the first page"
        )
    first, totals = folder / layout.file(INDEX_PAGE), site.totals
    print_line(
        f"{first}: {counted(totals.components, 'component')}, {counted(totals.models, 'model')}, "
        f"{counted(totals.runs, 'run')}; {counted(written.written, 'file')} written, "
        f"{written.unchanged} unchanged, {written.removed} removed"
    )
    return Exit.DONE
