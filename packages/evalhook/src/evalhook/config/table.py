"""Every setting of the service: its name, reader, default and meaning, in the order of docs/operations.md.

`config.settings` reads them, `evalhook check` lists them, and tests hold the operator's page and the
compose file to them. `shown_default` and `meaning` are Markdown, for that page. A secret can also be given
as the path of a file, in `<name>_FILE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from evalcore.publishing.outbox import CommitBack
from evalcore.runs.case_privacy import PublishCases
from evalcore.secret import MIN_TOKEN_LENGTH, Secret
from evalhook.config import values
from evalhook.config.networks import AllowedIps, Network, parse_allowed, parse_networks
from evalhook.config.oidc_rules import GITHUB_ISSUER, TokenRule, parse_rules

T = TypeVar("T")
DEFAULT_API_URL: Final = "https://api.github.com"


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One setting; `read` turns its text into a value and raises `values.Unusable`."""

    name: str
    read: Callable[[str], T]
    shown_default: str
    meaning: str
    is_secret: bool = False


@dataclass(frozen=True, kw_only=True)
class Defaulted(Setting[T]):
    """A setting that has a value where it is not set."""

    default: T


TOKEN: Final[Setting[Secret]] = Setting(
    "MINDROUTER_EVAL_WEBHOOK_TOKEN",
    values.long_secret(MIN_TOKEN_LENGTH),
    "required, unless OIDC is set up",
    "what callers send as `Authorization: Bearer`; at least 32 characters",
    is_secret=True,
)
TOKEN_NEXT: Final[Setting[Secret]] = Setting(
    "MINDROUTER_EVAL_WEBHOOK_TOKEN_NEXT",
    values.long_secret(MIN_TOKEN_LENGTH),
    "none",
    "valid beside it while callers change over; its file may be absent or empty",
    is_secret=True,
)
OIDC_AUDIENCE: Final[Setting[str]] = Setting(
    "EVALHOOK_OIDC_AUDIENCE",
    values.one_line,
    "unset",
    "the audience that tokens of GitHub Actions must name; they count beside the shared token, or instead "
    "of it: [security.md](security.md)",
)
OIDC_ALLOW: Final[Setting[tuple[TokenRule, ...]]] = Setting(
    "EVALHOOK_OIDC_ALLOW",
    parse_rules,
    "unset",
    "which workflows may call with such tokens, by what these claim; set together with the audience",
)
OIDC_ISSUER: Final[Defaulted[str]] = Defaulted(
    "EVALHOOK_OIDC_ISSUER",
    values.as_written(values.web_url("https://host")),
    "GitHub's",
    "who issues such tokens; for GitHub Enterprise Server: `https://HOST/_services/token`",
    default=GITHUB_ISSUER,
)
TRUSTED_PROXIES: Final[Defaulted[tuple[Network, ...]]] = Defaulted(
    "EVALHOOK_TRUSTED_PROXIES",
    parse_networks,
    "none; Docker's networks in compose",
    "addresses and CIDRs whose `X-Forwarded-*` count; all others but loopback are refused, for they came "
    "over plain HTTP",
    default=(),
)
ALLOWED_IPS: Final[Setting[AllowedIps]] = Setting(
    "EVALHOOK_ALLOWED_IPS",
    parse_allowed,
    "unset: every address",
    "addresses and CIDRs that may call, and the word `github-actions` for GitHub's hosted runners",
)
PUBLISH_CASES: Final[Setting[PublishCases]] = Setting(
    "EVALHOOK_PUBLISH_CASES",
    values.publish_cases,
    "`hashed` for cases of the data sets, `names` for the library's",
    "what is published of cases: `names`, `hashed` or `none`; where set, it holds for both",
)
ALLOW_ANY_COMMIT: Final[Defaulted[bool]] = Defaulted(
    "EVALHOOK_ALLOW_ANY_COMMIT",
    values.flag,
    "unset",
    "`1` evaluates commits that the default branch does not hold; their results are never committed back, "
    "but shown as a comment on the open pull request whose head they are, unless it is a fork's",
    default=False,
)
MINDROUTER_BASE_URL: Final[Setting[str]] = Setting(
    "MINDROUTER_BASE_URL",
    values.server_root,
    "required",
    "MindRouter's root; a trailing `/` or `/v1` means the same",
)
MINDROUTER_API_KEY: Final[Setting[Secret]] = Setting(
    "MINDROUTER_API_KEY", values.one_line_secret, "required", "its key", is_secret=True
)
MINDROUTER_PROXY: Final[Setting[str]] = Setting(
    "MINDROUTER_PROXY",
    values.http_proxy,
    "unset: reached directly",
    "the HTTP proxy that MindRouter is reached through, such as `http://proxy:3128`. `HTTPS_PROXY` and "
    "`NO_PROXY` count for GitHub, git and OIDC, and never for MindRouter",
)
PROMPT_LIBRARY: Final[Setting[Path]] = Setting(
    "EVALHOOK_PROMPT_LIBRARY",
    values.folder,
    "required; set in the image",
    "path of the clone of the prompt library",
)
PROMPT_LIBRARY_URL: Final[Setting[str]] = Setting(
    "EVALHOOK_PROMPT_LIBRARY_URL",
    values.remote_url,
    "unset; from `EVALHOOK_GITHUB_REPO` in compose",
    "cloned from there at start-up where the path is absent",
)
DATA_SETS: Final[Setting[Path]] = Setting(
    "EVALHOOK_DATA_SETS",
    values.folder,
    "unset: the library's own cases alone",
    "path of the clone of the data sets",
)
DATA_SETS_URL: Final[Setting[str]] = Setting(
    "EVALHOOK_DATA_SETS_URL",
    values.remote_url,
    "unset",
    "cloned from there at start-up where the path is absent",
)
DATA_SETS_TOKEN: Final[Setting[Secret]] = Setting(
    "EVALHOOK_DATA_SETS_TOKEN",
    values.one_line_secret,
    "GitHub's",
    "a read-only token for the data sets alone",
    is_secret=True,
)
STATE_DIR: Final[Setting[Path]] = Setting(
    "EVALHOOK_STATE_DIR", values.folder, "required; set in the image", "jobs and replies"
)
BIND: Final[Defaulted[tuple[str, int]]] = Defaulted(
    "EVALHOOK_BIND",
    values.bind,
    "`127.0.0.1:8080`; all addresses in the image, where only Caddy reaches it",
    "where to listen",
    default=("127.0.0.1", 8080),
)
DEFAULT_BRANCH: Final[Defaulted[str]] = Defaulted(
    "EVALHOOK_DEFAULT_BRANCH",
    values.branch,
    "`main`",
    "the branch that is evaluated and that pull requests go to",
    default="main",
)
COMMIT_BACK: Final[Defaulted[CommitBack]] = Defaulted(
    "EVALHOOK_COMMIT_BACK",
    values.commit_back,
    "`pr`",
    "`pr`: a pull request; `push`: straight to the branch; `none`: results stay on the VM",
    default="pr",
)
AUTO_MERGE: Final[Defaulted[bool]] = Defaulted(
    "EVALHOOK_AUTO_MERGE",
    values.flag,
    "unset",
    "`1` sets results pull requests to merge by themselves, where the repository allows auto-merge and "
    "requires something of its branch; the label `automerge` otherwise. Regressions are left to a person",
    default=False,
)
PUBLISH_REPORTS: Final[Defaulted[bool]] = Defaulted(
    "EVALHOOK_PUBLISH_REPORTS",
    values.flag,
    "unset",
    "`1` adds to each results commit a report of each run, under `components/<skill>/evals/reports/`; "
    "only the library's own cases are quoted in it",
    default=False,
)
COMMIT_SUFFIX: Final[Defaulted[str]] = Defaulted(
    "EVALHOOK_COMMIT_SUFFIX",
    values.one_line,
    "empty",
    "appended to the subject of the results commit",
    default="",
)
DASHBOARD_URL: Final[Setting[str]] = Setting(
    "EVALHOOK_DASHBOARD_URL",
    values.web_url("https://owner.github.io/name"),
    "unset",
    "where the dashboard of the leaderboards is published: results pull requests link to the component's "
    "page there",
)
GITHUB_REPO: Final[Setting[str]] = Setting(
    "EVALHOOK_GITHUB_REPO", values.repository, "required for `pr` and for an App", "`owner/name`"
)
TRUSTED_PUBLISHERS: Final[Defaulted[tuple[str, ...]]] = Defaulted(
    "EVALHOOK_TRUSTED_PUBLISHERS",
    values.accounts,
    "empty",
    "accounts whose open results pull requests new results may be built on beside our own, separated by "
    "commas: `github-actions[bot]` for those of cloud models",
    default=(),
)
GITHUB_API_URL: Final[Defaulted[str]] = Defaulted(
    "EVALHOOK_GITHUB_API_URL",
    values.web_url("https://host/api/v3"),
    "GitHub's own",
    "for GitHub Enterprise: `https://HOST/api/v3`",
    default=DEFAULT_API_URL,
)
GITHUB_TOKEN: Final[Setting[Secret]] = Setting(
    "GITHUB_TOKEN",
    values.one_line_secret,
    "this or the App",
    "clones, pushes and opens pull requests",
    is_secret=True,
)
GITHUB_APP_ID: Final[Setting[int]] = Setting(
    "EVALHOOK_GITHUB_APP_ID",
    values.whole_number(1, 2**63),
    "this or the token",
    "the same as an App; set together with its key",
)
GITHUB_APP_PRIVATE_KEY: Final[Setting[Secret]] = Setting(
    "EVALHOOK_GITHUB_APP_PRIVATE_KEY",
    values.private_key,
    "this or the token",
    "the App's private key, in PEM form",
    is_secret=True,
)
CONCURRENCY: Final[Defaulted[int]] = Defaulted(
    "EVALHOOK_CONCURRENCY",
    values.whole_number(1, 1000),
    "`16`",
    "calls in flight over all models",
    default=16,
)
QUEUE: Final[Defaulted[int]] = Defaulted(
    "EVALHOOK_QUEUE",
    values.whole_number(0, 1000),
    "`0`: busy is 409",
    "so many jobs wait for their turn, answered 202 `queued` with their position",
    default=0,
)
OUTAGE_BUDGET: Final[Defaulted[int]] = Defaulted(
    "EVALHOOK_OUTAGE_BUDGET",
    values.duration,
    "`2h`",
    "how long a model that has answered in a job is waited for when it goes away",
    default=7200,
)
STALL_MINUTES: Final[Defaulted[int]] = Defaulted(
    "EVALHOOK_STALL_MINUTES",
    values.whole_number(1, 10**5),
    "`20`",
    "a job without progress for so long says so, with the calls it waits for",
    default=20,
)
JOB_DEADLINE: Final[Defaulted[int]] = Defaulted(
    "EVALHOOK_JOB_DEADLINE",
    values.duration,
    "`24h`",
    "a job that takes longer is ended; its replies and finished records stay",
    default=86400,
)
GRACE_SECONDS: Final[Defaulted[int]] = Defaulted(
    "EVALHOOK_GRACE_SECONDS",
    values.whole_number(0, 3600),
    "`20`",
    "for calls in flight when the service is told to stop; `stop_grace_period` in compose is to be ten "
    "seconds longer",
    default=20,
)
REFRESH_MINUTES: Final[Defaulted[int]] = Defaulted(
    "EVALHOOK_REFRESH_MINUTES",
    values.whole_number(1, 10**5),
    "`10`",
    "how often open results pull requests are looked at, and merged with the default branch where only the "
    "leaderboard conflicts",
    default=10,
)
RETENTION_DAYS: Final[Defaulted[int]] = Defaulted(
    "EVALHOOK_RETENTION_DAYS",
    values.whole_number(1, 36500),
    "`90`",
    "how long jobs and their replies are kept",
    default=90,
)
MAX_STATE_GB: Final[Defaulted[int]] = Defaulted(
    "EVALHOOK_MAX_STATE_GB",
    values.whole_number(1, 10**6),
    "`20`",
    "the size that kept runs may have; beyond it the oldest published jobs go",
    default=20,
)
MIN_FREE_GB: Final[Defaulted[int]] = Defaulted(
    "EVALHOOK_MIN_FREE_GB",
    values.whole_number(0, 10**6),
    "`1`",
    "with less free, and 16 KB for each planned call, a job is refused with 503",
    default=1,
)
PUBLIC_URL: Final[Setting[str]] = Setting(
    "EVALHOOK_PUBLIC_URL",
    values.web_url("https://evaluator.example.org"),
    "unset",
    "where people find the status page, for links from GitHub, such as `https://evaluator.example.org`",
)
METRICS_BIND: Final[Setting[tuple[str, int]]] = Setting(
    "EVALHOOK_METRICS_BIND",
    values.bind,
    "unset",
    "a second address for `/metrics`, where no token is needed, such as `127.0.0.1:9090`",
)
ALLOW_HTTP: Final[Defaulted[bool]] = Defaulted(
    "EVALHOOK_ALLOW_HTTP",
    values.flag,
    "unset",
    "`1` lets git and GitHub credentials go over plain HTTP to other hosts; for tests. Callers of the "
    "service need HTTPS all the same",
    default=False,
)
SETTINGS: Final[tuple[Setting[object], ...]] = tuple(
    value for value in list(globals().values()) if isinstance(value, Setting)
)
"""All of them, in the order above."""
