"""What the prompt library says, apart from its leaderboards: read elsewhere, given to the builder."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from evalcore.library.models import LOCAL_PROVIDER
from evalcore.reports.dashboard.site import Report
from evalcore.structs import Frozen

LOCAL_WORKFLOW: Final = "evaluate-local.yml"
CLOUD_WORKFLOW: Final = "evaluate-cloud.yml"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


class ModelFacts(Frozen, frozen=True):
    """A model of models.yaml."""

    id: str
    provider: str

    @property
    def is_local(self) -> bool:
        """Whether the service on the VM evaluates it."""
        return self.provider == LOCAL_PROVIDER


class LibraryFacts(Frozen, frozen=True, kw_only=True):
    """The library as a whole."""

    name: str
    commit: str | None = None
    url: str | None = None
    """Of the repository on GitHub, without a trailing slash."""
    repository: str | None = None
    workflows: tuple[str, ...] = ()
    """The names of the workflows that it has."""
    models: tuple[ModelFacts, ...] = ()
    models_problem: str | None = None
    has_data_sets: bool = False
    """Whether the data sets were at hand, so that each policy is known."""

    def file(self, path: str) -> str | None:
        """Return where a file or folder of the default branch is on GitHub."""
        # HEAD is the default branch, whatever it is called; GitHub leads from there to `tree` for a folder.
        return None if self.url is None else f"{self.url}/blob/HEAD/{quote(path)}"

    def commit_link(self, commit: str | None) -> str | None:
        """Return where a commit is on GitHub."""
        is_known = self.url is not None and commit is not None and _COMMIT.fullmatch(commit)
        return f"{self.url}/commit/{commit}" if is_known else None

    def pull_request_link(self, job_id: str, origin: str) -> str | None:
        """Return GitHub's search for the pull request that names a job; None of a run on one's machine."""
        if self.url is None or origin == "local":
            return None
        # A record names its job: its pull request comes about after the file is written.
        sought = quote(f'is:pr "{job_id}"', safe="")
        return f"{self.url}/pulls?q={sought}"

    def workflow_link(self, workflow: str) -> str | None:
        """Return where a workflow is started by hand; None where the library lacks it."""
        is_there = self.url is not None and workflow in self.workflows
        return f"{self.url}/actions/workflows/{workflow}" if is_there else None


class ComponentFacts(Frozen, frozen=True, kw_only=True):
    """One component, as the library has it now."""

    slug: str
    name: str
    description: str | None = None
    category: str | None = None
    version: str | None = None
    prompt_sha256: str | None = None
    policy_path: str | None = None
    policy_sha256: str | None = None
    problem: str | None = None
    """Why it cannot be read."""
    reports: tuple[Report, ...] = ()
