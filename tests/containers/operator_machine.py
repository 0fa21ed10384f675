"""A VM as its operator has it: a shell of a user who is not root, with sudo, git and the Docker client.

It is a container with the engine's socket. Its folder has the same path inside and on this machine, since the
engine takes the paths that compose hands it for its own.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.containers.engine import LABEL, remove, remove_project, run_docker
from tests.containers.images import Images

SOCKET = "/var/run/docker.sock"
USER = "ops"
COMMAND_SECONDS = 900
"""At most, for one command; some build images."""
CONSOLE = re.compile(r"^(?P<indent> *)```console\n(?P<lines>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One console block of a page; `number` counts those below one heading, from 1."""

    heading: str
    number: int
    commands: tuple[str, ...]

    @property
    def name(self) -> tuple[str, int]:
        return self.heading, self.number


def console_blocks(page: Path) -> list[Block]:
    """All console blocks of a page, in its order; every line in them is a command."""
    text = page.read_text("utf-8")
    found: list[Block] = []
    for block in CONSOLE.finditer(text):
        heading = [each[1] for each in HEADING.finditer(text, 0, block.start())][-1]
        number = 1 + sum(known.heading == heading for known in found)
        lines = [line.removeprefix(block["indent"]) for line in block["lines"].splitlines()]
        assert all(line.startswith("$ ") for line in lines), f"{page.name}, {heading}: not a command: {lines}"
        found.append(Block(heading, number, tuple(line.removeprefix("$ ") for line in lines)))
    return found


@dataclass(frozen=True)
class Machine:
    """The shell of one VM. What is left of a project there is removed with it."""

    name: str
    folder: Path
    project: str
    https_port: int
    http_port: int

    @property
    def clone(self) -> Path:
        """Where *Install* puts the project."""
        return self.folder / "evaluator"

    @property
    def authority(self) -> Path:
        """The authority that its programs trust."""
        return self.folder / "authority.crt"

    def run(self, command: str, typed: str | None = None) -> str:
        """What a command prints in the operator's shell, where he types `typed`; it must succeed."""
        return self._done(command, typed).stdout

    def said(self, command: str, typed: str | None = None) -> str:
        """The same, and then its errors: the engine carries them apart, so that their order is lost."""
        done = self._done(command, typed)
        return done.stdout + done.stderr

    def _done(self, command: str, typed: str | None) -> subprocess.CompletedProcess[str]:
        # The folder that a command has changed to is the next one's.
        script = f'cd "$(cat ~/here)"; {command}\ncode=$?; pwd >~/here; exit $code'
        trusted = f"CURL_CA_BUNDLE={self.authority}"
        stdin = ["--interactive"] if typed is not None else []
        done = subprocess.run(
            ["docker", "exec", *stdin, "--user", USER, "--env", trusted, self.name, "bash", "-c", script],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == 0, f"$ {command}\n{said}\n{self._log()}"
        return done

    def _log(self) -> str:
        """What the service said last, for a failure's message."""
        words = ["docker", "logs", "--tail", "20", f"{self.project}-hook-1"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout + done.stderr

    def as_root(self, *command: str) -> str:
        """Run a command that is no operator's: it prepares the machine."""
        return run_docker("exec", "--user", "root", self.name, *command)


@contextmanager
def machine(
    image: str, images: Images, folder: Path, ports: Sequence[int], *, shared: Path
) -> Iterator[Machine]:
    """A VM with an empty home; `folder` is its alone, `shared` what it can copy from and to."""
    project = images.project(folder.name)
    up = Machine(f"{project}-operator", folder, project, *ports)
    mounts = [part for each in (SOCKET, folder, shared) for part in ("--volume", f"{each}:{each}")]
    try:
        run_docker(
            *("run", "--detach", "--init", "--name", up.name, "--label", f"{LABEL}={project}"),
            *("--network", "host", *mounts, image),
        )
        up.as_root("bash", "-c", _READY, "-", str(folder), str(shared))
        yield up
    finally:
        # As root, whatever users the files are of: the folders' owner here may not remove them.
        empty = ["find", str(folder), str(shared), "-mindepth", "1", "-delete"]
        subprocess.run(["docker", "exec", "--user", "root", up.name, *empty], check=False)
        remove("container", up.name)
        remove_project(project)


_READY = f"""
set -eu
group=$(stat --format %g {SOCKET})
getent group "$group" >/dev/null || groupadd --gid "$group" engine
sudo -u {USER} git config --global --add safe.directory "*"
usermod --append --groups "$group" {USER}
chown -R {USER}: "$1" "$2"
echo "$1" >/home/{USER}/here
chown {USER}: /home/{USER}/here
"""
