"""The world around the demo's service: empty repositories, and a MindRouter that knows the answers."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from evalsim.demo.library import Subject, Workspace, make_sample, read_subject
from evalsim.demo.outside import DATA_SETS, LIBRARY, simulated_models, simulated_outside
from evalsim.mindrouter import default_config


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_sample(tmp_path / "demo")


@pytest.fixture
def subject(workspace: Workspace) -> Subject:
    return read_subject(workspace, "award-notice-terms")


def test_models_have_their_own_character_where_the_simulation_knows_them() -> None:
    known = default_config().models
    assert simulated_models([known[1].id, known[0].id]) == (known[1], known[0])


def test_models_that_it_does_not_know_get_one_after_the_other() -> None:
    known = default_config().models
    names = [f"mine-{at}" for at in range(len(known) + 1)]
    found = simulated_models(names)
    assert [model.id for model in found] == names
    assert [model.quality for model in found] == [
        *(model.quality for model in known),
        known[0].quality,
    ]


def test_both_are_up_while_the_block_runs_and_want_their_keys(workspace, subject, tmp_path) -> None:
    with simulated_outside(workspace, subject, tmp_path) as outside, httpx.Client() as client:
        models = f"{outside.mindrouter_url}/v1/models"
        assert client.get(models).status_code == 401
        listed = client.get(models, headers={"Authorization": f"Bearer {outside.mindrouter_key}"}).json()
        assert {model.id for model in subject.models} <= {model["id"] for model in listed["data"]}
        repository = f"{outside.github_api_url}/repos/{LIBRARY}"
        assert client.get(repository).status_code in {401, 404}
        found = client.get(repository, headers={"Authorization": f"Bearer {outside.github_token}"})
        assert found.json()["full_name"] == outside.repository == LIBRARY
        assert outside.library_url.endswith(f"/{LIBRARY}.git")
    with httpx.Client() as client, pytest.raises(httpx.ConnectError):
        client.get(models)


def test_keys_are_made_anew_for_each_demo(workspace, subject, tmp_path) -> None:
    folders = tmp_path / "a", tmp_path / "b"
    first, second = (simulated_outside(workspace, subject, folder) for folder in folders)
    with first as one, second as other:
        assert one.mindrouter_key != other.mindrouter_key
        assert one.github_token != other.github_token


def test_data_sets_have_a_repository_only_where_there_are_any(workspace, subject, tmp_path) -> None:
    with simulated_outside(workspace, subject, tmp_path) as outside:
        assert outside.data_sets_url is not None
        assert outside.data_sets_url.endswith(f"/{DATA_SETS}.git")


def test_an_expected_answer_is_what_the_simulated_models_answer_by(workspace, subject, tmp_path) -> None:
    case, model = subject.cases[0], subject.models[0]
    body = {
        "model": model.id,
        "messages": [
            {"role": "system", "content": subject.component.prompt},
            {"role": "user", "content": case.input},
        ],
    }
    with simulated_outside(workspace, subject, tmp_path) as outside, httpx.Client(timeout=30) as client:
        headers = {"Authorization": f"Bearer {outside.mindrouter_key}"}
        url = f"{outside.mindrouter_url}/v1/chat/completions"
        said = client.post(url, headers=headers, json=body)
        other = client.post(
            url, headers=headers, json=body | {"messages": [{"role": "user", "content": "something else"}]}
        )
    assert said.status_code == 200
    assert said.json()["choices"][0]["message"]["content"].lstrip().startswith(("{", "`"))
    assert "I do not know" in other.json()["choices"][0]["message"]["content"]
