"""The simulated MindRouter and GitHub, served over loopback while the demo runs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path

from msgspec import structs

from evalcore.formats.strict_json import parse_json
from evalcore.structs import Frozen
from evalsim.demo.library import Subject, Workspace
from evalsim.github.app import API, SimulatedGitHub
from evalsim.mindrouter import AnswerBook, Expected, SimConfig, SimModel, SimulatedMindRouter, default_config
from evalsim.serving import running

OWNER = "sample-university"
LIBRARY = f"{OWNER}/prompt-library"
DATA_SETS = f"{OWNER}/evaluation-data-sets"
SEED = 7
"""The same demo gives the same answers."""


class SimulatedOutside(Frozen, frozen=True):
    """Everything that the settings say of the world around the service."""

    mindrouter_url: str
    mindrouter_key: str
    github_api_url: str
    github_token: str
    repository: str
    """`owner/name` of the prompt library."""
    library_url: str
    data_sets_url: str | None


@contextmanager
def simulated_outside(workspace: Workspace, subject: Subject, folder: Path) -> Iterator[SimulatedOutside]:
    """Serve both simulations while the block runs: GitHub has empty repositories, MindRouter all answers."""
    token, key = f"ghp_{secrets.token_hex(18)}", f"mr2_{secrets.token_hex(16)}"
    github = SimulatedGitHub(folder / "github", token=token)
    github.state.add_repository(LIBRARY)
    if workspace.data_sets is not None:
        github.state.add_repository(DATA_SETS)
    with ExitStack() as stack:
        github_url = stack.enter_context(running(github))
        mindrouter_url = stack.enter_context(running(simulated_mindrouter(subject, key)))
        yield SimulatedOutside(
            mindrouter_url=mindrouter_url,
            mindrouter_key=key,
            github_api_url=f"{github_url}{API}",
            github_token=token,
            repository=LIBRARY,
            library_url=f"{github_url}/{LIBRARY}.git",
            data_sets_url=f"{github_url}/{DATA_SETS}.git" if workspace.data_sets is not None else None,
        )


def simulated_mindrouter(subject: Subject, key: str) -> SimulatedMindRouter:
    """Make a MindRouter that serves the library's local models and knows the expected answers."""
    is_json = subject.component.is_json
    answers = {
        case.input: Expected(value=parse_json(case.expected) if is_json else case.expected, is_json=is_json)
        for case in subject.cases
    }
    config = SimConfig(
        models=simulated_models([model.id for model in subject.models]), keys=(key,), seed=SEED
    )
    return SimulatedMindRouter(config, AnswerBook(answers))


def simulated_models(names: list[str]) -> tuple[SimModel, ...]:
    """Give each model a character: its own where the simulation knows it, else one after another."""
    known = {model.id: model for model in default_config().models}
    characters = cycle(known.values())
    return tuple(known.get(name) or structs.replace(next(characters), id=name) for name in names)
