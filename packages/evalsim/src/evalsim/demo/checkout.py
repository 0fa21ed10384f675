"""The demo's git: the author's clone that pushes, and the reader's that looks at what arrived."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

from evalsim.demo.failure import DemoError
from evalsim.library import git_environment

TIMEOUT = 60.0


class Checkout:
    """A folder under git with the simulated GitHub as its remote `origin`."""

    def __init__(self, path: Path, url: str, token: str) -> None:
        self.path = path
        self.url = url
        credentials = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        # In the environment, as a token has no place among arguments or in a configuration file.
        self._environment = git_environment(
            {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {credentials}",
                "no_proxy": "127.0.0.1,localhost",
            }
        )

    def push(self, branch: str) -> None:
        """Push the branch to `origin`, which it must be able to hold."""
        self.run("remote", "add", "origin", self.url)
        self.run("push", "--quiet", "origin", f"{branch}:{branch}")

    def clone(self) -> None:
        """Make the folder as a clone of the remote."""
        self.path.mkdir(parents=True)
        self.run("clone", "--quiet", self.url, ".")

    def fetch(self) -> None:
        """Learn what the remote holds now."""
        self.run("fetch", "--quiet", "--prune", "origin")

    def tip(self, branch: str) -> str:
        """Return the commit that the remote itself names as the branch's tip."""
        listed = self.run("ls-remote", "--exit-code", "origin", f"refs/heads/{branch}")
        return listed.split()[0]

    def changed_files(self, base: str, head: str) -> list[str]:
        """Return the paths that differ between the fork point of two revisions and the second."""
        return self.run("diff", "--name-only", f"{base}...{head}").splitlines()

    def run(self, *arguments: str) -> str:
        """Run git and return what it prints; raises DemoError with git's own words."""
        try:
            done = subprocess.run(
                ["git", "-C", os.fspath(self.path), *arguments],  # noqa: S607 - git is found as the user finds it
                env=self._environment,
                check=True,
                capture_output=True,
                timeout=TIMEOUT,
            )
        except FileNotFoundError as error:
            raise DemoError("git is not installed", hint="install git 2.38 or newer") from error
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"git {arguments[0]} took over {TIMEOUT:.0f} s", where=self.url) from error
        except subprocess.CalledProcessError as error:
            words = error.stderr.decode("utf-8", "replace").strip()
            raise DemoError(f"git {arguments[0]} failed: {words}", where=self.url) from error
        return done.stdout.decode("utf-8", "replace")
