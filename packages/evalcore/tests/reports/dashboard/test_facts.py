"""Where things are on GitHub."""

from __future__ import annotations

import pytest

from evalcore.reports.dashboard.facts import LOCAL_WORKFLOW, LibraryFacts

LIBRARY = LibraryFacts(name="library", url="https://github.com/acme/prompts", workflows=(LOCAL_WORKFLOW,))


def test_a_commit_is_linked_where_it_is_one():
    assert LIBRARY.commit_link("ab" * 20) == f"https://github.com/acme/prompts/commit/{'ab' * 20}"
    assert LIBRARY.commit_link("../../evil") is None
    assert LIBRARY.commit_link(None) is None


@pytest.mark.parametrize("job", ["a&b", '" OR "', "x y"])
def test_a_jobs_name_stays_within_the_search(job):
    link = LIBRARY.pull_request_link(job, "vm")
    assert link.startswith("https://github.com/acme/prompts/pulls?q=is%3Apr%20%22")
    assert not set('&" ') & set(link.partition("?q=")[2])


def test_a_run_on_ones_own_machine_has_no_pull_request():
    assert LIBRARY.pull_request_link("job", "local") is None


def test_a_workflow_is_linked_where_the_library_has_it():
    assert LIBRARY.workflow_link(LOCAL_WORKFLOW) == (
        "https://github.com/acme/prompts/actions/workflows/evaluate-local.yml"
    )
    assert LIBRARY.workflow_link("evaluate-cloud.yml") is None


def test_without_a_repository_nothing_is_linked():
    library = LibraryFacts(name="library", workflows=(LOCAL_WORKFLOW,))
    links = (
        library.commit_link("ab" * 20),
        library.pull_request_link("job", "vm"),
        library.workflow_link(LOCAL_WORKFLOW),
        library.file("README.md"),
    )
    assert links == (None,) * 4
