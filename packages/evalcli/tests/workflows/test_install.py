"""What becomes of each installed file: a local edit is never lost, and nothing is written for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalcli.workflows.install import (
    INSTALLED,
    MODELS,
    PULL_REQUESTS,
    WORKFLOWS,
    Installed,
    merge_texts,
    plan_changes,
    plan_file,
    read_installed,
    wanted_files,
    write_changes,
)
from evalcore.errors import StorageError

PATH = ".github/workflows/evaluate-local.yml"
OLD, NEW, OURS = "a\nb\nc\n", "a\nb\nc\nd\n", "z\na\nb\nc\n"


def unused(*_: str) -> str | None:
    raise AssertionError("nothing is to be united")


# one file


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "action", "new"),
    [
        (None, None, NEW, "written", NEW),
        (OLD, None, NEW, "removed", None),
        (None, NEW, NEW, "unchanged", None),
        (OLD, NEW, NEW, "unchanged", None),
        (None, OURS, NEW, "foreign", None),
        (NEW, OURS, NEW, "kept", None),
        (OLD, OLD, NEW, "updated", NEW),
    ],
)
def test_what_becomes_of_a_file_without_uniting_anything(base, ours, theirs, action, new) -> None:
    change = plan_file(PATH, base, ours, theirs, unused)
    assert (change.action, change.old, change.new) == (action, ours, new)


def test_edits_of_both_are_united() -> None:
    change = plan_file(PATH, OLD, OURS, NEW, merge_texts)
    assert (change.action, change.new) == ("merged", "z\na\nb\nc\nd\n")


def test_the_same_line_changed_by_both_is_a_conflict_and_the_file_stays() -> None:
    change = plan_file(PATH, "a\n", "ours\n", "theirs\n", merge_texts)
    assert (change.action, change.new) == ("conflict", None)


def test_what_was_taken_over_by_hand_already_is_no_change() -> None:
    change = plan_file(PATH, OLD, "z\n" + NEW, NEW, merge_texts)
    assert (change.action, change.new) == ("kept", None)


@pytest.mark.parametrize("ours", [OURS, "", OLD])
def test_the_models_are_the_librarys_own_from_the_first_day(ours: str) -> None:
    assert plan_file(MODELS, OLD, ours, NEW, unused).action == "kept"


def test_line_ends_of_windows_are_no_edit_and_stay() -> None:
    def windows(text: str) -> str:
        return text.replace("\n", "\r\n")

    assert plan_file(PATH, OLD, windows(OLD), OLD, unused).action == "unchanged"
    change = plan_file(PATH, OLD, windows(OLD), NEW, unused)
    assert (change.action, change.new) == ("updated", windows(NEW))
    assert plan_file(PATH, OLD, windows(OURS), NEW, merge_texts).new == windows("z\na\nb\nc\nd\n")


LINES = st.lists(st.sampled_from("abc"), max_size=4).map(lambda lines: "".join(f"{one}\n" for one in lines))


@given(base=st.none() | LINES, ours=st.none() | LINES, theirs=LINES)
def test_a_file_with_an_edit_is_only_ever_united_or_left(base, ours, theirs) -> None:
    change = plan_file(PATH, base, ours, theirs, lambda ours, *_: f"united {ours}")
    if ours is not None and ours not in {base, theirs}:
        assert change.new is None or change.new == f"united {ours}"
    assert change.new is None or change.new != ours
    assert change.old == ours


@settings(max_examples=20)
@given(base=LINES, edited=LINES)
def test_uniting_with_an_unedited_side_is_the_edited_one(base: str, edited: str) -> None:
    assert merge_texts(base, base, edited) == edited
    assert merge_texts(edited, base, base) == edited
    assert merge_texts(edited, base, edited) == edited


# the difference that is shown


def test_the_difference_is_shown_for_what_is_changed_alone() -> None:
    assert plan_file(PATH, OLD, OLD, NEW, unused).diff()[-1] == "+d"
    assert plan_file(PATH, None, None, NEW, unused).diff() == []
    assert plan_file(PATH, NEW, OURS, NEW, unused).diff() == []


# all files


def templates(branch: str) -> dict[str, str]:
    return wanted_files(Installed(), branch, pull_requests=False)


def test_every_workflow_begins_with_the_librarys_own_branch() -> None:
    found, main = templates("trunk"), templates("main")
    assert set(found) == {*(f".github/workflows/{name}" for name in WORKFLOWS), MODELS}
    assert any("branches: [trunk]" in text for text in found.values())
    assert not any("branches: [main]" in text for text in found.values())
    assert main.keys() == found.keys()


def test_the_workflow_for_pull_requests_is_had_where_it_is_asked_for_or_was_before() -> None:
    path = f".github/workflows/{PULL_REQUESTS}"
    assert path not in wanted_files(Installed(), "main", pull_requests=False)
    assert path in wanted_files(Installed(), "main", pull_requests=True)
    assert path in wanted_files(Installed(files={path: "x"}), "main", pull_requests=False)


def install(library: Path) -> dict[str, str]:
    changes = plan_changes(library, merge_texts, "main")
    write_changes(library, changes, "main")
    return {change.path: change.action for change in changes}


def files_of(library: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(library)): path.read_bytes() for path in library.rglob("*") if path.is_file()
    }


def test_installed_twice_nothing_is_changed(tmp_path: Path) -> None:
    assert set(install(tmp_path).values()) == {"written"}
    before = files_of(tmp_path)
    assert set(install(tmp_path).values()) <= {"unchanged", "kept"}
    assert files_of(tmp_path) == before
    assert read_installed(tmp_path).files == templates("main")


def test_a_file_that_was_taken_out_stays_out(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / PATH).unlink()
    for _ in range(2):
        assert install(tmp_path)[PATH] == "removed"
    assert not (tmp_path / PATH).exists()


def test_a_conflict_is_found_again_until_it_is_settled(tmp_path: Path) -> None:
    install(tmp_path)
    noted = tmp_path / INSTALLED
    current = templates("main")[PATH]
    first = current.splitlines()[0]
    noted.write_text(noted.read_text().replace(first, "# an older first line", 1))
    older = read_installed(tmp_path).files
    path = next(path for path, text in older.items() if text != templates("main")[path])
    (tmp_path / path).write_text(templates("main")[path].replace(first, "# our own first line", 1))
    for _ in range(2):
        assert install(tmp_path)[path] == "conflict"
    assert read_installed(tmp_path).files == older


DAMAGED = [b"{", b"[]", b'{"files": 7}', b"\xff", b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"]


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_note_is_one_line_and_nothing_is_written(tmp_path: Path, data: bytes) -> None:
    install(tmp_path)
    (tmp_path / INSTALLED).write_bytes(data)
    before = files_of(tmp_path)
    with pytest.raises(StorageError) as caught:
        install(tmp_path)
    assert "\n" not in caught.value.line
    assert files_of(tmp_path) == before
