"""The service's settings: one frozen Struct, read once at start-up from the environment.

`config.table` lists them all; here are the types they are handed on as, and what holds between several.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalcore.errors import ConfigurationError
from evalcore.publishing.outbox import CommitBack
from evalcore.publishing.pull_request import PullRequestOptions
from evalcore.runs.case_privacy import PublishCases
from evalcore.secret import Secret, TokenSource
from evalcore.structs import Frozen
from evalhook.config import table, values
from evalhook.config.networks import AllowedIps, Network
from evalhook.config.oidc_rules import OidcSettings
from evalhook.config.reader import SettingReader
from evalhook.config.table import Setting


class GitHubToken(Frozen, frozen=True):
    """A personal access token, or a fine-grained one."""

    token: Secret

    @property
    def secret(self) -> Secret:
        """What is to be masked in logs."""
        return self.token


class GitHubApp(Frozen, frozen=True):
    """A GitHub App, whose installation tokens are fetched when needed."""

    app_id: int
    private_key: Secret

    @property
    def secret(self) -> Secret:
        """What is to be masked in logs."""
        return self.private_key


GitHubCredentials = GitHubToken | GitHubApp


class JobLimits(Frozen, frozen=True, kw_only=True):
    """What bounds a job in time, in seconds, and how many jobs may wait."""

    grace: float
    """For the calls in flight when a signal stops the service."""
    outage: float
    """How long a model that has answered in this job is waited for."""
    stall: float
    """Without any progress for so long, a job says so."""
    deadline: float
    """For the whole of a job."""
    queue: int
    """How many jobs may wait for the slot."""


class Settings(Frozen, frozen=True):
    """All settings, checked."""

    token: Secret | None
    """What callers show; None where GitHub Actions' own tokens are the only ones."""
    token_file: Path | None
    """Read again while the service runs, as the next one is."""
    token_next: Secret | None
    """Valid beside `token`, while callers change from one to the other."""
    token_next_file: Path | None
    oidc: OidcSettings | None
    trusted_proxies: tuple[Network, ...]
    allowed_ips: AllowedIps | None
    """None lets every address call."""
    mindrouter_base_url: str
    mindrouter_api_key: Secret
    mindrouter_proxy: str | None
    """The HTTP proxy that MindRouter is reached through."""
    prompt_library: Path
    prompt_library_url: str | None
    data_sets: Path | None
    data_sets_url: str | None
    data_sets_token: Secret | None
    """For the data sets alone; where unset, `github` is used."""
    state_dir: Path
    host: str
    port: int
    """0 asks the system for a free one."""
    default_branch: str
    commit_back: CommitBack
    pull_request: PullRequestOptions
    """What is chosen of pull requests with results, and of their commits."""
    github_repo: str | None
    """`owner/name`; there in mode `pr`."""
    trusted_publishers: tuple[str, ...]
    """GitHub accounts whose results pull requests count as our own."""
    github_api_url: str
    github: GitHubCredentials | None
    concurrency: int
    """Calls in flight over all models."""
    retention_days: int
    limits: JobLimits
    """What bounds a job in time, and how many may wait."""
    refresh_minutes: int
    """How often open results are looked at."""
    max_state_gb: int
    """The size of the state directory above which published jobs are removed, the oldest first."""
    min_free_gb: int
    """Free space without which no job is taken."""
    public_url: str | None
    """Where people find the status page."""
    metrics_bind: tuple[str, int] | None
    """A second address, where the metrics need no token."""
    allow_http: bool
    publish_cases: PublishCases | None
    """What is published of cases; None: by where they come from (see evalcore.runs.case_privacy)."""
    allow_any_commit: bool
    """Whether commits that the default branch does not hold are evaluated too (never committed back)."""

    @property
    def token_sources(self) -> tuple[TokenSource, ...]:
        """The tokens that callers may show, and where they are looked for."""
        return (
            TokenSource(table.TOKEN.name, self.token, self.token_file),
            TokenSource(table.TOKEN_NEXT.name, self.token_next, self.token_next_file, may_be_absent=True),
        )

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret, for masking."""
        perhaps = (self.token, self.token_next, self.mindrouter_api_key, self.data_sets_token)
        found = [secret for secret in perhaps if secret is not None]
        if self.github is not None:
            found.append(self.github.secret)
        return tuple(found)

    @property
    def runs_dir(self) -> Path:
        """Where replies and records are stored."""
        return self.state_dir / "runs"

    @property
    def documents_dir(self) -> Path:
        """Where what was read of documents is kept, so that it is read once."""
        return self.state_dir / "documents"

    @property
    def pending_dir(self) -> Path:
        """Where it is noted which jobs GitHub is still to be notified of."""
        # The name that state directories of earlier versions have: it stays, so that none loses what is
        # pending.
        return self.state_dir / "untold"

    @property
    def jobs_dir(self) -> Path:
        """Where jobs are stored."""
        return self.state_dir / "jobs"


class Inspection(Frozen, frozen=True):
    """What was found of every setting."""

    settings: Settings | None
    """None where anything is wrong."""
    problems: tuple[ConfigurationError, ...]
    """Each names its setting in `where`."""
    shown: dict[str, str]
    """Setting to its value as it may be shown; secrets as `set` or `not set`."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check all settings.

    Raises ConfigurationError for the first that is missing or wrong.
    """
    inspection = inspect_settings(environ)
    if inspection.settings is None:
        raise inspection.problems[0]
    return inspection.settings


def inspect_settings(environ: Mapping[str, str]) -> Inspection:
    """Read all settings and collect every mistake."""
    reader = SettingReader(environ)
    settings = _read(reader)
    return Inspection(
        settings=None if reader.problems else settings,
        problems=tuple(reader.problems),
        shown=reader.shown,
    )


def _read(reader: SettingReader) -> Settings:
    # In the order in which `evalhook check` lists them.
    allow_http = reader.value(table.ALLOW_HTTP)
    mode = reader.value(table.COMMIT_BACK)
    host, port = reader.value(table.BIND)
    data_sets = reader.optional(table.DATA_SETS)
    data_sets_url = _url(reader, table.DATA_SETS_URL, allow_http=allow_http)
    if data_sets_url is not None and data_sets is None:
        reader.fail(table.DATA_SETS, "is not set, though its URL is", "name the clone's path")
    repo = reader.optional(table.GITHUB_REPO)
    github = _github(reader, needed=mode != "none")
    # An App's token is of one repository: without its name none can be asked for.
    needs_repo = mode == "pr" or isinstance(github, GitHubApp)
    if needs_repo and repo is None and not reader.failed(table.GITHUB_REPO):
        hint = "set it to owner/name, or EVALHOOK_COMMIT_BACK=none"
        reader.fail(table.GITHUB_REPO, "is not set, and pull requests and Apps need it", hint)
    oidc = _oidc(reader, allow_http=allow_http)
    return Settings(
        token=reader.required(table.TOKEN, Secret("")) if oidc is None else reader.optional(table.TOKEN),
        token_file=reader.secret_path(table.TOKEN),
        token_next=reader.rotating(table.TOKEN_NEXT),
        token_next_file=reader.secret_path(table.TOKEN_NEXT),
        oidc=oidc,
        trusted_proxies=reader.value(table.TRUSTED_PROXIES),
        allowed_ips=reader.optional(table.ALLOWED_IPS),
        mindrouter_base_url=reader.required(table.MINDROUTER_BASE_URL, ""),
        mindrouter_api_key=reader.required(table.MINDROUTER_API_KEY, Secret("")),
        mindrouter_proxy=reader.optional(table.MINDROUTER_PROXY),
        prompt_library=reader.required(table.PROMPT_LIBRARY, Path()),
        prompt_library_url=_url(reader, table.PROMPT_LIBRARY_URL, allow_http=allow_http),
        data_sets=data_sets,
        data_sets_url=data_sets_url,
        data_sets_token=reader.optional(table.DATA_SETS_TOKEN),
        state_dir=reader.required(table.STATE_DIR, Path()),
        host=host,
        port=port,
        default_branch=reader.value(table.DEFAULT_BRANCH),
        commit_back=mode,
        pull_request=PullRequestOptions(
            auto_merge=reader.value(table.AUTO_MERGE),
            commit_suffix=reader.value(table.COMMIT_SUFFIX),
            dashboard_url=reader.optional(table.DASHBOARD_URL),
            publish_reports=reader.value(table.PUBLISH_REPORTS),
        ),
        github_repo=repo,
        trusted_publishers=reader.value(table.TRUSTED_PUBLISHERS),
        github_api_url=_encrypted(
            reader, table.GITHUB_API_URL, reader.value(table.GITHUB_API_URL), allow_http=allow_http
        ),
        github=github,
        concurrency=reader.value(table.CONCURRENCY),
        retention_days=reader.value(table.RETENTION_DAYS),
        limits=JobLimits(
            grace=reader.value(table.GRACE_SECONDS),
            outage=reader.value(table.OUTAGE_BUDGET),
            stall=60 * reader.value(table.STALL_MINUTES),
            deadline=reader.value(table.JOB_DEADLINE),
            queue=reader.value(table.QUEUE),
        ),
        refresh_minutes=reader.value(table.REFRESH_MINUTES),
        max_state_gb=reader.value(table.MAX_STATE_GB),
        min_free_gb=reader.value(table.MIN_FREE_GB),
        public_url=_url(reader, table.PUBLIC_URL, allow_http=allow_http),
        metrics_bind=reader.optional(table.METRICS_BIND),
        allow_http=allow_http,
        publish_cases=reader.optional(table.PUBLISH_CASES),
        allow_any_commit=reader.value(table.ALLOW_ANY_COMMIT),
    )


def _url(reader: SettingReader, setting: Setting[str], *, allow_http: bool) -> str | None:
    url = reader.optional(setting)
    return None if url is None else _encrypted(reader, setting, url, allow_http=allow_http)


def _encrypted(reader: SettingReader, setting: Setting[str], url: str, *, allow_http: bool) -> str:
    """Refuse plain HTTP for a URL that is read already; one that was wrong otherwise has its default here."""
    try:
        if not allow_http:
            values.require_encryption(url)
    except values.Unusable as error:
        reader.fail(setting, error.what, error.hint)
    return url


def _oidc(reader: SettingReader, *, allow_http: bool) -> OidcSettings | None:
    audience = reader.optional(table.OIDC_AUDIENCE)
    rules = reader.optional(table.OIDC_ALLOW)
    issuer = _encrypted(reader, table.OIDC_ISSUER, reader.value(table.OIDC_ISSUER), allow_http=allow_http)
    halves: dict[Setting[Any], object] = {table.OIDC_AUDIENCE: audience, table.OIDC_ALLOW: rules}
    missing = [setting for setting, value in halves.items() if value is None]
    if len(missing) == 1 and not reader.failed(missing[0]):
        names = " and ".join(setting.name for setting in halves)
        reader.fail(missing[0], "is not set, though its other half is", f"set both {names}")
    if audience is None or rules is None:
        return None
    return OidcSettings(issuer=issuer, audience=audience, rules=rules)


def _github(reader: SettingReader, *, needed: bool) -> GitHubCredentials | None:
    token = reader.optional(table.GITHUB_TOKEN)
    app_id = reader.optional(table.GITHUB_APP_ID)
    key = reader.optional(table.GITHUB_APP_PRIVATE_KEY)
    if token is not None and (app_id is not None or key is not None):
        reader.fail(table.GITHUB_TOKEN, "is set beside a GitHub App", "set one of the two")
    if app_id is not None and key is not None:
        return GitHubApp(app_id=app_id, private_key=key)
    if token is not None:
        return GitHubToken(token=token)
    halves: dict[Setting[Any], object] = {table.GITHUB_APP_ID: app_id, table.GITHUB_APP_PRIVATE_KEY: key}
    missing = [setting for setting, value in halves.items() if value is None]
    if len(missing) == 1 and not reader.failed(missing[0]):
        reader.fail(missing[0], "is not set, though the other half of the GitHub App is", "set both")
    elif needed and not reader.failed(table.GITHUB_TOKEN, *halves):
        hint = "set it, or both EVALHOOK_GITHUB_APP_*, or EVALHOOK_COMMIT_BACK=none"
        reader.fail(table.GITHUB_TOKEN, "is not set, and results are committed back with it", hint)
    return None
