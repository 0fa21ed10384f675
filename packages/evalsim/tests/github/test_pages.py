"""The page of a simulated pull request: who sees it, and that no text becomes markup."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from evalsim.github import SimulatedGitHub
from evalsim.github.pages import pull_page
from evalsim.github.state import Comment, Pull
from evalsim.serving import running
from evalsim.testing import GITHUB_TOKEN, REPOSITORY


def pull(**changes: object) -> Pull:
    moment = "2026-01-05T09:00:00Z"
    given = {"number": 7, "title": "eval(memo)", "body": "x", "head": "h", "base": "main", "user": "bot"}
    return Pull(**{**given, "created_at": moment, "updated_at": moment, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("private", [True, False])
def test_a_pull_request_of_a_public_repository_has_a_page(tmp_path: Path, *, private: bool) -> None:
    app = SimulatedGitHub(tmp_path, token=GITHUB_TOKEN)
    app.state.add_repository(REPOSITORY, private=private).pulls.append(pull(body="**Bold** words"))
    with running(app) as url:
        answer = httpx.get(f"{url}/{REPOSITORY}/pull/7")
        assert httpx.get(f"{url}/{REPOSITORY}/pull/8").status_code == 404
    if private:
        assert answer.status_code == 404
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "<strong>Bold</strong> words" in answer.text


def test_details_fold_and_all_other_markup_is_text() -> None:
    folded = "<details>\n<summary>Details</summary>\n\nMore\n\n</details>"
    body = f"{folded}\n\n<script>alert(1)</script>\n\na <b>b</b>"
    page = pull_page(pull(body=body, title="<i>t</i>", comments=[Comment(1, "<img src=x>", "u", "t")]))
    assert "<details>\n<summary>Details</summary>" in page
    assert "&lt;script&gt;" in page
    for markup in ("<script", "<img", "<b>b", "<i>t"):
        assert markup not in page


@pytest.mark.parametrize(
    ("changes", "state"), [({}, "Open"), ({"state": "closed"}, "Closed"), ({"merged_at": "x"}, "Merged")]
)
def test_it_says_what_became_of_it(changes: dict[str, str], state: str) -> None:
    assert f">{state}</b>" in pull_page(pull(**changes))
