"""A run's plan and replies, for the tests of what is kept and scored."""

import pytest

from evalcore.library.models import Model
from evalsim import testing
from evalsim.github import SimulatedGitHub
from evalsim.serving import running


@pytest.fixture
def run_plan():
    """A run of two cases and two replicates."""
    return testing.make_run_plan(
        run_id="01900000-0000-7000-8000-000000000000",
        component=testing.make_component("c", schema={"type": "object"}, schema_sha256=testing.SHA),
        cases=[testing.make_case(name) for name in ("a", "b")],
        model=Model("m", "mindrouter", params={"seed": 3}),
    )


@pytest.fixture
def make_reply():
    """Make a reply to one of its calls."""

    def make(case="a", replicate=0, text="{}", error=None):
        return testing.make_reply(case, replicate, text, error=error)

    return make


@pytest.fixture(scope="module")
def github_server(tmp_path_factory):
    """The simulated GitHub over HTTP, and its address; each test puts its own repository on it."""
    app = SimulatedGitHub(tmp_path_factory.mktemp("github"), token=testing.GITHUB_TOKEN)
    with running(app) as url:
        yield app, url
