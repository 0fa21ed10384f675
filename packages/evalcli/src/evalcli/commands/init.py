"""`evalcli init`: make a prompt library evaluate itself, or bring what was installed to this version."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from evalcli.commands.arguments import library_around
from evalcli.exits import Exit, refuse
from evalcli.leaderboards.conflicts import ATTRIBUTES, CONFIG_LINE, install_attributes, lacks_attributes
from evalcli.terminal.output import note, print_line, print_verbatim, warn
from evalcli.workflows.install import (
    Action,
    FileChange,
    default_branch,
    merge_texts,
    pages_workflow,
    plan_changes,
    write_changes,
)
from evalcore.library.loader import COMPONENTS
from evalcore.version import __version__

WORDS: Final[dict[Action, str]] = {
    "written": "new",
    "updated": f"brought to version {__version__}",
    "merged": f"brought to version {__version__}, with your edits kept",
    "unchanged": "as it is",
    "kept": "yours, left as it is",
    "removed": "not there any more, and left so",
    "foreign": "not of `evalcli init`: left as it is; rename or remove it, and run this again",
    "conflict": "your edits and this version change the same lines: left as it is",
}
LEFT: Final = frozenset({"foreign", "conflict"})
TO_SET: Final = """\
To set on GitHub, under Settings > Secrets and variables > Actions:
  variable EVAL_RUNNER_IMAGE: the image with evalcli, by digest (ghcr.io/OWNER/evaluator-runner@sha256:...)
  variable EVAL_WEBHOOK_URL: the address of the service, https://..., for local models
  secret MINDROUTER_EVAL_WEBHOOK_TOKEN: the service's token; none where it takes GitHub's own (OIDC)
  secrets OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY: of the providers that are used, for cloud models
  optional variables: EVAL_DATA_SETS_REPO, EVAL_MAX_COST, EVAL_TRUSTED_PUBLISHERS, EVAL_APP_ID,
    EVAL_DASHBOARD_URL
  optional secrets: EVAL_DATA_SETS_TOKEN, EVAL_CASE_NAMES_KEY, EVAL_APP_PRIVATE_KEY
Under Settings > Actions > General: let Actions create pull requests, unless EVAL_APP_ID is set.
Under Settings > Pages: "GitHub Actions" as the source, for the dashboard of pages.yml.
In each clone, so that git merges leaderboards by itself:"""

OWN_PAGES: Final = (
    "publishes this library's pages, so pages.yml is left out. For the dashboard among them, before MkDocs:"
)
STEP: Final = """\
      - name: Dashboard
        env:
          IMAGE: ${{ vars.EVAL_RUNNER_IMAGE }}
        run: >-
          docker run --rm --user "$(id -u)" --volume "$PWD:/library" --workdir /library "$IMAGE"
          evalcli dashboard --mkdocs docs
"""


@click.command(name="init")
@click.argument(
    "folder", metavar="[DIR]", default=Path(), type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--pull-requests",
    is_flag=True,
    help="Also install the workflow that has a pull request's own head evaluated before anyone merges.",
)
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Show what would change; write nothing.")
def command(folder: Path, *, is_dry_run: bool, pull_requests: bool) -> int:
    """Install the workflows, .evaluator/models.yaml and the merge driver's line into a prompt library.

    DIR is the library's root; default: the working directory. Run again after an upgrade: what you
    changed is kept and merged with this version. Exit code 1: a file was left as it is that this version
    would change.
    """
    root = library_around(folder)
    if root != folder:
        refuse(f"{folder} is inside of the prompt library {root}", hint="name its root, or begin there")
    branch, own_pages = default_branch(folder), pages_workflow(folder)
    changes = plan_changes(folder, merge_texts, branch, pull_requests=pull_requests)
    if not is_dry_run:
        write_changes(folder, changes, branch)
    for change in changes:
        print_line(f"{change.path}: {WORDS[change.action]}")
        _print_diff(change)
    if (lacks_attributes if is_dry_run else install_attributes)(folder):
        print_line(f".gitattributes: the line `{ATTRIBUTES}`")
    for text in TO_SET.splitlines():
        print_line(text)
    print_verbatim(f"  {CONFIG_LINE}")
    if own_pages is not None:
        print_line(f"{own_pages} {OWN_PAGES}")
        for text in STEP.splitlines():
            print_verbatim(text)
    if not (folder / COMPONENTS).is_dir():
        warn(f"{folder} has no {COMPONENTS}/ yet; begin with {COMPONENTS}/NAME/prompt.md")
    if is_dry_run:
        note("nothing was written: this is what would change")
    return Exit.INCOMPLETE if any(change.action in LEFT for change in changes) else Exit.DONE


def _print_diff(change: FileChange) -> None:
    for text in change.diff():
        print_verbatim(f"  {text}")
