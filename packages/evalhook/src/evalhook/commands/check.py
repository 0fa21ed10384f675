"""`evalhook check`: every setting and everything the service needs, one line each."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Mapping

from evalcore.errors import ConfigurationError, EvaluatorError, StorageError
from evalcore.formats.counts import counted
from evalcore.git.clone import Clone
from evalcore.git.commits import remote_tip
from evalcore.github.permissions import lacking
from evalcore.github.tokens import AppTokens
from evalcore.library.checkout import CommitCheckout
from evalcore.library.loader import load_models
from evalcore.library.models import ModelsFile, is_local
from evalcore.secret import Scrubber
from evalcore.structs import Frozen
from evalhook.commands.serve import require_clones
from evalhook.config.settings import Settings, inspect_settings
from evalhook.errors import Refusal
from evalhook.storage.space import require_writable
from evalhook.storage.state_version import UNVERSIONED, require_readable_state
from evalhook.wiring import ExternalSystems, free_space


class CheckLine(Frozen, frozen=True):
    """What was found of one setting or dependency."""

    is_fine: bool
    text: str


def run_checks(environ: Mapping[str, str]) -> Iterator[CheckLine]:
    """Check every setting, then, where all are right, everything that they name."""
    inspection = inspect_settings(environ)
    wrong = {problem.where: problem for problem in inspection.problems}
    for name, shown in inspection.shown.items():
        yield _failed(wrong[name]) if name in wrong else CheckLine(True, f"ok    {name}: {shown}")
    if inspection.settings is not None:
        yield from _check_dependencies(inspection.settings)


def _check_dependencies(settings: Settings) -> Iterator[CheckLine]:
    scrub = Scrubber(settings.secrets)
    checks = _Checks(settings, ExternalSystems(settings, scrub.learn))
    # In this order: MindRouter is asked as the models.yaml read before it says, which is in the clone above.
    steps: list[tuple[str, Callable[[], str]]] = [
        ("state directory", checks.state_dir),
        ("git", checks.git),
        ("prompt library", checks.library),
        ("data sets", checks.data_sets),
        ("models.yaml", checks.models_file),
        ("MindRouter", checks.mindrouter),
        ("GitHub", checks.github),
    ]
    for name, step in steps:
        try:
            yield CheckLine(True, f"ok    {name}: {scrub(step())}")
        except EvaluatorError as error:
            yield CheckLine(False, f"fail  {name}: {scrub(error.line)}")


def _failed(problem: ConfigurationError) -> CheckLine:
    return CheckLine(False, f"fail  {problem.line}")


class _Checks:
    """One method for each dependency: it says what was found, or raises EvaluatorError."""

    def __init__(self, settings: Settings, external: ExternalSystems) -> None:
        self._settings = settings
        self._external = external
        self._models: ModelsFile | None = None

    def state_dir(self) -> str:
        folder = self._settings.state_dir
        version = require_readable_state(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            hint = "give the folder to the user that the service runs as"
            raise StorageError(f"cannot be made ({error.strerror})", where=str(folder), hint=hint) from error
        # Written to, not asked: a disk that is mounted read-only has the same permissions as before.
        require_writable([folder])
        try:
            free_space(self._settings).require()
        except Refusal as refusal:
            raise StorageError(refusal.message, where=str(folder)) from refusal
        free = shutil.disk_usage(folder).free
        found = f"{folder} can be written, {free // 2**20:,} MiB free"
        return found if version == UNVERSIONED else f"{found}, state of version {version}"

    def git(self) -> str:
        path = shutil.which("git")
        if path is None:
            raise ConfigurationError("is not installed", where="git", hint="install git")
        return path

    def library(self) -> str:
        require_clones(self._settings)
        return _check_clone(self._external.library, self._settings.prompt_library_url)

    def data_sets(self) -> str:
        clone = self._external.data_sets
        if clone is None:
            return "none set: only the library's own cases count"
        return _check_clone(clone, self._settings.data_sets_url)

    def models_file(self) -> str:
        clone = self._external.library
        if not _is_cloned(clone):
            return "is read once the prompt library is cloned"
        with CommitCheckout(clone.path, clone.commit_at(clone.tracking)) as checkout:
            self._models = load_models(checkout)
        local = [model.id for model in self._models.models if is_local(model)]
        if not local:
            raise ConfigurationError(
                "lists no model with provider mindrouter", where=".evaluator/models.yaml", hint="add one"
            )
        return f"{len(local)} local models: {', '.join(local)}"

    def mindrouter(self) -> str:
        served = asyncio.run(self._external.gateway.served(self._models))
        local = [model.id for model in self._models.models if is_local(model)] if self._models else []
        missing = [name for name in local if name not in served.models]
        url = self._settings.mindrouter_base_url
        found = f"{url} takes the key and serves {counted(len(served.models), 'model')}"
        return f"{found}; not served now: {', '.join(missing)}" if missing else found

    def github(self) -> str:
        github = self._external.github
        if github is None:
            return f"not needed to commit back by {self._settings.commit_back}"
        found = f"{self._settings.github_repo} is there; its default branch is {github.check()}"
        return found + self._missing_permissions()

    def _missing_permissions(self) -> str:
        """Say what an App may not do; GitHub does not say it of other tokens. Raises where that is needed."""
        tokens = self._external.tokens
        missing = lacking(tokens.granted()) if isinstance(tokens, AppTokens) else []
        if not missing:
            return ""
        said = ", ".join(f"{each.shown} {each.level} ({each.purpose})" for each in missing)
        if any(each.is_needed for each in missing):
            hint = "grant it in the App's settings, and accept it where the App is installed"
            raise ConfigurationError(f"the App lacks {said}", where="EVALHOOK_GITHUB_APP_ID", hint=hint)
        return f"; the App lacks {said}"


def _check_clone(clone: Clone, url: str | None) -> str:
    if url is not None and not clone.has_content():
        return f"{clone.path} is not there yet: it is cloned when the service starts"
    tip = remote_tip(clone, clone.default_branch)
    if tip is None:
        raise ConfigurationError(
            f"its remote has no branch {clone.default_branch}",
            where=str(clone.path),
            hint="set EVALHOOK_DEFAULT_BRANCH",
        )
    found = f"{clone.path}, {clone.default_branch} of its remote is at {tip[:12]}"
    return found if _is_cloned(clone) else f"{found}; its first clone is not done yet"


def _is_cloned(clone: Clone) -> bool:
    """Whether there is anything to read: one that is just being made has a repository, and no commit yet."""
    return clone.has_content() and clone.head() is not None
