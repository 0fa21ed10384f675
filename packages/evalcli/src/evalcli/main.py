"""`evalcli`: one module per command, loaded only when it is asked for."""

from __future__ import annotations

import os
import sys
from typing import Final

import click

from evalcli.commands.lazy_group import LazyGroup
from evalcli.commands.verbosity import how_much_is_said
from evalcli.exits import PROGRAM, run
from evalcore.version import __version__

# Where it finds rich, httpx loads the command line of its own, which no call needs: a third of its time
# to load.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # "not there", as the import system has it

COMMANDS: Final = {
    "evaluate": ("evalcli.commands.evaluate", "Evaluate a component on every model whose key is present."),
    "check": ("evalcli.commands.check", "Check a prompt library without calling a model."),
    "show": ("evalcli.commands.show", "Show what is wrong in a run's replies, and why."),
    "report": ("evalcli.commands.report", "Report what a run's replies show: in short, or to be published."),
    "compare": ("evalcli.commands.compare", "Say whether a component's answers have got better or worse."),
    "score": ("evalcli.commands.score", "Score one answer by hand, and explain the scoring rules."),
    "rescore": ("evalcli.commands.rescore", "Score runs again from their kept replies."),
    "leaderboard": (
        "evalcli.commands.leaderboard",
        "Show, merge, resolve, validate and rescore leaderboards.",
    ),
    "dashboard": ("evalcli.commands.dashboard", "Write the static site that shows all leaderboards."),
    "completion": ("evalcli.commands.completion", "Print the script for completion in a shell."),
    "cases": ("evalcli.commands.cases", "Read the documents among a component's inputs."),
    "models": ("evalcli.commands.models", "List, check, add and remove the models to evaluate."),
    "list": ("evalcli.commands.list", "List the components of the prompt library."),
    "runs": ("evalcli.commands.runs", "List the runs whose replies are kept."),
    "bumps": ("evalcli.commands.bumps", "Say whose MAJOR or MINOR version rose between two commits."),
    "trigger": ("evalcli.commands.trigger", "Ask the service to evaluate a component on the local models."),
    "publish": ("evalcli.commands.publish", "Publish runs as a pull request, as the service does."),
    "sweep": ("evalcli.commands.sweep", "Ask for the evaluations that a prompt library lacks."),
    "campaign": ("evalcli.commands.campaign", "Evaluate many components on many models, on many hosts."),
    "init": ("evalcli.commands.init", "Make a prompt library evaluate itself: workflows and models.yaml."),
}
"""Name to module and summary. The module's `command` is the command; `--help` needs the summary alone."""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 1 done, but a run failed or is partial, a case is broken, a check or a gate"
    " is not met; 2 wrong usage, configuration or input; 3 nothing to evaluate; 130 interrupted.",
)
@how_much_is_said
@click.version_option(__version__, prog_name=PROGRAM)
def cli() -> None:
    """Measure how accurate and how reproducible a prompt's answers are, model by model.

    -q and -v may stand behind any command as well.
    """


def main() -> None:
    """Run `evalcli` on the process's arguments."""
    # A job container of Actions runs as root in a workspace of the runner's user, who must be able to remove
    # what is made there: with root's folders the next checkout on that runner would fail.
    if os.environ.get("GITHUB_ACTIONS") == "true" and os.geteuid() == 0:
        os.umask(0)
    sys.exit(run(cli, sys.argv[1:]))
