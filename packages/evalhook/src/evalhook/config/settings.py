"""What the environment tells the service: one frozen Struct, read once at start-up (docs/operations.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal

from evalcore.errors import ConfigurationError
from evalcore.runs.case_privacy import PublishCases
from evalcore.secret import MIN_TOKEN_LENGTH, Secret, TokenSource
from evalcore.structs import Frozen
from evalhook.config import values
from evalhook.config.networks import AllowedIps, Network, parse_allowed, parse_networks
from evalhook.config.oidc_rules import GITHUB_ISSUER, OidcSettings, parse_rules
from evalhook.config.reader import SettingReader

CommitBack = Literal["pr", "push", "none"]
TOKEN: Final = "MINDROUTER_EVAL_WEBHOOK_TOKEN"  # noqa: S105 - the setting's name
TOKEN_NEXT: Final = f"{TOKEN}_NEXT"
DEFAULT_API_URL: Final = "https://api.github.com"


class GitHubToken(Frozen, frozen=True):
    """A personal access token, or a fine-grained one."""

    token: Secret

    @property
    def secret(self) -> Secret:
        """What is to be masked."""
        return self.token


class GitHubApp(Frozen, frozen=True):
    """A GitHub App, whose installation tokens are fetched when needed."""

    app_id: int
    private_key: Secret

    @property
    def secret(self) -> Secret:
        """What is to be masked."""
        return self.private_key


GitHubCredentials = GitHubToken | GitHubApp


class Settings(Frozen, frozen=True):
    """Everything the service is told, checked."""

    token: Secret | None
    """What callers show; None where GitHub Actions' own tokens are the only ones."""
    token_file: Path | None
    """Looked at again while the service runs, as the next one is."""
    token_next: Secret | None
    """Valid beside `token`, while callers change from one to the other."""
    token_next_file: Path | None
    oidc: OidcSettings | None
    trusted_proxies: tuple[Network, ...]
    allowed_ips: AllowedIps | None
    """None lets every address call."""
    mindrouter_base_url: str
    mindrouter_api_key: Secret
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
    commit_suffix: str
    """Appended to the subject of a results commit; empty for none."""
    github_repo: str | None
    """`owner/name`; there in mode `pr`."""
    github_api_url: str
    github: GitHubCredentials | None
    concurrency: int
    """Calls in flight over all models."""
    retention_days: int
    limits: Limits
    """What bounds a job in time, and how many may wait."""
    refresh_minutes: int
    """How often open results are looked at."""
    max_state_gb: int
    """The size that the state directory is kept under, where published jobs can be dropped for it."""
    min_free_gb: int
    """Free space without which no job is taken."""
    public_url: str | None
    """Where people find the status page."""
    metrics_bind: tuple[str, int] | None
    """A second address, where the metrics need no token."""
    allow_http: bool
    publish_cases: PublishCases | None
    """What is published of cases; None: by where they come from (see evalhook.publishing.privacy)."""
    allow_any_commit: bool
    """Whether commits that the default branch does not hold are evaluated too (never committed back)."""

    @property
    def token_sources(self) -> tuple[TokenSource, ...]:
        """The tokens that callers may show, and where they are looked for."""
        return (
            TokenSource(TOKEN, self.token, self.token_file),
            TokenSource(TOKEN_NEXT, self.token_next, self.token_next_file, may_be_absent=True),
        )

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret, for masking."""
        perhaps = (self.token, self.token_next, self.mindrouter_api_key, self.data_sets_token)
        found = [secret for secret in perhaps if secret is not None]
        if self.github is not None:
            found.append(
                self.github.token if isinstance(self.github, GitHubToken) else self.github.private_key
            )
        return tuple(found)

    @property
    def runs_dir(self) -> Path:
        """Where replies and records are kept."""
        return self.state_dir / "runs"

    @property
    def untold_dir(self) -> Path:
        """Where it is noted which jobs GitHub is still to be told of."""
        return self.state_dir / "untold"

    @property
    def jobs_dir(self) -> Path:
        """Where jobs are kept."""
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
    allow_http = reader.value("EVALHOOK_ALLOW_HTTP", values.flag, default=False)
    url = values.remote_url(allow_http=allow_http)
    mode: CommitBack = reader.value("EVALHOOK_COMMIT_BACK", values.commit_back, default="pr")
    host, port = reader.value("EVALHOOK_BIND", values.bind, default=("127.0.0.1", 8080))
    data_sets = reader.optional("EVALHOOK_DATA_SETS", values.folder)
    data_sets_url = reader.optional("EVALHOOK_DATA_SETS_URL", url)
    if data_sets_url is not None and data_sets is None:
        reader.fail("EVALHOOK_DATA_SETS", "is not set, though its URL is", "name the clone's path")
    repo = reader.optional("EVALHOOK_GITHUB_REPO", values.repository)
    github = _github(reader, needed=mode != "none")
    needs_repo = mode == "pr" or isinstance(github, GitHubApp)
    if needs_repo and repo is None and not reader.failed("EVALHOOK_GITHUB_REPO"):
        hint = "set it to owner/name, or EVALHOOK_COMMIT_BACK=none"
        reader.fail("EVALHOOK_GITHUB_REPO", "is not set, and pull requests and Apps need it", hint)
    oidc = _oidc(reader, url=values.web_url("https://host", allow_http=allow_http))
    long_enough = values.long_secret(MIN_TOKEN_LENGTH)
    return Settings(
        token=(reader.required_secret if oidc is None else reader.secret)(TOKEN, long_enough),
        token_file=reader.secret_path(TOKEN),
        token_next=reader.secret(TOKEN_NEXT, long_enough, may_be_absent=True),
        token_next_file=reader.secret_path(TOKEN_NEXT),
        oidc=oidc,
        trusted_proxies=reader.value("EVALHOOK_TRUSTED_PROXIES", parse_networks, default=()),
        allowed_ips=reader.optional("EVALHOOK_ALLOWED_IPS", parse_allowed),
        mindrouter_base_url=reader.required("MINDROUTER_BASE_URL", values.server_root, ""),
        mindrouter_api_key=reader.required_secret("MINDROUTER_API_KEY", values.one_line_secret),
        prompt_library=reader.required("EVALHOOK_PROMPT_LIBRARY", values.folder, Path()),
        prompt_library_url=reader.optional("EVALHOOK_PROMPT_LIBRARY_URL", url),
        data_sets=data_sets,
        data_sets_url=data_sets_url,
        data_sets_token=reader.secret("EVALHOOK_DATA_SETS_TOKEN", values.one_line_secret),
        state_dir=reader.required("EVALHOOK_STATE_DIR", values.folder, Path()),
        host=host,
        port=port,
        default_branch=reader.value("EVALHOOK_DEFAULT_BRANCH", values.branch, default="main"),
        commit_back=mode,
        commit_suffix=reader.value("EVALHOOK_COMMIT_SUFFIX", values.one_line, default=""),
        github_repo=repo,
        github_api_url=reader.value(
            "EVALHOOK_GITHUB_API_URL",
            values.web_url("https://host/api/v3", allow_http=allow_http),
            default=DEFAULT_API_URL,
        ),
        github=github,
        concurrency=reader.value("EVALHOOK_CONCURRENCY", values.whole_number(1, 1000), default=16),
        retention_days=reader.value("EVALHOOK_RETENTION_DAYS", values.whole_number(1, 36500), default=90),
        limits=Limits(
            grace=reader.value("EVALHOOK_GRACE_SECONDS", values.whole_number(0, 3600), default=20),
            outage=reader.value("EVALHOOK_OUTAGE_BUDGET", values.duration, default=7200),
            stall=60 * reader.value("EVALHOOK_STALL_MINUTES", values.whole_number(1, 10**5), default=20),
            deadline=reader.value("EVALHOOK_JOB_DEADLINE", values.duration, default=86400),
            queue=reader.value("EVALHOOK_QUEUE", values.whole_number(0, 1000), default=0),
        ),
        refresh_minutes=reader.value("EVALHOOK_REFRESH_MINUTES", values.whole_number(1, 10**5), default=10),
        max_state_gb=reader.value("EVALHOOK_MAX_STATE_GB", values.whole_number(1, 10**6), default=20),
        min_free_gb=reader.value("EVALHOOK_MIN_FREE_GB", values.whole_number(0, 10**6), default=1),
        public_url=reader.optional(
            "EVALHOOK_PUBLIC_URL", values.web_url("https://evaluator.example.org", allow_http=allow_http)
        ),
        metrics_bind=reader.optional("EVALHOOK_METRICS_BIND", values.bind),
        allow_http=allow_http,
        publish_cases=reader.optional("EVALHOOK_PUBLISH_CASES", values.publish_cases),
        allow_any_commit=reader.value("EVALHOOK_ALLOW_ANY_COMMIT", values.flag, default=False),
    )


def _oidc(reader: SettingReader, *, url: Callable[[str], str]) -> OidcSettings | None:
    audience = reader.optional("EVALHOOK_OIDC_AUDIENCE", values.one_line)
    rules = reader.optional("EVALHOOK_OIDC_ALLOW", parse_rules)
    issuer = reader.value("EVALHOOK_OIDC_ISSUER", values.as_written(url), default=GITHUB_ISSUER)
    halves = {"EVALHOOK_OIDC_AUDIENCE": audience, "EVALHOOK_OIDC_ALLOW": rules}
    missing = [name for name, value in halves.items() if value is None]
    if len(missing) == 1 and not reader.failed(missing[0]):
        reader.fail(missing[0], "is not set, though its other half is", f"set both {' and '.join(halves)}")
    if audience is None or rules is None:
        return None
    return OidcSettings(issuer=issuer, audience=audience, rules=rules)


def _github(reader: SettingReader, *, needed: bool) -> GitHubCredentials | None:
    token = reader.secret("GITHUB_TOKEN", values.one_line_secret)
    app_id = reader.optional("EVALHOOK_GITHUB_APP_ID", values.whole_number(1, 2**63))
    key = reader.secret("EVALHOOK_GITHUB_APP_PRIVATE_KEY", values.private_key)
    if token is not None and (app_id is not None or key is not None):
        reader.fail("GITHUB_TOKEN", "is set beside a GitHub App", "set one of the two")
    if app_id is not None and key is not None:
        return GitHubApp(app_id=app_id, private_key=key)
    if token is not None:
        return GitHubToken(token=token)
    half = {"EVALHOOK_GITHUB_APP_ID": app_id, "EVALHOOK_GITHUB_APP_PRIVATE_KEY": key}
    missing = [name for name, value in half.items() if value is None]
    if len(missing) == 1 and not reader.failed(missing[0]):
        reader.fail(missing[0], "is not set, though the other half of the GitHub App is", "set both")
    elif needed and not reader.failed("GITHUB_TOKEN", *half):
        hint = "set it, or both EVALHOOK_GITHUB_APP_*, or EVALHOOK_COMMIT_BACK=none"
        reader.fail("GITHUB_TOKEN", "is not set, and results are committed back with it", hint)
    return None


class Limits(Frozen, frozen=True, kw_only=True):
    """All in seconds, but `queue`."""

    grace: float = 20.0
    """For the calls in flight when the service is told to stop."""
    outage: float = 7200.0
    """How long a model that has answered in this job is waited for."""
    stall: float = 1200.0
    """Without any progress for so long, a job says so."""
    deadline: float = 86400.0
    """For the whole of a job."""
    queue: int = 0
    """How many jobs may wait for the slot."""
