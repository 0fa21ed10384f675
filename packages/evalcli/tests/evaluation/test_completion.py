"""Completion, asked for as a shell does, of a prompt library on the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.runs.folder import RunFolder
from evalsim.testing import make_record, make_run_plan, write_component, write_leaderboard

EVALCLI = [sys.executable, "-c", "from evalcli.main import main; main()"]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    for slug in ("memo", "notice"):
        write_component(root, slug, schema={"type": "object"}, cases={"one": {"a": 1}, "other": {"a": 2}})
    write_leaderboard(root / "components" / "memo" / "leaderboard.json", make_record(1))
    (root / ".evaluator").mkdir()
    (root / ".evaluator" / "models.yaml").write_text("models:\n  - {id: 'phi4:14b', provider: mindrouter}\n")
    RunFolder.create(root / ".evaluator" / "runs", make_run_plan()).close()
    return root


def _completed(library: Path, *words: str) -> list[str]:
    """Return what a shell is offered for the last of the words."""
    asked = {
        "_EVALCLI_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("evalcli", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        EVALCLI, cwd=library, env=os.environ | asked, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["comp"], ["compare", "completion"]),
        (["evaluate", "m"], ["memo"]),
        (["evaluate", "memo", "--case", "o"], ["one", "other"]),
        (["score", "answer", "memo", "--case", "ot"], ["other"]),
        (["score", "memo", "--case", "ot"], ["other"]),
        (["score", "m"], ["memo"]),
        (["score", "a"], ["answer"]),
        (["report", "--compare", "memo@"], [f"memo@1.0.0/{make_run_plan().model.id}"]),
        (["publish", "memo@"], [f"memo@1.0.0/{make_run_plan().model.id}"]),
        (["evaluate", "memo", "--model", "phi"], ["phi4:14b"]),
        (["compare", "memo@"], ["memo@1.0.0"]),
        (["show", "memo@1.0.0/"], [f"memo@1.0.0/{make_run_plan().model.id}"]),
        (["show", make_run_plan().run_id[:4]], [make_run_plan().run_id]),
        (["show", "memo@1.0.0", "--case", "o"], ["one"]),
        (["rescore", "memo@1.0.0/"], [f"memo@1.0.0/{make_run_plan().model.id}"]),
        (["evaluate", "memo", "--resume", "memo@"], [f"memo@1.0.0/{make_run_plan().model.id}"]),
        (["runs", "no"], ["notice"]),
        (["models", "remove", "phi"], ["phi4:14b"]),
        (["models", "add", "x", "--provider", "m"], ["mindrouter"]),
        (["leaderboard", "show", "no"], ["notice"]),
        (["evaluate", "absent", "--case", "o"], []),
        (["show", "memo/"], [f"memo/{make_run_plan().model.id}"]),
        (["check", "components/m"], ["components/memo/"]),
        (["evaluate", "../library/components/n"], ["../library/components/notice/"]),
        (["compare", "components/m"], ["components/memo/"]),
    ],
)
def test_a_shell_is_offered_what_the_library_has(library: Path, words: list[str], offered: list[str]) -> None:
    assert _completed(library, *words) == offered


def test_without_a_file_of_models_the_providers_that_are_built_in_are_offered(tmp_path: Path) -> None:
    assert _completed(tmp_path, "models", "add", "x", "--provider", "o") == ["openai"]


def test_where_nothing_can_be_read_nothing_is_offered_or_said(tmp_path: Path) -> None:
    assert _completed(tmp_path, "evaluate", "memo", "--model", "") == []


# in the shells themselves

BASH = """\
source /dev/stdin <<< "$(evalcli completion bash)"
complete_line() {
  COMP_LINE="$1" COMP_POINT=${#1}; read -ra COMP_WORDS <<< "$1"; [[ $1 == *" " ]] && COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
  _evalcli_completion evalcli; printf '%s\\n' "${COMPREPLY[@]}"
}
complete_line "$LINE"
"""
ZSH = """\
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='> '; autoload -Uz compinit; compinit -u; LISTMAX=1000; setopt NO_LIST_BEEP"
zpty -w shell 'eval "$(evalcli completion zsh)"; print -n rea; print dy'
zpty -r shell seen '*ready*'
zpty -w -n shell "$LINE"$'\\t'
zpty -r -m shell seen "*${~UNTIL}*" && print -r -- $seen
"""
FISH = """\
evalcli completion fish | source
complete -C "$LINE"
"""
SCRIPTS = {
    "bash": ["bash", "-c", BASH],
    "zsh": ["zsh", "-f", "-c", ZSH],
    "fish": ["fish", "--no-config", "-c", FISH],
}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with `evalcli` in it, as it is installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "evalcli").write_text(f"#!{sys.executable}\nfrom evalcli.main import main\nmain()\n")
    (folder / "evalcli").chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("evalcli evaluate no", "notice"),
        ("evalcli evaluate memo --model phi", "phi4:14b"),
        ("evalcli evaluate memo --case on", "one"),
        ("evalcli compare memo@", "memo@1.0.0"),
        ("evalcli check components/m", "components/memo/"),
        ("evalcli leaderboard merge-d", "merge-driver"),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_with_the_script_that_it_is_given(
    library: Path, program: Path, shell: str, line: str, offered: str
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    environment = os.environ | {
        "PATH": f"{program}:{os.environ['PATH']}",
        "HOME": str(program),
        "LINE": line,
        "UNTIL": offered,
        "TERM": "dumb",
    }
    done = subprocess.run(
        SCRIPTS[shell], cwd=library, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert offered in done.stdout, done.stderr


def test_fish_shows_a_summary_with_a_comma_whole(library: Path, program: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    environment = os.environ | {"PATH": f"{program}:{os.environ['PATH']}", "LINE": "evalcli leaderboard mer"}
    done = subprocess.run(
        SCRIPTS["fish"], cwd=library, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert "Unite leaderboards of one component, by" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(evalcli: Callable[..., Any], shell: str) -> None:
    ended = evalcli("completion", shell)
    assert ended.code == 0
    assert f"_EVALCLI_COMPLETE={shell}_complete" in ended.out
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=ended.out, text=True, check=True, timeout=60)
