"""The pull request, read and merged through GitHub's REST API as its reader would."""

from __future__ import annotations

from typing import TypeVar

import httpx

from evalcore.decoding import decode_json
from evalcore.structs import Frozen
from evalsim.demo.failure import DemoError

T = TypeVar("T")


class Label(Frozen, frozen=True):
    """A label."""

    name: str


class Side(Frozen, frozen=True):
    """One end of a pull request."""

    ref: str
    sha: str


class PullRequest(Frozen, frozen=True):
    """What a reader of the pull request sees, and what merging it needs."""

    number: int
    title: str
    body: str
    state: str
    labels: list[Label]
    head: Side
    base: Side
    html_url: str
    mergeable: bool | None = None
    merged: bool = False


class Merged(Frozen, frozen=True):
    """GitHub's answer to a merge."""

    sha: str
    merged: bool


class PullRequests:
    """The pull requests of one repository; `root` is its address in the REST API."""

    def __init__(self, client: httpx.Client, root: str, token: str) -> None:
        self._client = client
        self._root = root
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}

    def get(self, number: int) -> PullRequest:
        """Read one."""
        return self._send("GET", f"/pulls/{number}", PullRequest)

    def merge(self, pull: PullRequest) -> str:
        """Merge it at the commit that was read, and return the merge commit."""
        merged = self._send("PUT", f"/pulls/{pull.number}/merge", Merged, {"sha": pull.head.sha})
        # Read once more: that it was merged is what the demo shows, not that somebody said so.
        if not merged.merged or not self.get(pull.number).merged:
            raise DemoError("GitHub did not merge the pull request", where=pull.html_url)
        return merged.sha

    def _send(self, method: str, path: str, kind: type[T], body: object = None) -> T:
        url = f"{self._root}{path}"
        try:
            answer = self._client.request(method, url, json=body, headers=self._headers)
        except httpx.TransportError as error:
            raise DemoError(
                f"the simulated GitHub does not answer ({type(error).__name__})", where=url
            ) from error
        if answer.status_code != httpx.codes.OK:
            raise DemoError(f"{method} answers {answer.status_code}: {answer.text[:200]}", where=url)
        return decode_json(answer.content, kind)


def pull_number(url: str) -> int:
    """Return the number at the end of a pull request's address."""
    number = url.rstrip("/").rpartition("/")[2]
    if not number.isdecimal():
        raise DemoError("the job names no pull request", where=url)
    return int(number)
