"""A Git LFS pointer is never taken for the file whose contents it stands for."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from evalcore.errors import CheckoutError
from evalcore.library.cases import load_cases
from evalcore.library.checkout import CommitCheckout, FolderCheckout, lfs_pointer
from evalcore.library.loader import load_component

CASE = "components/memo/evals/cases/large"
CONTENTS = b"An award of which the case is about.\n"


def pointer_to(data: bytes) -> bytes:
    oid = hashlib.sha256(data).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n".encode()


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    for name, data in {
        "components/memo/prompt.md": b"---\nname: Memo\nversion: 1.0.0\n---\nAnswer.\n",
        "components/memo/schema.json": b"{}",
        "components/memo/evals/cases/small/input.md": b"hello",
        "components/memo/evals/cases/small/expected.json": b'{"a": 1}',
        f"{CASE}/input.md": b"hello",
        f"{CASE}/expected.json": b'{"a": 1}',
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    git(tmp_path, "init", "-q", str(root))
    return root


def committed(library: Path) -> str:
    git(library, "add", "-A")
    git(library, "commit", "-qm", "x")
    return git(library, "rev-parse", "HEAD")


def store(git_folder: Path, data: bytes, name: bytes | None = None) -> None:
    oid = hashlib.sha256(data if name is None else name).hexdigest()
    place = git_folder / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
    place.parent.mkdir(parents=True)
    place.write_bytes(data)


@pytest.mark.parametrize("name", ["input.md", "expected.json"])
def test_a_case_with_a_pointer_is_skipped_and_told_to_be_fetched(library: Path, name: str) -> None:
    (library / CASE / name).write_bytes(pointer_to(CONTENTS))
    checkout = FolderCheckout(library)
    cases, skipped = load_cases(checkout, None, load_component(checkout, None, "memo"))
    assert [case.name for case in cases] == ["small"]
    assert f"{CASE}/{name}: is a Git LFS pointer: fetch it" in skipped[0].reason


def test_a_pointer_in_a_commit_whose_contents_were_not_fetched_is_skipped(library: Path) -> None:
    (library / CASE / "input.md").write_bytes(pointer_to(CONTENTS))
    with CommitCheckout(library, committed(library)) as checkout:
        cases, skipped = load_cases(checkout, None, load_component(checkout, None, "memo"))
    assert [case.name for case in cases] == ["small"]
    assert "is a Git LFS pointer: fetch it to the clone; run `git lfs fetch" in skipped[0].reason


@pytest.mark.parametrize("bare", [False, True])
def test_contents_in_the_clones_store_are_read_in_place_of_the_pointer(
    library: Path, tmp_path: Path, *, bare: bool
) -> None:
    (library / CASE / "input.md").write_bytes(pointer_to(CONTENTS))
    commit = committed(library)
    clone, git_folder = library, library / ".git"
    if bare:
        clone = git_folder = tmp_path / "clone.git"
        git(tmp_path, "clone", "-q", "--bare", str(library), str(clone))
    store(git_folder, CONTENTS)
    with CommitCheckout(clone, commit) as checkout:
        cases, skipped = load_cases(checkout, None, load_component(checkout, None, "memo"))
    assert [case.input for case in cases if case.name == "large"] == [CONTENTS.decode()]
    assert skipped == ()


def test_contents_that_are_not_what_the_pointer_says_are_not_taken(library: Path) -> None:
    (library / CASE / "input.md").write_bytes(pointer_to(CONTENTS))
    commit = committed(library)
    store(library / ".git", b"x" * len(CONTENTS), name=CONTENTS)
    with (
        CommitCheckout(library, commit) as checkout,
        pytest.raises(CheckoutError, match="is a Git LFS pointer"),
    ):
        checkout.read(f"{CASE}/input.md")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"This file tells of version https://git-lfs.github.com/spec/v1\noid sha256:"
        + b"0" * 64
        + b"\nsize 1\n",
        json.dumps({"version": "https://git-lfs.github.com/spec/v1"}).encode(),
        pointer_to(CONTENTS) + b"x" * 2000,
    ],
)
def test_other_files_are_no_pointers(data: bytes) -> None:
    assert lfs_pointer(data) is None


def test_a_pointer_says_which_contents_it_stands_for() -> None:
    found = lfs_pointer(pointer_to(CONTENTS))
    assert found is not None
    assert (found.oid, found.size) == (hashlib.sha256(CONTENTS).hexdigest(), len(CONTENTS))
    assert lfs_pointer(pointer_to(CONTENTS).replace(b"\n", b"\r\n")) == found
