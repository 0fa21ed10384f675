"""Who may call what, lists by pages, and the names under which faults know a call."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsim.github.faults import Fault, Faults
from evalsim.github.request import PER_PAGE, Request, page_of
from evalsim.github.rest import operation_of
from evalsim.testing import GITHUB_TOKEN, REPOSITORY


@pytest.mark.parametrize("authorization", ["Bearer {}", "bearer {}", "token {}", "Token  {}"])
def test_a_token_is_taken_in_either_scheme(api, authorization):
    assert api.call("GET", "", authorization=authorization.format(GITHUB_TOKEN)).status == 200


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("", "Requires authentication"),
        ("Bearer nothing", "Bad credentials"),
        ("Bearer", "Bad credentials"),
        (f"Basic {GITHUB_TOKEN}", "Bad credentials"),
        (GITHUB_TOKEN, "Bad credentials"),
    ],
)
def test_without_one_nothing_is_answered(api, authorization, message):
    said = api.call("GET", "", authorization=authorization)
    assert (said.status, said.message) == (401, message)


def test_a_token_that_reads_does_not_write(api):
    api.state.add_token("reader", access="read")
    assert api.call("GET", "issues", authorization="Bearer reader").status == 200
    said = api.call("POST", "issues", {"title": "x"}, authorization="Bearer reader")
    assert (said.status, said.message) == (403, "Resource not accessible by personal access token")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/repos/acme/other"),
        ("GET", "/repos/acme"),
        ("GET", "/nothing"),
        ("GET", f"/repos/{REPOSITORY}/nothing"),
        ("DELETE", f"/repos/{REPOSITORY}/issues"),
        ("PUT", f"/repos/{REPOSITORY}"),
    ],
)
def test_what_is_not_there_or_not_simulated_is_not_found(api, method, path):
    assert api.call(method, path).status == 404


def test_names_of_repositories_have_no_case(api):
    assert api.call("GET", f"/repos/{REPOSITORY.upper()}").status == 200


def test_names_in_a_path_are_unquoted(api):
    api.commit("a/b#c", "x.txt", "x")
    assert api.call("GET", "branches/a%2Fb%23c").body["name"] == "a/b#c"


# Pages


def page(count, **query):
    request = Request(
        "GET", "/x", {name: str(value) for name, value in query.items()}, "", b"", "", "http://api"
    )
    answer = page_of(request, [{"n": at} for at in range(count)])
    numbers = [int(found) for found in re.findall(rb'"n":(\d+)', answer.body)]
    return numbers, dict(answer.headers).get("Link", "")


def test_a_list_that_fits_is_one_page_without_links():
    assert page(0) == ([], "")
    assert page(PER_PAGE) == (list(range(PER_PAGE)), "")


def test_a_longer_one_has_links_to_the_next_and_the_last():
    numbers, link = page(70, state="open")
    assert numbers == list(range(30))
    assert link == (
        '<http://api/x?page=2&per_page=30&state=open>; rel="next", '
        '<http://api/x?page=3&per_page=30&state=open>; rel="last"'
    )
    assert page(70, page=3) == (list(range(60, 70)), "")


def test_a_page_holds_a_hundred_at_most():
    assert len(page(500, per_page=1000)[0]) == 100


@pytest.mark.parametrize("size", ["0", "-3", "x", "", "1.5"])
def test_a_size_that_is_none_is_the_usual_one(size):
    assert len(page(50, per_page=size)[0]) == PER_PAGE


@pytest.mark.parametrize("number", ["0", "-1", "x", ""])
def test_a_page_that_is_none_is_the_first(number):
    assert page(50, page=number)[0][0] == 0


@given(st.integers(0, 250), st.integers(1, 100))
def test_all_pages_together_are_the_list(count, size):
    seen, at = [], 1
    while True:
        numbers, link = page(count, per_page=size, page=at)
        seen += numbers
        if 'rel="next"' not in link:
            break
        at += 1
    assert seen == list(range(count))


# Faults


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/repos/a/b/pulls", "pulls.list"),
        ("POST", "/repos/a/b/pulls", "pulls.create"),
        ("PUT", "/repos/a/b/pulls/7/merge", "pulls.merge"),
        ("POST", "/repos/a/b/issues/7/labels", "labels.add"),
        ("PATCH", "/repos/a/b/issues/7", "issues.edit"),
        ("POST", f"/repos/a/b/statuses/{'0' * 40}", "statuses.create"),
        ("POST", "/app/installations/7/access_tokens", "installation"),
        ("GET", "/user", "user"),
        ("GET", "/repos/a/b", ""),
        ("GET", "/nothing", ""),
    ],
)
def test_faults_know_a_call_by_its_operation(method, path, name):
    assert operation_of(method, path) == name


def test_a_fault_is_taken_as_often_as_it_was_asked_for():
    faults = Faults()
    faults.add(Fault(on="push", times=2))
    assert faults.take("fetch") is None
    assert [faults.take("push") is not None for _ in range(3)] == [True, True, False]


def test_a_fault_without_a_number_stays_until_it_is_cleared():
    faults = Faults()
    faults.add(Fault(on="api"))
    assert all(faults.take("api", "pulls.list") for _ in range(5))
    faults.clear()
    assert faults.take("api") is None


def test_the_first_fault_that_fits_is_taken():
    faults = Faults()
    first, second = Fault(on="pulls.create", times=1), Fault(on="api", times=1)
    faults.add(first)
    faults.add(second)
    assert faults.take("api", "pulls.list") is second
    assert faults.take("api", "pulls.create") is first


@pytest.mark.parametrize(
    ("fault", "is_so"),
    [
        (Fault(on="api", delay=1), True),
        (Fault(on="api"), False),
        (Fault(on="api", delay=1, status=500), False),
        (Fault(on="api", delay=1, answer_lost=True), False),
    ],
)
def test_a_fault_may_only_slow_things_down(fault, is_so):
    assert fault.is_delay_only is is_so
