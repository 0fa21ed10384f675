"""`evalcli completion`: the script that a shell reads."""

from __future__ import annotations

import shutil
import subprocess

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(evalcli, shell):
    ended = evalcli("completion", shell)
    assert (ended.code, ended.err) == (0, "")
    assert "_EVALCLI_COMPLETE" in ended.out


def test_the_script_for_bash_is_bash(evalcli):
    script = evalcli("completion", "bash").out
    program = shutil.which("bash")
    assert program is not None
    subprocess.run([program, "-n"], input=script, text=True, check=True, timeout=20)
    words = f"{script}\nprintf '%s' \"$COMP_WORDBREAKS\""
    shown = subprocess.run(
        [program, "-c", f"COMP_WORDBREAKS=' :@='\n{words}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert shown.stdout.endswith(" =")


@pytest.mark.parametrize("shell", ["powershell", "", "BASH"])
def test_a_shell_that_is_not_known_is_refused_with_those_that_are(evalcli, shell):
    ended = evalcli("completion", shell)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert all(name in ended.err for name in ("bash", "zsh", "fish"))
