"""`evalcli bumps` on a recorded history of version changes: from a checkout and by GitHub's API alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evalsim.github import SimulatedGitHub
from evalsim.github.app import API
from evalsim.serving import running
from evalsim.testing import GITHUB_TOKEN, REPOSITORY, git

ZERO = "0" * 40
Files = Mapping[str, str | bytes | None]
Expected = Mapping[str, tuple[str | None, str | None, str]]


def prompt(version: object, *, name: str = "memo", text: str = "Answer.") -> str:
    return f"---\nname: {name}\nversion: {version}\n---\n\n## Prompt\n{text}\n"


def at(slug: str) -> str:
    return f"components/{slug}/prompt.md"


class Step(NamedTuple):
    """One change of the library: files that are written (None: removed), and what became of the versions."""

    what: str
    files: Files
    expected: Expected


def change(slug: str, old: str | None, new: str, kind: str, *, text: str = "") -> Step:
    return Step(f"{slug} {old} to {new}", {at(slug): text or prompt(new)}, {slug: (old, new, kind)})


LONG = "1." + "9" * 10_000 + ".0"
QUOTED = "version: '2.2.0'"
STEPS = (
    Step("two components appear", {at("a"): prompt("1.0.0"), at("b"): prompt("0.1.0")},
         {"a": (None, "1.0.0", "new"), "b": (None, "0.1.0", "new")}),
    change("a", "1.0.0", "1.0.1", "patch"),
    change("a", "1.0.1", "1.1.0", "minor"),
    change("a", "1.1.0", "2.0.0", "major"),
    change("a", "2.0.0", "1.9.9", "fell"),
    change("a", "1.9.9", "2.0.1", "major"),
    Step("text alone changes", {at("a"): prompt("2.0.1", text="Answer well.")}, {}),
    Step("a file beside it changes", {"components/a/README.md": "more", "README.md": "more"}, {}),
    Step("cases come", {"components/a/evals/cases/one/input.md": "?"}, {}),
    Step("another file of that name",
         {f"{each}prompt.md": prompt("9.0.0") for each in ("components/a/evals/", "", "components/")}, {}),
    change("b", "0.1.0", "0.2.0", "minor"),
    change("b", "0.2.0", "0.2.1", "patch"),
    change("b", "0.2.1", "1.0.0-rc.1", "major"),
    change("b", "1.0.0-rc.1", "1.0.0-rc.2", "major"),
    change("b", "1.0.0-rc.2", "1.0.0", "major"),
    change("b", "1.0.0", "1.1.0-rc.1", "minor"),
    change("b", "1.1.0-rc.1", "1.1.0", "minor"),
    change("b", "1.1.0", "1.1.1-rc.1", "patch"),
    change("b", "1.1.1-rc.1", "1.1.1", "patch"),
    Step("build alone", {at("b"): prompt("1.1.1+build.7")}, {}),
    Step("build alone goes", {at("b"): prompt("1.1.1")}, {}),
    Step("both rise", {at("a"): prompt("2.1.0"), at("b"): prompt("1.2.0")},
         {"a": ("2.0.1", "2.1.0", "minor"), "b": ("1.1.1", "1.2.0", "minor")}),
    Step("one rises, one falls", {at("a"): prompt("3.0.0"), at("b"): prompt("1.1.0")},
         {"a": ("2.1.0", "3.0.0", "major"), "b": ("1.2.0", "1.1.0", "fell")}),
    change("b", "1.1.0", "1.9.0", "minor"),
    change("b", "1.9.0", "1.10", "invalid"),
    Step("it stays no semver", {"README.md": "again"}, {"b": ("1.10", "1.10", "invalid")}),
    change("b", "1.10", "1.10.0", "new"),
    change("b", "1.10.0", "1.11.0", "minor", text=prompt("1.11.0").replace("\n", "\r\n")),
    change("b", "1.11.0", "1.12.0", "minor", text="\ufeff" + prompt("1.12.0").replace("\n", "\r\n")),
    change("b", "1.12.0", "1.13.0", "minor", text=prompt("'1.13.0'  # quoted")),
    change("b", "1.13.0", "1.14.0", "minor", text=prompt('"1.14.0"')),
    change("b", "1.14.0", "v2.0.0", "invalid"),
    change("b", "v2.0.0", "2.0.0", "new"),
    change("b", "2.0.0", "01.0.0", "invalid"),
    change("b", "01.0.0", "2.1.0", "new"),
    Step("no version", {at("b"): "---\nname: b\n---\n## Prompt\nx\n"}, {"b": ("2.1.0", None, "invalid")}),
    Step("a version again",
         {at("b"): f"---\nname: b\n{QUOTED}\n---\n## Prompt\nx\n"}, {"b": (None, "2.2.0", "new")}),
    Step("no front matter", {at("b"): "## Prompt\nx\n"}, {"b": ("2.2.0", None, "invalid")}),
    Step("no end of it", {at("b"): "---\nversion: 3.0.0\n"}, {"b": (None, None, "invalid")}),
    Step("no UTF-8", {at("b"): b"---\nversion: 3.0.0\n---\n\xff\xfe"}, {"b": (None, None, "invalid")}),
    Step("no YAML", {at("b"): "---\nversion: [3.0.0\n---\nx\n"}, {"b": (None, None, "invalid")}),
    Step("the version is a list",
         {at("b"): "---\nversion: [3.0.0]\n---\nx\n"}, {"b": (None, None, "invalid")}),
    Step("nothing but the version", {at("b"): "---\nversion: 3.0.0\n---\n"}, {"b": (None, "3.0.0", "new")}),
    Step("renamed", {at("b"): None, at("beta"): "---\nversion: 3.0.0\n---\n"},
         {"b": ("3.0.0", None, "removed"), "beta": (None, "3.0.0", "new")}),
    Step("moved out of components", {at("beta"): None, "archive/beta/prompt.md": prompt("3.0.0")},
         {"beta": ("3.0.0", None, "removed")}),
    Step("moved back deeper",
         {"archive/beta/prompt.md": None, "components/x/beta/prompt.md": prompt("3.0.0")}, {}),
    Step("moved to its place", {"components/x/beta/prompt.md": None, at("beta"): prompt("3.1.0")},
         {"beta": (None, "3.1.0", "new")}),
    Step("swapped", {at("a"): prompt("3.1.0"), at("beta"): prompt("3.0.0")},
         {"a": ("3.0.0", "3.1.0", "minor"), "beta": ("3.1.0", "3.0.0", "fell")}),
    change("beta", "3.0.0", "$(touch pwned)", "invalid"),
    change("beta", "$(touch pwned)", "4.0.0", "new"),
    Step("a version of 10 kB", {at("beta"): prompt(LONG)}, {"beta": ("4.0.0", LONG, "invalid")}),
    Step("that goes", {at("beta"): None}, {"beta": (LONG, None, "removed")}),
    Step("names that no component has", {at("$(touch pwned)"): prompt("1.0.0"), at("A b"): prompt("1.0.0"),
         at("x'; touch pwned; '"): prompt("1.0.0"), at("-rf"): prompt("1.0.0"),
         at("new\nline"): prompt("1.0.0"), at("z" * 101): prompt("1.0.0")}, {}),
    Step("the longest name", {at("z" * 100): prompt("1.0.0")}, {"z" * 100: (None, "1.0.0", "new")}),
    Step("quotes in a version", {at("a"): prompt("'3.2.0\"; touch pwned'")},
         {"a": ("3.1.0", '3.2.0"; touch pwned', "invalid")}),
    change("a", '3.2.0"; touch pwned', "3.3.0", "new"),
    Step("a line break in a version", {at("a"): prompt('"3.4.0\\n::error::x"')},
         {"a": ("3.3.0", "3.4.0\n::error::x", "invalid")}),
    change("a", "3.4.0\n::error::x", "3.4.0", "new"),
    Step("a folder without a prompt", {"components/empty/notes.md": "x"}, {}),
    Step("the last one goes", {at("z" * 100): None}, {"z" * 100: ("1.0.0", None, "removed")}),
)  # fmt: skip


class Change(NamedTuple):
    what: str
    base: str
    head: str
    expected: Expected


class History:
    """A repository, and the pairs of commits to compare."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.changes: list[Change] = []
        git(root.parent, "init", "-q", "--initial-branch=main", str(root))
        git(root, "config", "core.autocrlf", "false")

    def commit(self, files: Files, message: str) -> str:
        for path, text in files.items():
            file = self.root / path
            if text is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        git(self.root, "add", "--all")
        git(self.root, "commit", "-q", "-m", message)
        head = git(self.root, "rev-parse", "HEAD")
        # Kept, though no branch may lead to it later: GitHub keeps what was pushed over for a while, too.
        git(self.root, "branch", f"kept-{head}", head)
        return head

    def add(self, what: str, base: str, head: str, expected: Expected) -> None:
        self.changes.append(Change(what, base, head, expected))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    made = History(tmp_path_factory.mktemp("history") / "library")
    base = first = ZERO
    for step in STEPS:
        head = made.commit(step.files, step.what[:60])
        made.add(step.what[:60], base, head, step.expected)
        base, first = head, head if first == ZERO else first
    _branches(made, first)
    return made


def _branches(made: History, first: str) -> None:
    """Merges, squashes, a long push, a force push, tags, and a branch that is deleted."""
    git(made.root, "checkout", "-q", "-b", "topic")
    made.commit({at("topic"): prompt("1.0.0")}, "one")
    topic = made.commit({at("topic"): prompt("1.1.0"), at("a"): prompt("4.0.0")}, "two")
    git(made.root, "checkout", "-q", "main")
    main = made.commit({at("c"): prompt("1.0.0")}, "meanwhile")
    git(made.root, "merge", "-q", "--no-ff", "-m", "merge", "topic")
    merged = (
        made.commit({}, "merged")
        if git(made.root, "status", "--porcelain")
        else git(made.root, "rev-parse", "HEAD")
    )
    came = {"topic": (None, "1.1.0", "new"), "a": ("3.4.0", "4.0.0", "major")}
    made.add("merge, from main", main, merged, came)
    made.add("merge, from the topic", topic, merged, {"c": (None, "1.0.0", "new")})
    made.add("topic that is behind", main, topic, {**came, "c": ("1.0.0", None, "removed")})
    git(made.root, "checkout", "-q", "-b", "squashed", main)
    git(made.root, "merge", "-q", "--squash", "topic")
    made.add("squash", main, made.commit({}, "squash"), came)
    git(made.root, "checkout", "-q", "main")
    start = git(made.root, "rev-parse", "HEAD")
    for number in range(30):
        end = made.commit({at("c"): prompt(f"1.{number}.1")}, f"push {number}")
    made.add("a push of 30 commits", start, end, {"c": ("1.0.0", "1.29.1", "minor")})
    git(made.root, "checkout", "-q", "-B", "main", start)
    forced = made.commit({at("c"): prompt("1.2.0")}, "another history")
    made.add("a force push", end, forced, {"c": ("1.29.1", "1.2.0", "fell")})
    made.add("the first push", ZERO, first, STEPS[0].expected)
    gone = {slug: (new, None, "removed") for slug, (_, new, _) in STEPS[0].expected.items()}
    made.add("a branch that is deleted", first, ZERO, gone)
    git(made.root, "tag", "v1", first)
    git(made.root, "tag", "-a", "-m", "release", "v2", forced)
    made.add("tags", "v1", "v2", {
        "a": ("1.0.0", "4.0.0", "major"), "b": ("0.1.0", None, "removed"),
        "c": (None, "1.2.0", "new"), "topic": (None, "1.1.0", "new"),
    })  # fmt: skip
    made.add("a branch", "kept-" + first, "topic", {
        "a": ("1.0.0", "4.0.0", "major"), "b": ("0.1.0", None, "removed"), "topic": (None, "1.1.0", "new"),
    })  # fmt: skip


NUMBER = len(STEPS) + 10


@pytest.fixture(scope="module")
def served(
    history: History, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SimulatedGitHub, str]]:
    app = SimulatedGitHub(tmp_path_factory.mktemp("github"), token=GITHUB_TOKEN)
    app.state.add_repository(REPOSITORY, history.root)
    with running(app) as url:
        yield app, f"{url}{API}"


@pytest.fixture
def compare(
    evalcli: Callable[..., Any], history: History, served: tuple[SimulatedGitHub, str]
) -> Callable[..., Any]:
    """Compare two revisions from the checkout or by the API, with what is printed."""

    def run(base: str, head: str, by: str) -> Any:
        where = ("--prompt-library", history.root) if by == "checkout" else ("--repo", REPOSITORY)
        given = {"GITHUB_TOKEN": GITHUB_TOKEN, "GITHUB_API_URL": served[1]}
        return evalcli("bumps", "--base", base, "--head", head, "--json", *where, **given)

    return run


def test_the_history_has_over_sixty_changes(history: History) -> None:
    assert len(history.changes) == NUMBER >= 60


@pytest.mark.parametrize("by", ["checkout", "api"])
@pytest.mark.parametrize("number", range(NUMBER))
def test_every_change_is_named(history: History, compare: Callable[..., Any], number: int, by: str) -> None:
    made = history.changes[number]
    ended = compare(made.base, made.head, by)
    assert ended.code == 0, (made.what, ended.err)
    found = json.loads(ended.out)
    told = {one["component"]: (one["base_version"], one["head_version"], one["change"]) for one in found}
    assert told == made.expected, made.what
    assert list(told) == sorted(told)
    assert [one["evaluate"] for one in found] == [one["change"] in {"new", "major", "minor"} for one in found]


@pytest.mark.parametrize("by", ["checkout", "api"])
@pytest.mark.parametrize("name", ["f" * 40, "--help", "no-such", "a b", "$(touch pwned)", "HEAD:README.md"])
def test_a_revision_that_is_not_there_is_named(compare: Callable[..., Any], by: str, name: str) -> None:
    ended = compare(name, "main", by)
    assert (ended.code, ended.out) == (2, "")
    assert "has no such commit" in ended.err
    assert name[:12] in ended.err
    assert ".@" not in ended.err
    assert len(ended.err.splitlines()) == 1


def test_outside_of_git_no_fetching_is_advised(evalcli: Callable[..., Any], tmp_path: Path) -> None:
    ended = evalcli("bumps", "--base", "HEAD~1", "--head", "HEAD", "--prompt-library", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert f"{tmp_path}: is in no git repository; name a checkout with --prompt-library, or ask" in ended.err


@pytest.mark.parametrize("is_cut", [False, True])
def test_over_256_components_and_300_files_are_seen(
    evalcli: Callable[..., Any], served: tuple[SimulatedGitHub, str], tmp_path: Path, *, is_cut: bool
) -> None:
    """Where GitHub lists a tree in part only, too."""
    big = History(tmp_path / "big")
    many = [f"c-{number}" for number in range(301)]
    base = big.commit({at(slug): prompt("1.0.0") for slug in many}, "many")
    head = big.commit({at(slug): prompt("1.1.0") for slug in many} | {at("late"): prompt("1.0.0")}, "more")
    app, url = served
    repository = app.state.add_repository(f"acme/big-{is_cut}", big.root)
    repository.tree_limit = 100 if is_cut else 100_000
    given = {"GITHUB_TOKEN": GITHUB_TOKEN, "GITHUB_API_URL": url}
    line = ("bumps", "--base", base, "--head", head, "--json")
    by_api = evalcli(*line, "--repo", repository.full_name, **given)
    assert by_api.out == evalcli(*line, "--prompt-library", big.root).out
    found = json.loads(by_api.out)
    assert [one["component"] for one in found] == sorted([*many, "late"])
    assert all(one["evaluate"] for one in found)


def test_links_are_followed_inside_the_tree_only(
    evalcli: Callable[..., Any], served: tuple[SimulatedGitHub, str], tmp_path: Path
) -> None:
    made = History(tmp_path / "linked")
    base = made.commit({at("a"): prompt("1.0.0"), "README.md": "x"}, "one")
    (made.root / "components/linked").symlink_to("a")
    (made.root / "components/b").mkdir()
    (made.root / at("b")).symlink_to("../a/prompt.md")
    (made.root / "components/c").mkdir()
    (made.root / at("c")).symlink_to("/etc/passwd")
    head = made.commit({}, "links")
    app, url = served
    repository = app.state.add_repository("acme/linked", made.root)
    line = ("bumps", "--base", base, "--head", head, "--json")
    given = {"GITHUB_TOKEN": GITHUB_TOKEN, "GITHUB_API_URL": url}
    by_api = evalcli(*line, "--repo", repository.full_name, **given)
    assert by_api.out == evalcli(*line, "--prompt-library", made.root).out
    found = {one["component"]: (one["head_version"], one["change"]) for one in json.loads(by_api.out)}
    assert found == {"linked": ("1.0.0", "new"), "b": ("1.0.0", "new"), "c": (None, "invalid")}


def test_without_json_there_is_a_table(history: History, evalcli: Callable[..., Any]) -> None:
    made = history.changes[2]
    line = ("bumps", "--base", made.base, "--head", made.head, "--prompt-library", history.root)
    ended = evalcli(*line)
    assert ended.code == 0
    assert [cell for line in ended.out.splitlines() for cell in line.split()] == [
        *("component", "base", "head", "change", "evaluate"),
        *("a", "1.0.1", "1.1.0", "minor", "yes"),
    ]
    same = evalcli("bumps", "--base", made.head, "--head", made.head, "--prompt-library", history.root)
    assert (same.code, same.out, "no version differs" in same.err) == (0, "", True)


def test_what_asking_github_takes_is_named(evalcli: Callable[..., Any]) -> None:
    line = ("bumps", "--base", ZERO, "--head", "main", "--repo")
    unset = {"GITHUB_TOKEN": None, "GITHUB_API_URL": "http://127.0.0.1:1"}
    assert "GITHUB_TOKEN: is not set" in evalcli(*line, REPOSITORY, **unset).err
    assert "is no owner/name" in evalcli(*line, "no-name", **unset).err
    both = evalcli(*line, REPOSITORY, "--prompt-library", ".", **unset)
    assert (both.code, "two places" in both.err) == (2, True)
    half = evalcli(*line, REPOSITORY, EVALHOOK_GITHUB_APP_ID="1", **unset)
    assert "EVALHOOK_GITHUB_APP_PRIVATE_KEY" in half.err


@pytest.fixture
def cloned(tmp_path: Path) -> Path:
    """A clone on a branch: a version that was pushed, then one in a commit and one in the working tree."""
    pushed = History(tmp_path / "pushed")
    pushed.commit({at("a"): prompt("1.0.0"), at("b"): prompt("1.0.0"), at("c"): prompt("1.0.0")}, "one")
    git(tmp_path, "clone", "-q", str(pushed.root), str(tmp_path / "clone"))
    clone = tmp_path / "clone"
    git(clone, "checkout", "-q", "-b", "topic")
    (clone / at("a")).write_text(prompt("1.1.0"))
    git(clone, "commit", "-q", "-am", "two")
    # What came to the default branch meanwhile is no change of this branch.
    pushed.commit({at("c"): prompt("2.0.0")}, "meanwhile")
    git(clone, "fetch", "-q")
    (clone / at("b")).write_text(prompt("2.0.0"))
    return clone


def _changed(ended: Any) -> dict[str, str]:
    assert ended.code == 0, ended.err
    return {one["component"]: one["change"] for one in json.loads(ended.out)}


def test_with_no_commit_named_the_working_tree_is_compared_with_where_it_left_the_default_branch(
    evalcli: Callable[..., Any], cloned: Path
) -> None:
    line = ("bumps", "--json", "--prompt-library", cloned)
    ended = evalcli(*line)
    point = git(cloned, "rev-parse", "HEAD~1")
    assert _changed(ended) == {"a": "minor", "b": "major"}
    assert ended.err == f"comparing {point[:12]}, where HEAD left origin/main, with the working tree\n"
    committed = evalcli(*line, "--head", "HEAD")
    assert (_changed(committed), "with HEAD" in committed.err) == ({"a": "minor"}, True)
    since = evalcli(*line, "--base", "HEAD")
    assert (_changed(since), "comparing HEAD with the working tree" in since.err) == ({"b": "major"}, True)
    assert evalcli(*line, "--base", "HEAD~1", "--head", "HEAD").err == ""


def test_without_a_remote_the_local_default_branch_is_the_main_line(
    evalcli: Callable[..., Any], cloned: Path
) -> None:
    git(cloned, "remote", "remove", "origin")
    ended = evalcli("bumps", "--prompt-library", cloned, "--json")
    assert (_changed(ended), "left main" in ended.err) == ({"a": "minor", "b": "major"}, True)
    git(cloned, "checkout", "-q", "-B", "main")
    on_main = evalcli("bumps", "--prompt-library", cloned, "--json")
    assert (_changed(on_main), ", on main, with the working" in on_main.err) == ({"b": "major"}, True)
    git(cloned, "checkout", "-q", "topic")
    git(cloned, "branch", "-q", "-D", "main")
    nothing = evalcli("bumps", "--prompt-library", cloned)
    assert (nothing.code, nothing.out, "--base" in nothing.err) == (2, "", True)


def test_by_github_both_commits_are_to_be_named(evalcli: Callable[..., Any]) -> None:
    ended = evalcli("bumps", "--repo", REPOSITORY, "--head", "main")
    assert (ended.code, ended.out) == (2, "")
    assert "--repo needs --base and --head" in ended.err
