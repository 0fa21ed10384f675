"""The images under test: built once, under tags that belong to this copy of the project alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.containers.engine import LABEL, images_tagged, remove, run_docker

BUILD_SECONDS = 900


def mark_of(root: Path) -> str:
    """What tells this copy of the project from another on the same engine."""
    return sha256(str(root.resolve()).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Images:
    """Names with tags. What a test builds besides has its name from `tag`, and is removed with the others."""

    mark: str

    def tag(self, name: str) -> str:
        return f"{LABEL}-{name}:{self.mark}"

    @property
    def hook(self) -> str:
        return self.tag("hook")

    @property
    def runner(self) -> str:
        return self.tag("runner")

    @property
    def simulator(self) -> str:
        """What plays MindRouter, GitHub and a provider of cloud models."""
        return self.tag("simulator")


@contextmanager
def built_images(root: Path, base: list[str]) -> Iterator[Images]:
    """Build them; `base` are build arguments. Whoever of this copy uses them last removes their tags.

    Processes of one copy build one after the other, so that the second one finds everything in the
    builder's cache, which stays.
    """
    images = Images(mark_of(root))
    with _shared(root / "tests/containers"):
        with _locked(root / "docker"):
            _build(images.hook, root, "docker/hook.Dockerfile", base)
            _build(images.runner, root, "docker/runner.Dockerfile", base)
            hook = ["--build-arg", f"HOOK_IMAGE={images.hook}"]
            _build(images.simulator, root, "tests/containers/simulator.Dockerfile", [*base, *hook])
        yield images


def _build(tag: str, root: Path, file: str, arguments: list[str]) -> None:
    run_docker(
        "build", *arguments, "--tag", tag, "--file", str(root / file), str(root), seconds=BUILD_SECONDS
    )


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _shared(folder: Path) -> Iterator[None]:
    """Be one of those who use this copy's images; the lock of one that was killed is gone with it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        remove("image", *images_tagged(mark_of(folder.parents[1])))
    finally:
        os.close(descriptor)
