"""What a prompt library on GitHub holds now: versions, models, and runs, open results included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from evalcli.leaderboards.files import LEADERBOARD
from evalcli.workflows.bumps import bumps_in_trees
from evalcli.workflows.due import ComponentState, Contents, SeenRun
from evalcore.decoding import convert
from evalcore.errors import CheckoutError, ComponentError, LeaderboardError
from evalcore.formats.strict_json import sha256_hex
from evalcore.github.client import PullRequest, slug_of
from evalcore.github.trees import GitHubTrees, TreeReader
from evalcore.library.checkout import read_text
from evalcore.library.checkout.api import ApiCheckout
from evalcore.library.front_matter import written_version
from evalcore.library.loader import COMPONENTS, list_components, load_models, read_prompt
from evalcore.library.models import ModelsFile, is_local
from evalcore.runs.leaderboard import parse_leaderboard
from evalcore.structs import JsonObject

REPORTS = "evals/reports"


class LibraryState(NamedTuple):
    """A prompt library at the tip of its default branch."""

    branch: str
    commit: str
    local_models: tuple[str, ...]
    cloud_models: tuple[str, ...]
    components: tuple[ComponentState, ...]
    """All, or those that rose within a time."""
    same_commits: Mapping[str, frozenset[str]]
    """Component to the commits, of those that were asked about, at which it had the contents it has now."""


def read_library(
    github: GitHubTrees, commits: Mapping[str, frozenset[str]], since: datetime | None
) -> LibraryState:
    """Read what a library holds now; `commits` are those to compare each component with.

    With `since`, of the components whose MAJOR or MINOR rose after that moment alone. Raises
    RepositoryError, and ConfigurationError where models.yaml cannot be used.
    """
    branch = github.check()
    open_results = github.open_results_of_anybody(branch)
    with github.reading() as reader:
        library = _Library(reader, branch)
        local, cloud = library.models()
        risen = library.risen_since(since) if since is not None else None
        components = tuple(
            one for one in library.components(open_results) if risen is None or one.slug in risen
        )
        same = {one.slug: library.same_commits(one, commits.get(one.slug, ())) for one in components}
        return LibraryState(branch, library.commit, local, cloud, components, same)


class _Library:
    """Reads over one connection; every commit's files are fetched once."""

    def __init__(self, reader: TreeReader, branch: str) -> None:
        self._reader = reader
        self._blobs: dict[str, bytes] = {}
        self._trees: dict[str, ApiCheckout] = {}
        self.branch = branch
        self.commit = reader.tip(branch)

    def models(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the ids of the local and of the cloud models; raises ConfigurationError."""
        found: ModelsFile = load_models(self._at(self.commit))
        local = tuple(model.id for model in found.models if is_local(model))
        return local, tuple(model.id for model in found.models if not is_local(model))

    def components(self, open_results: Iterable[PullRequest]) -> list[ComponentState]:
        """Return all components that have a prompt.md, sorted."""
        tree = self._at(self.commit)
        commits: dict[str, list[str]] = {}
        for pull in open_results:
            # Results that wait to be merged count as there: asked for once more, they would be a second pull
            # request.
            commits.setdefault(slug_of(pull.branch) or "", []).append(pull.commit)
        return [
            self._component(slug, commits.get(slug, []))
            for slug in list_components(tree)
            if tree.has(f"{COMPONENTS}/{slug}/prompt.md")
        ]

    def same_commits(self, state: ComponentState, commits: Iterable[str]) -> frozenset[str]:
        """Return those of the commits at which the component has the contents that it has now."""
        return frozenset(commit for commit in commits if self._contents(commit, state.slug) == state.contents)

    def risen_since(self, moment: datetime) -> frozenset[str]:
        """Return the components that are new, or whose MAJOR or MINOR rose, since a moment."""
        base = self._reader.commit_before(self.branch, moment)
        before = self._at(base) if base is not None else None
        return frozenset(
            bump.component for bump in bumps_in_trees(before, self._at(self.commit)) if bump.evaluate
        )

    def _at(self, commit: str) -> ApiCheckout:
        if commit not in self._trees:
            self._trees[commit] = ApiCheckout(self._reader, commit, COMPONENTS, self._blobs)
        return self._trees[commit]

    def _component(self, slug: str, open_commits: Iterable[str]) -> ComponentState:
        tree = self._at(self.commit)
        version, prompt = None, None
        path = f"{COMPONENTS}/{slug}/prompt.md"
        try:
            version = written_version(read_text(tree, path), path)
            prompt = sha256_hex(read_prompt(tree, slug).prompt.encode())
        except (CheckoutError, ComponentError):
            pass  # its version is then none, or its prompt no run's
        runs: list[JsonObject] = []
        unreadable = None
        for commit in (self.commit, *open_commits):
            try:
                runs += self._runs(commit, slug)
            except (CheckoutError, LeaderboardError) as error:
                unreadable = error.line
        return ComponentState(
            slug=slug,
            version=version,
            prompt_sha256=prompt,
            contents=self._contents(self.commit, slug),
            runs=tuple(_seen(run) for run in runs),
            unreadable=unreadable,
        )

    def _runs(self, commit: str, slug: str) -> tuple[JsonObject, ...]:
        data = self._at(commit).blob_at(f"{COMPONENTS}/{slug}/{LEADERBOARD}")
        return parse_leaderboard(data, f"{slug} at {commit[:12]}").runs if data is not None else ()

    def _contents(self, commit: str, slug: str) -> Contents:
        try:
            found: Mapping[str, str] = self._at(commit).files_below(f"{COMPONENTS}/{slug}")
        except CheckoutError:
            return Contents()  # the commit is gone
        own = {
            path: oid
            for path, oid in found.items()
            # What evaluations themselves write is no change of the component: it would be worth three
            # attempts each time.
            if path != LEADERBOARD and not path.startswith(f"{REPORTS}/")
        }
        return Contents(frozenset(own.items()))


def _seen(run: JsonObject) -> SeenRun:
    """Return what is looked at; a field of another kind, in another program's record, is none."""
    texts = {name: value for name, value in run.items() if isinstance(value, str)}
    return convert(texts, SeenRun)
