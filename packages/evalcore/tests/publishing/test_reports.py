"""Reports in results: which files a results branch may add, for which runs, and that others stay out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalcore.git.clone import Clone
from evalcore.publishing.changes import ForeignChange, require_only_results
from evalcore.reports.run_report.files import report_name
from evalsim.testing import commit_file, git, make_record

BOARD = "components/budget/leaderboard.json"
FOLDER = "components/budget/evals/reports"
OWN = f"{FOLDER}/{report_name(make_record(run_id='r1', model='good'))}"
REPORTS = {
    f"{OWN}/REPORT.md": b"# Report\n",
    f"{OWN}/summary.json": b"{}\n",
    f"{OWN}/charts/coverage.svg": b"<svg/>",
}


def published(
    world: Any, run_id: str = "r1", *, second: int = 5, reports: Any = None, **settings: Any
) -> str:
    """Publish one record with its report; gives the branch."""
    given = {"publish_reports": True} | settings
    committer = world.committer(second=second, **given)
    files = REPORTS if reports is None else reports
    return str(committer.publish(world.plan(f"job-{run_id}"), [world.record(run_id)], reports=files).branch)


def there(world: Any) -> Clone:
    return Clone(world.bare.path, work=world.root / "work")


def add(world: Any, branch: str, path: str, data: bytes = b"x") -> None:
    commit = commit_file(there(world), world.bare.branch(branch), path, data, "eval(budget): 1.2.0, 1 models")
    git(world.bare.path, "update-ref", f"refs/heads/{branch}", commit)


def changed(world: Any, branch: str, base: str = "main") -> set[str]:
    return set(git(world.bare.path, "diff", "--name-only", base, branch).split())


def allowed(world: Any, branch: str, *, has_reports: bool = True) -> bool:
    main, tip = world.bare.branch("main"), world.bare.branch(branch)
    try:
        require_only_results(there(world), "budget", main, tip, has_reports=has_reports)
    except ForeignChange:
        return False
    return True


def test_one_commit_has_the_leaderboard_and_the_report_and_the_pull_request_names_it(world) -> None:
    branch = published(world)
    assert changed(world, branch) == {BOARD, *REPORTS}
    assert git(world.bare.path, "log", "--format=%s", f"main..{branch}").count("\n") == 0
    (pull,) = world.repository.pulls
    assert f"reports are added: `{OWN}`" in pull.body
    world.merge(branch)
    assert world.bare.file("main", f"{OWN}/REPORT.md") == b"# Report\n"


def test_doing_it_again_doubles_nothing(world) -> None:
    branch = published(world)
    assert published(world, second=9) == branch or world.repository.pulls[1:] == []


def test_a_report_that_is_there_is_left_as_it_is(world) -> None:
    world.commit_to_main(f"{OWN}/REPORT.md", "by hand")
    branch = published(world)
    assert changed(world, branch) == {BOARD, *REPORTS} - {f"{OWN}/REPORT.md"}
    assert world.bare.file(branch, f"{OWN}/REPORT.md") == b"by hand"


def test_where_a_folder_is_a_link_the_figures_are_published_without(world) -> None:
    world.link_on_main("components/budget/evals")
    assert changed(world, published(world)) == {BOARD}


def test_results_stand_on_open_ones_that_carry_reports_and_both_merge(world) -> None:
    first = published(world, second=1)
    other = {f"{FOLDER}/{report_name(make_record(run_id='r2', model='good'))}/REPORT.md": b"2"}
    second = published(world, "r2", second=2, reports=other)
    assert changed(world, second) == {BOARD, *REPORTS, *other}
    for branch in (first, second):
        world.merge(branch)
    assert world.runs("main") == ["r1", "r2"]


def test_open_results_with_reports_are_refreshed_where_reports_are_published(world) -> None:
    branch = published(world)
    world.add_to_main("from-actions")
    assert world.refresh() == []
    world.has_reports = True
    assert world.refresh() == [branch]
    assert world.bare.file(branch, f"{OWN}/summary.json") == b"{}\n"
    assert allowed(world, branch)


def test_without_the_setting_reports_are_foreign(world) -> None:
    branch = published(world)
    assert allowed(world, branch)
    assert not allowed(world, branch, has_reports=False)
    without = published(world, "r2", second=9, reports={}, publish_reports=False)
    assert changed(world, without) == {BOARD}


HOSTILE: dict[str, Callable[[Any, str], object]] = {
    "a report of a run that is not in it": lambda world, branch: add(
        world, branch, f"{FOLDER}/other/REPORT.md"
    ),
    "another file in a report": lambda world, branch: add(world, branch, f"{OWN}/run.sh"),
    "a page that runs scripts": lambda world, branch: add(world, branch, f"{OWN}/charts/x.html"),
    "a chart of a folder deeper": lambda world, branch: add(world, branch, f"{OWN}/charts/a/x.svg"),
    "a file beside the reports": lambda world, branch: add(world, branch, f"{FOLDER}/REPORT.md"),
    "another component's report": lambda world, branch: add(
        world, branch, OWN.replace("budget", "memo") + "/REPORT.md"
    ),
    "a case": lambda world, branch: add(world, branch, "components/budget/evals/cases/one/expected.json"),
    "its own report changed by a second commit": lambda world, branch: add(world, branch, f"{OWN}/REPORT.md"),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_new_report_of_its_runs_is_not_built_on_and_not_refreshed(world, hostile) -> None:
    branch = published(world, second=1)
    hostile(world, branch)
    assert not allowed(world, branch)
    world.has_reports = True
    world.add_to_main("from-actions")
    assert world.refresh() == []
    other = published(world, "r2", second=7, reports={})
    assert changed(world, other) == {BOARD}


@pytest.mark.parametrize("mode", ["link", "executable"])
def test_a_report_is_of_regular_files(world, mode: str) -> None:
    branch = published(world, reports={})
    author = world.root / "author"
    git(world.root, "clone", "-q", "-b", branch, str(world.bare.path), str(author))
    page = author / OWN / "REPORT.md"
    page.parent.mkdir(parents=True)
    if mode == "link":
        page.symlink_to("../../../../prompt.md")
    else:
        page.write_text("x")
        page.chmod(0o755)
    git(author, "add", "--all")
    git(author, "commit", "-q", "-m", "Theirs")
    git(author, "push", "-q", "origin", f"HEAD:{branch}")
    assert not allowed(world, branch)


def test_in_push_mode_the_report_is_on_the_default_branch(world) -> None:
    published(world, mode="push")
    assert world.bare.file("main", f"{OWN}/REPORT.md") == b"# Report\n"
