"""`evalcli completion`: the script by which a shell completes command lines."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from evalcli.exits import PROGRAM, Exit, refuse
from evalcli.terminal.output import print_bytes

SHELLS: Final = ("bash", "zsh", "fish")
BASH_WORDS: Final = """\
# Versions (memo@1.2.0) and models (phi4:14b) are one word each.
COMP_WORDBREAKS=${COMP_WORDBREAKS//[@:]/}
"""


@click.command(name="completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print the script that completes evalcli's command lines in a shell.

    \b
    bash: echo 'eval "$(evalcli completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(evalcli completion zsh)"' >> ~/.zshrc
    fish: evalcli completion fish > ~/.config/fish/completions/evalcli.fish

    Besides commands and options it completes components, cases, models, versions and runs of the prompt
    library in the working directory, or of the one that is named.
    """  # noqa: D301 - click takes the character for "do not rewrap"
    kind = get_completion_class(shell)
    if kind is None:
        refuse(f"{shell} is not known here", hint=f"use {', '.join(SHELLS)}")
    script = kind(context.find_root().command, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source()
    if shell == "fish":
        # click's own parts an offer at every comma: of a summary that has one the rest would be lost.
        script = script.replace('string split ","', 'string split --max 1 ","')
    # bash alone parts words at these characters, and would complete only what stands behind them.
    print_bytes(f"{BASH_WORDS if shell == 'bash' else ''}{script}\n".encode())
    return Exit.DONE
