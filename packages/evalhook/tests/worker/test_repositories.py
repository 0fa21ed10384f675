"""The clones as the intake uses them: real git, a bare remote on disk."""

from __future__ import annotations

import asyncio
import shutil
import threading
from pathlib import Path

import pytest
from msgspec import structs

from evalcore.errors import RepositoryError
from evalcore.git.clone import Clone
from evalcore.git.errors import CloneUnusable, GitTimedOut
from evalcore.library.component import Document
from evalcore.library.loader import load_models
from evalhook.worker.repositories import Repositories, Tips
from evalsim.documents.collection import text_documents, write_cases
from evalsim.library import as_git, write_sample_data_sets, write_sample_library
from evalsim.testing import SHA, git, make_case, make_job_plan

SKILL = "award-notice-terms"


class Remotes:
    """A library and its data sets, with a service's clones of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library, self.data_sets = folder / "library", folder / "data-sets"
        write_sample_library(self.library)
        write_sample_data_sets(self.data_sets)
        self.first = as_git(self.library)
        as_git(self.data_sets)

    def clone(self, name: str, kind: type[Clone] = Clone) -> Clone:
        return kind(
            self.folder / "clones" / name,
            work=self.folder / "work" / name,
            url=f"file://{self.folder / name}",
        )

    def commit(self, path: str, text: str) -> str:
        (self.library / path).write_text(text)
        return git(self.library, "commit", "--quiet", "--all", "--message=Change") or git(
            self.library, "rev-parse", "HEAD"
        )


@pytest.fixture
def remotes(tmp_path: Path) -> Remotes:
    return Remotes(tmp_path)


def test_absent_clones_are_made_and_pulled(remotes: Remotes) -> None:
    repositories = Repositories(remotes.clone("library"), remotes.clone("data-sets"), allow_any_commit=False)
    tips = asyncio.run(repositories.pull())
    assert tips == Tips(remotes.first, git(remotes.data_sets, "rev-parse", "HEAD"))


def test_prompt_and_cases_are_of_the_commit_asked_for_and_models_of_the_tip(remotes: Remotes) -> None:
    models = ".evaluator/models.yaml"
    remotes.commit(models, (remotes.library / models).read_text() + "# changed\n")
    prompt = f"components/{SKILL}/prompt.md"
    tip = remotes.commit(prompt, (remotes.library / prompt).read_text() + "\nSay so.\n")

    async def story() -> None:
        repositories = Repositories(
            remotes.clone("library"), remotes.clone("data-sets"), allow_any_commit=False
        )
        tips = await repositories.pull()
        assert tips.library == tip
        assert (await repositories.read(tips, load_models)).models
        assert await repositories.commit(None, tips) == tip
        older = await repositories.commit(remotes.first[:9], tips)
        assert older == remotes.first
        old = await repositories.material(older, tips, SKILL)
        new = await repositories.material(tip, tips, SKILL)
        assert new.component.prompt == f"{old.component.prompt}\n\nSay so."
        assert old.cases == new.cases

    asyncio.run(story())
    assert list((remotes.folder / "work").glob("*/worktree-*")) == []


def test_a_jobs_documents_are_those_of_its_commits_whatever_comes_after(remotes: Remotes) -> None:
    cases = {
        "library": remotes.library / "components" / SKILL / "evals",
        "data_sets": remotes.data_sets / SKILL,
    }
    paper, other = text_documents(2)
    for folder in (cases["library"] / "cases", cases["data_sets"]):
        write_cases(folder, [paper if folder.name == "cases" else other])
    for repository in (remotes.library, remotes.data_sets):
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--message=Add papers")

    async def story() -> None:
        repositories = Repositories(
            remotes.clone("library"), remotes.clone("data-sets"), allow_any_commit=False
        )
        tips = await repositories.pull()
        material = await repositories.material(tips.library, tips, SKILL)
        unread = {case.source: case for case in material.cases if case.is_unread}
        plan = make_job_plan(cases=material.cases, prompt_commit=tips.library, dataset_commit=tips.data_sets)
        # what comes after it changes nothing
        git(remotes.library, "rm", "--quiet", "-r", f"components/{SKILL}/evals")
        git(remotes.library, "commit", "--quiet", "--message=Remove papers")
        await repositories.pull()
        with repositories.originals(plan) as originals:
            assert originals(unread["library"]) == paper.content
            assert originals(unread["data_sets"]) == other.content

    asyncio.run(story())


def test_a_document_that_its_clone_does_not_give_any_more_ends_the_job_and_skips_no_case(
    remotes: Remotes,
) -> None:
    async def story() -> None:
        repositories = Repositories(remotes.clone("library"), None, allow_any_commit=False)
        tips = await repositories.pull()
        document = Document("input.pdf", SHA, 10, "components/x/evals/cases/one/input.pdf")
        case = structs.replace(make_case("one"), input="", document=document)
        plan = make_job_plan(cases=[case], prompt_commit=tips.library)
        with (
            repositories.originals(plan) as originals,
            pytest.raises(RepositoryError, match="ask for the evaluation again"),
        ):
            originals(case)

    asyncio.run(story())


def test_without_data_sets_only_the_librarys_own_cases_count(remotes: Remotes) -> None:
    async def story() -> None:
        repositories = Repositories(remotes.clone("library"), None, allow_any_commit=False)
        tips = await repositories.pull()
        assert tips.data_sets is None
        assert (await repositories.material(tips.library, tips, SKILL)).cases

    asyncio.run(story())


def test_a_clone_that_is_deleted_is_made_again(remotes: Remotes) -> None:
    async def story() -> None:
        repositories = Repositories(remotes.clone("library"), None, allow_any_commit=False)
        await repositories.pull()
        shutil.rmtree(remotes.folder / "clones" / "library")
        with pytest.raises(RepositoryError):
            await repositories.pull()
        assert (await repositories.pull()).library == remotes.first

    asyncio.run(story())


def test_a_remote_that_comes_back_is_cloned_by_the_next_pull(remotes: Remotes) -> None:
    hidden = remotes.library.with_name("hidden")
    remotes.library.rename(hidden)

    async def story() -> None:
        repositories = Repositories(remotes.clone("library"), None, allow_any_commit=False)
        await repositories.prepare()
        with pytest.raises(CloneUnusable):
            await repositories.pull()
        hidden.rename(remotes.library)
        assert (await repositories.pull()).library == remotes.first

    asyncio.run(story())


def test_a_slow_first_clone_goes_on_behind_a_pull_that_gives_up(remotes: Remotes) -> None:
    gate = threading.Event()

    class Slow(Clone):
        made = 0

        def ensure(self) -> None:
            gate.wait(30)
            Slow.made += 1
            super().ensure()

    async def story() -> None:
        repositories = Repositories(
            remotes.clone("library", Slow), None, allow_any_commit=False, pull_seconds=0.05
        )
        with pytest.raises(GitTimedOut, match="still being cloned"):
            await repositories.pull()
        gate.set()
        await repositories.prepare()
        assert Slow.made == 1

    asyncio.run(story())
