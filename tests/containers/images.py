"""The images under test: built once, under tags that belong to this copy of the project alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.containers.engine import LABEL, images_tagged, remove, remove_left, run_docker

BUILD_SECONDS = 900
USERS, BUILDERS = "tests/containers", "docker"
"""Folders that are locked, since a file for it would be left behind: by users of images, and by builders."""


def mark_of(root: Path) -> str:
    """What tells this copy of the project from another on the same engine."""
    return sha256(str(root.resolve()).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Images:
    """Names with tags. What a test builds besides has its name from `tag`, and is removed with the others."""

    mark: str

    def tag(self, name: str) -> str:
        return f"{LABEL}-{name}:{self.mark}"

    def project(self, name: str) -> str:
        """The name of a compose project of this process's."""
        return f"{LABEL}-{self.mark}-{os.getpid()}-{name}"

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
    with _shared(root):
        with _opened(root / BUILDERS) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Most of a build is waiting for packages; the builder makes the stage that the two share once.
            with ThreadPoolExecutor(2) as pool:
                runner = pool.submit(_build, images.runner, root, "docker/runner.Dockerfile", base)
                _build(images.hook, root, "docker/hook.Dockerfile", base)
                hook = ["--build-arg", f"HOOK_IMAGE={images.hook}"]
                _build(images.simulator, root, "tests/containers/simulator.Dockerfile", [*base, *hook])
                runner.result()
        yield images


@contextmanager
def built_image(root: Path, name: str, base: list[str], folder: str) -> Iterator[str]:
    """Build one more, of <folder>/<name>.Dockerfile, and give its tag; removed as the others are."""
    tag = Images(mark_of(root)).tag(name)
    with _shared(root):
        with _opened(root / BUILDERS) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _build(tag, root, f"{folder}/{name}.Dockerfile", base)
        yield tag


def _build(tag: str, root: Path, file: str, arguments: list[str]) -> None:
    run_docker(
        "build", *arguments, "--tag", tag, "--file", str(root / file), str(root), seconds=BUILD_SECONDS
    )


@contextmanager
def alone(root: Path) -> Iterator[bool]:
    """Whether nobody else uses this copy's images, and nobody begins to until the block ends."""
    with _opened(root / USERS) as descriptor:
        yield _locks_at_once(descriptor)


@contextmanager
def _shared(root: Path) -> Iterator[None]:
    """Be one of those who use this copy's images; the lock of one that was killed is gone with it."""
    with _opened(root / USERS) as descriptor:
        if _locks_at_once(descriptor):
            remove_left(mark_of(root))  # of a run that was killed
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        try:
            yield
        finally:
            if _locks_at_once(descriptor):
                remove("image", *images_tagged(mark_of(root)))


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _locks_at_once(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
