"""A repository made to do harm: nothing in it makes git run a program, or write or read outside of it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from evalcore.errors import CheckoutError, EvaluatorError
from evalcore.git import errors
from evalcore.git.clone import Clone
from evalcore.library.checkout import CommitCheckout, FolderCheckout
from evalsim.testing import commit_file, git

SECRET = "what only the VM's own files hold"


class Trap:
    """An upstream whose commits are made by hand, a clone of it, and a file that betrays any run program."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.canary, self.secret = root / "ran", root / "secret.txt"
        self.secret.write_text(SECRET)
        self.script = root / "trap.sh"
        self.script.write_text(f"#!/bin/sh\ntouch {self.canary}\ncat\n")
        self.script.chmod(0o755)
        self.upstream = root / "upstream.git"
        git(root, "init", "-q", "--bare", "-b", "main", str(self.upstream))
        self.parent = ""
        self.push(("100644", "README.md", "harmless"))
        git(root, "clone", "-q", str(self.upstream), str(root / "clone"))
        self.clone = Clone(root / "clone", work=root / "work")

    def blob(self, text: str) -> str:
        return git(self.upstream, "hash-object", "-w", "--stdin", stdin=text.encode())

    def tree(self, *entries: tuple[str, str, str]) -> str:
        """Make a tree by hand, with names that git would refuse to add; `text` is a tree's id for 040000."""
        lines = b""
        for mode, name, text in sorted(entries, key=lambda entry: entry[1]):
            sha = text if mode in {"40000", "160000"} else self.blob(text)
            lines += f"{mode} {name}".encode() + b"\0" + bytes.fromhex(sha)
        arguments = ("hash-object", "-w", "-t", "tree", "--literally", "--stdin")
        return git(self.upstream, *arguments, stdin=lines)

    def push(self, *entries: tuple[str, str, str]) -> str:
        parent = ["-p", self.parent] if self.parent else []
        tree = self.tree(*entries)
        self.parent = git(self.upstream, "commit-tree", tree, *parent, "-m", "x")
        git(self.upstream, "update-ref", "refs/heads/main", self.parent)
        return self.parent


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


def evaluate(trap: Trap) -> None:
    """Do all that a job does with a commit: pull, check out, read, commit results."""
    tip = trap.clone.fast_forward()
    with trap.clone.worktree(tip) as folder:
        checkout = FolderCheckout(folder)
        for name in checkout.folders(""):
            checkout.folders(name)
    commit_file(trap.clone, tip, "components/memo/leaderboard.json", b"{}\n", "eval(memo): 1.0.0, 1 models")


def test_configuration_attributes_and_submodules_of_a_commit_run_nothing(trap: Trap) -> None:
    script = trap.script
    hooks = trap.tree(
        ("100755", "post-checkout", script.read_text()), ("100755", "pre-push", script.read_text())
    )
    config = f'[core]\n\thooksPath = hooks\n\tfsmonitor = {script}\n[filter "evil"]\n\tsmudge = {script}\n'
    modules = f'[submodule "x"]\n\tpath = sub\n\turl = ext::sh -c {script}\n\tupdate = !{script}\n'
    trap.push(
        ("100644", ".gitattributes", "* filter=evil diff=evil merge=evil ident export-subst\n"),
        ("100644", ".gitconfig", config),
        ("100644", ".gitmodules", modules),
        ("160000", "sub", trap.parent),
        ("40000", "hooks", hooks),
        ("100644", "README.md", "$Id$ $Format:%an$"),
    )
    evaluate(trap)
    assert not trap.canary.exists()


@pytest.mark.parametrize("name", [".git", ".GIT", "git~1", ".g\u200cit", ".git "])
def test_a_folder_that_would_pass_for_gits_own_is_not_checked_out(trap: Trap, name: str) -> None:
    inside = trap.tree(("100644", "config", f"[core]\n\tfsmonitor = {trap.script}\n"))
    trap.push(("40000", name, inside), ("100644", "README.md", "x"))
    before = (trap.root / "clone" / ".git" / "config").read_bytes()
    with suppress(EvaluatorError):  # git of its own accord refuses most of them
        evaluate(trap)
    assert not trap.canary.exists()
    assert (trap.root / "clone" / ".git" / "config").read_bytes() == before


@pytest.mark.parametrize("name", ["..", "../../outside", "/tmp/evalhook-outside"])
def test_a_path_that_leaves_the_folder_writes_nothing(trap: Trap, name: str) -> None:
    before = sorted(path.name for path in trap.root.iterdir())
    mode = "40000" if name == ".." else "100644"
    trap.push((mode, name, trap.tree(("100644", "outside", "x")) if mode == "40000" else "x"))
    with pytest.raises(EvaluatorError):
        evaluate(trap)
    assert sorted({path.name for path in trap.root.iterdir()} - {"work"}) == before
    assert not Path("/tmp/evalhook-outside").exists()


def test_files_that_look_like_options_are_files(trap: Trap) -> None:
    tip = trap.push(
        ("100644", "--upload-pack=touch ran", "x"), ("100644", "-x", "y"), ("100644", ":(exclude)*", "z")
    )
    evaluate(trap)
    with trap.clone.worktree(tip) as folder:
        assert (folder / "-x").read_text() == "y"
    with CommitCheckout(trap.clone.path, tip) as commit:
        assert commit.read("-x") == b"y"
    assert not trap.canary.exists()


def test_links_that_leave_the_checkout_are_not_followed(trap: Trap) -> None:
    tip = trap.push(
        ("120000", "absolute", str(trap.secret)),
        ("120000", "relative", "../../../secret.txt"),
        ("120000", "folder", str(trap.root)),
        ("120000", "git", str(trap.root / "clone" / ".git")),
    )
    trap.clone.fast_forward()
    with trap.clone.worktree(tip) as folder, CommitCheckout(trap.clone.path, tip) as commit:
        for checkout in (FolderCheckout(folder), commit):
            for path in ("absolute", "relative", "folder/secret.txt", "git/config"):
                with pytest.raises(CheckoutError) as caught:
                    checkout.read(path)
                assert SECRET not in caught.value.line


@pytest.mark.parametrize(
    "git_sha", ["--upload-pack=x", "-h", "HEAD", "main", "", "refs/heads/main", "1234567\n"]
)
def test_no_text_of_a_request_becomes_an_option_or_a_name(trap: Trap, git_sha: str) -> None:
    for resolve in (trap.clone.resolve, trap.clone.resolve_any):
        with pytest.raises(errors.CommitNotFound):
            resolve(git_sha)


def side_commit(trap: Trap, reference: str) -> str:
    """A commit of the remote that its default branch does not hold."""
    tree = git(trap.upstream, "rev-parse", "main^{tree}")
    sha = git(trap.upstream, "commit-tree", tree, "-m", reference)
    git(trap.upstream, "update-ref", reference, sha)
    return sha


@pytest.mark.parametrize("reference", ["refs/heads/side", "refs/pull/7/head"])
def test_any_commit_of_the_remote_is_found_where_the_operator_allows_it(trap: Trap, reference: str) -> None:
    sha = side_commit(trap, reference)
    trap.clone.fast_forward()
    with pytest.raises(errors.CommitNotFound):
        trap.clone.resolve(sha)
    assert trap.clone.resolve_any(sha) == sha
    with trap.clone.worktree(sha) as folder:
        assert (folder / "README.md").exists()
    assert not trap.clone.holds(sha)
    assert trap.clone.holds(trap.parent)
    # One that somebody has committed and not pushed.
    assert not trap.clone.holds("a" * 40)


def test_the_beginning_of_an_id_must_be_of_a_branch(trap: Trap) -> None:
    side, other = side_commit(trap, "refs/heads/side"), side_commit(trap, "refs/pull/7/head")
    assert trap.clone.resolve_any(side[:10]) == side
    for unknown in (other[:10], "0" * 40, "0" * 7):
        with pytest.raises(errors.CommitNotFound):
            trap.clone.resolve_any(unknown)
