"""Pull requests and labels on GitHub, through PyGithub, which only the `github*` modules here import."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from itertools import islice
from urllib.parse import quote, urlsplit

import structlog
from github import Auth, Github, GithubException
from github.PullRequest import PullRequest as ApiPullRequest
from github.Repository import Repository as ApiRepository

from evalcore.git.commits import Identity
from evalcore.git.credentials import require_secure
from evalcore.git.setting_names import NO_NAMES, SettingNames
from evalcore.github.auto_merge import enable_auto_merge
from evalcore.github.graphql import ask
from evalcore.github.tokens import PUBLIC_API, GitHubTokens
from evalcore.github.transport import (
    RETRIES,
    TIMEOUT,
    GitHubRefused,
    GitHubUnreachable,
    PullRequestRefused,
    retry_policy,
    translated,
)
from evalcore.structs import Frozen

RESULTS_BRANCH = re.compile(r"eval-results/([a-z0-9][a-z0-9._-]{0,99})-[0-9a-f]{12}-\d{8}T\d{6}Z")
log = structlog.stdlib.get_logger(__name__)
MOST_PULLS = 500
"""Open pull requests that are looked at, the newest first."""


class PullRequest(Frozen, frozen=True):
    """What the service needs to know of a pull request."""

    number: int
    url: str
    """Its page."""
    branch: str
    is_open: bool
    labels: tuple[str, ...]
    is_ours: bool
    """Whether our own account opened it, or one that is trusted as that is."""
    commit: str = ""
    """What its branch stands at."""
    is_of_repository: bool = True
    """Whether its branch is of the repository itself, and not of a fork."""


class GitHub:
    """One repository on GitHub. Each call opens and closes its own connection.

    `trusted` names the accounts whose pull requests count as our own, such as `github-actions[bot]`.
    """

    def __init__(
        self,
        repository: str,
        tokens: GitHubTokens,
        *,
        api_url: str = PUBLIC_API,
        allow_http: bool = False,
        retries: int = RETRIES,
        trusted: Iterable[str] = (),
        names: SettingNames = NO_NAMES,
    ) -> None:
        require_secure(api_url, names.github_api_url, allow_http=allow_http, names=names)
        self.repository = repository
        self._tokens = tokens
        self._api_url = api_url.rstrip("/")
        self._retries = retries
        self._names = names
        self._trusted = frozenset(login.lower() for login in trusted)
        self._account: str | None = None
        self._identity: Identity | None = None
        # Apart from the identity, since that there is none is an answer as well.
        self._is_identity_known = False

    def account(self) -> str | None:
        """The login that the token acts under; None where GitHub does not say. Raises RepositoryError."""
        if self._account is None:
            with self._client("look whose the token is") as client:
                self._account = _login(client)
            if self._account is None:
                hint = f"name the account in {self._names.trusted_publishers}"
                log.warning("account_unknown", repository=self.repository, hint=hint)
        return self._account

    def identity(self) -> Identity | None:
        """Return the account as the author of commits, by the address that GitHub knows it by.

        None where GitHub does not say whose the token is, or knows no such account. Raises RepositoryError.
        """
        if not self._is_identity_known:
            account = self.account()
            if account is not None:
                with self._client("look the account up") as client:
                    number = _number(client, account)
                if number is not None:
                    self._identity = Identity(account, f"{number}+{account}@{self._noreply_host}")
            self._is_identity_known = True
        return self._identity

    @property
    def _noreply_host(self) -> str:
        host = urlsplit(self._api_url).hostname or ""
        return f"users.noreply.{'github.com' if self._api_url == PUBLIC_API else host}"

    def results_pull_requests(self, slug: str, base: str) -> list[PullRequest]:
        """The open pull requests with results of a component, the newest first."""
        return [pull for pull in self.open_results(base) if slug_of(pull.branch) == slug]

    def open_results(self, base: str) -> list[PullRequest]:
        """The open pull requests of ours with results of any component, the newest first.

        Those of forks, and those that another account opened, are none of ours, whatever their branches
        are called.
        """
        pulls = self._open_pull_requests(base, self.account())
        return [pull for pull in pulls if pull.is_ours and slug_of(pull.branch) is not None]

    def open_results_of_anybody(self, base: str) -> list[PullRequest]:
        """The open pull requests of the repository's own branches with results, whoever opened them.

        Enough to know what is under way; nothing is built on them.
        """
        pulls = self._open_pull_requests(base, None)
        return [pull for pull in pulls if pull.is_of_repository and slug_of(pull.branch) is not None]

    def _open_pull_requests(self, base: str, account: str | None) -> list[PullRequest]:
        with self._opened("list pull requests") as repository:
            # Newest first, and no more than MOST_PULLS: each page of a hundred is a request.
            found = repository.get_pulls(state="open", base=base, sort="created", direction="desc")
            return [self._pull_request(pull, account) for pull in islice(found, MOST_PULLS)]

    def pull_request_of(self, branch: str, base: str) -> PullRequest | None:
        """The newest pull request of ours that would merge one branch into the other, open or not.

        Where there is none, the open one that another account made: GitHub lets no second one be opened.
        """
        account = self.account()
        owner = self.repository.partition("/")[0]
        with self._opened("look for the pull request") as repository:
            found = repository.get_pulls(
                # Closed and merged ones too: after a kill it may have been merged meanwhile, and is not
                # opened again.
                state="all",
                head=f"{owner}:{branch}",
                base=base,
                sort="created",
                direction="desc",
            )
            pulls = [
                self._pull_request(pull, account)
                for pull in islice(found, MOST_PULLS)
                # A filter that GitHub does not understand it leaves out, and lists all pull requests.
                if (pull.head.ref, pull.base.ref) == (branch, base) and self._is_of_repository(pull)
            ]
        ours = [pull for pull in pulls if pull.is_ours]
        return next(iter(ours or [pull for pull in pulls if pull.is_open]), None)

    def open_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request, or give the one that is there; raises PullRequestRefused."""
        known = self.pull_request_of(branch, base)
        if known is not None:
            return known
        try:
            with self._opened("open the pull request") as repository:
                made = repository.create_pull(base=base, head=branch, title=title, body=body)
                return PullRequest(
                    number=made.number,
                    url=made.html_url,
                    branch=branch,
                    is_open=True,
                    labels=(),
                    is_ours=True,
                    commit=made.head.sha,
                )
        except (PullRequestRefused, GitHubUnreachable):
            # It may have been opened though its answer was lost, and a retry refused as the second.
            known = self.pull_request_of(branch, base)
            if known is None:
                raise
            return known

    def add_labels(self, pull_request: PullRequest, labels: Sequence[str]) -> None:
        """Add the labels that the pull request lacks; GitHub makes those that the repository lacks."""
        missing = [label for label in labels if label not in pull_request.labels]
        if missing:
            with self._opened("label the pull request") as repository:
                # PyGithub's own add_to_labels sends a bare list, which GitHub describes no more.
                where = f"{repository.url}/issues/{pull_request.number}/labels"
                repository.requester.requestJsonAndCheck("POST", where, input={"labels": missing})

    def start_workflow(self, file: str, branch: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow of the repository by hand, as it stands on a branch; raises RepositoryError."""
        with self._opened(f"start the workflow {file}") as repository:
            # PyGithub's own get_workflow fetches the workflow first.
            where = f"{repository.url}/actions/workflows/{quote(file, safe='')}/dispatches"
            body = {"ref": branch, "inputs": dict(inputs)}
            repository.requester.requestJsonAndCheck("POST", where, input=body)

    def enable_auto_merge(self, pull_request: PullRequest) -> bool:
        """Have it merged once all that its branch requires is there; False where GitHub refuses."""
        with self._client("enable auto-merge") as client:
            return enable_auto_merge(client, self.repository, pull_request.number)

    def check(self) -> str:
        """Look at the repository with the token, and give its default branch."""
        with self._opened("look at the repository") as repository:
            return repository.default_branch

    def _pull_request(self, pull: ApiPullRequest, account: str | None) -> PullRequest:
        # GitHub keeps a login's letters and takes it in any case.
        author = "" if pull.user is None else pull.user.login.lower()
        is_trusted = author in self._trusted or (account is not None and author == account.lower())
        return PullRequest(
            number=pull.number,
            url=pull.html_url,
            branch=pull.head.ref,
            is_open=pull.state == "open",
            labels=tuple(label.name for label in pull.labels),
            is_ours=is_trusted and self._is_of_repository(pull),
            commit=pull.head.sha,
            is_of_repository=self._is_of_repository(pull),
        )

    def _is_of_repository(self, pull: ApiPullRequest) -> bool:
        # None where the fork was deleted.
        source = pull.head.repo
        return source is not None and source.full_name.lower() == self.repository.lower()

    @contextmanager
    def _opened(self, doing: str) -> Iterator[ApiRepository]:
        with self._client(doing) as client:
            yield client.get_repo(self.repository)

    @contextmanager
    def _client(self, doing: str) -> Iterator[Github]:
        try:
            with self._client_with(self._tokens.token(), doing) as client:
                yield client
        # An App's token may have been revoked before its hour is over: the next call gets a new one.
        except GitHubRefused:
            self._tokens.forget()
            raise

    @contextmanager
    def _client_with(self, token: str, doing: str) -> Iterator[Github]:
        with (
            translated(f"{self._api_url}/repos/{self.repository}", doing, token, self._names),
            Github(
                auth=Auth.Token(token),
                base_url=self._api_url,
                timeout=TIMEOUT,
                # With none, GitHub's refusals come back whole, with the wait that they ask for.
                retry=retry_policy(self._retries) if self._retries else None,
                user_agent="evalhook",
                per_page=100,
                # A job makes a handful of requests; pauses between them would only slow it.
                seconds_between_requests=None,
                seconds_between_writes=None,
                # The repository and the pull request are known by name: no request to look them up.
                lazy=True,
            ) as client,
        ):
            yield client


def slug_of(branch: str) -> str | None:
    """Return the component whose results a branch holds, by its name; None for any other branch."""
    found = RESULTS_BRANCH.fullmatch(branch)
    return found[1] if found is not None else None


def _number(client: Github, account: str) -> int | None:
    try:
        return client.get_user(account).id
    except GithubException as error:
        if error.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            raise
        return None


def _login(client: Github) -> str | None:
    try:
        return client.get_user().login
    except GithubException as error:
        if error.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            raise
    # A token of an App, Actions' own among them, may not ask for its user, but for its viewer.
    try:
        answer = ask(client, "query { viewer { login } }", {})
    except GithubException:
        return None
    match answer:
        case {"data": {"viewer": {"login": str(login)}}}:
            return login
        case _:
            return None


# PyGithub writes to standard error by itself; the service's logs are the only ones.
logging.getLogger("github").handlers.clear()
