"""The demo's view of GitHub."""

from __future__ import annotations

import pytest

from evalsim.demo.failure import DemoError
from evalsim.demo.github_client import pull_number


def test_the_pull_requests_number_is_the_end_of_its_address():
    assert pull_number("https://github.example/o/r/pull/17") == 17
    with pytest.raises(DemoError):
        pull_number("https://github.example/o/r/pulls")
