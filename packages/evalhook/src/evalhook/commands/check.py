"""`evalhook check`: every setting and everything the service needs, one line each."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Mapping

from evalcore.errors import ConfigurationError, EvaluatorError, StorageError
from evalcore.git.clone import Clone
from evalcore.git.commits import remote_tip
from evalcore.library.checkout import CommitCheckout
from evalcore.library.loader import load_models
from evalcore.library.models import ModelsFile, is_local
from evalcore.secret import Scrubber
from evalcore.structs import Frozen
from evalhook.commands.serve import require_clones
from evalhook.config.settings import Settings, inspect_settings
from evalhook.errors import Refusal
from evalhook.storage.space import GB, FreeSpace, require_writable
from evalhook.wiring import check_github, data_sets_clone, library_clone, open_gateway


class CheckLine(Frozen, frozen=True):
    """What was found of one thing."""

    is_fine: bool
    text: str


def run_checks(environ: Mapping[str, str]) -> Iterator[CheckLine]:
    """Look at every setting, then, where they are all right, at what they name."""
    inspection = inspect_settings(environ)
    wrong = {problem.where: problem for problem in inspection.problems}
    for name, shown in inspection.shown.items():
        yield _failed(wrong[name]) if name in wrong else CheckLine(True, f"ok    {name}: {shown}")
    if inspection.settings is not None:
        yield from _check_dependencies(inspection.settings)


def _check_dependencies(settings: Settings) -> Iterator[CheckLine]:
    scrub = Scrubber(settings.secrets)
    models = _Models(settings)
    steps: list[tuple[str, Callable[[Settings], str]]] = [
        ("state directory", _check_state),
        ("git", _check_git),
        ("prompt library", _check_library),
        ("data sets", _check_data_sets),
        ("models.yaml", models.check_file),
        ("MindRouter", models.check_served),
        ("GitHub", check_github),
    ]
    for name, step in steps:
        try:
            yield CheckLine(True, f"ok    {name}: {scrub(step(settings))}")
        except EvaluatorError as error:
            yield CheckLine(False, f"fail  {name}: {scrub(error.line)}")


def _failed(problem: ConfigurationError) -> CheckLine:
    return CheckLine(False, f"fail  {problem.line}")


def _check_state(settings: Settings) -> str:
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        hint = "give the folder to the user that the service runs as"
        raise StorageError(
            f"cannot be made ({error.strerror})", where=str(settings.state_dir), hint=hint
        ) from error
    require_writable([settings.state_dir])
    try:
        FreeSpace(settings.state_dir, settings.min_free_gb * GB).require()
    except Refusal as problem:
        raise StorageError(problem.message, where=str(settings.state_dir)) from problem
    free = shutil.disk_usage(settings.state_dir).free
    return f"{settings.state_dir} can be written, {free // 2**20:,} MiB free"


def _check_git(settings: Settings) -> str:  # noqa: ARG001 - every check takes the settings
    path = shutil.which("git")
    if path is None:
        raise ConfigurationError("is not installed", where="git", hint="install git")
    return path


def _check_library(settings: Settings) -> str:
    require_clones(settings)
    return _check_clone(library_clone(settings), settings.prompt_library_url)


def _check_data_sets(settings: Settings) -> str:
    clone = data_sets_clone(settings)
    if clone is None:
        return "none set: only the library's own cases count"
    return _check_clone(clone, settings.data_sets_url)


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
    return f"{clone.path}, {clone.default_branch} of its remote is at {tip[:12]}"


class _Models:
    """Reads models.yaml for two checks."""

    def __init__(self, settings: Settings) -> None:
        self._clone = library_clone(settings)
        self._file: ModelsFile | None = None

    def check_file(self, settings: Settings) -> str:  # noqa: ARG002 - as every check
        if not self._clone.has_content():
            return "is read once the prompt library is cloned"
        with CommitCheckout(self._clone.path, self._clone.commit_at(self._clone.tracking)) as checkout:
            self._file = load_models(checkout)
        local = [model.id for model in self._file.models if is_local(model)]
        if not local:
            raise ConfigurationError(
                "lists no model with provider mindrouter", where=".evaluator/models.yaml", hint="add one"
            )
        return f"{len(local)} local models: {', '.join(local)}"

    def check_served(self, settings: Settings) -> str:
        served = asyncio.run(open_gateway(settings).served(self._file))
        local = [model.id for model in self._file.models if is_local(model)] if self._file else []
        missing = [name for name in local if name not in served.models]
        said = f"{settings.mindrouter_base_url} takes the key and serves {len(served.models)} models"
        return f"{said}; not served now: {', '.join(missing)}" if missing else said
