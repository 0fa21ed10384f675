"""What a program calls the settings that an error of git's or GitHub's asks its user to look at.

The service and the command line share these errors but not the names: whoever makes a `Clone`, a `GitHub`
or its tokens passes its own. The names that stand here are for one that has no such setting.
"""

from __future__ import annotations

from typing import NamedTuple


class SettingNames(NamedTuple):
    """Names as they stand in the middle of a sentence."""

    default_branch: str = "the setting of the default branch"
    plain_http: str | None = None
    """The setting, with its value, that lets a token go over plain HTTP; None where there is none."""
    commit_back: str = "a pull request"
    """What is used where the default branch moves faster than results can be pushed to it."""
    github_repo: str = "the repository's name"
    github_api_url: str = "the address of the API"
    trusted_publishers: str = "the trusted accounts"


NO_NAMES = SettingNames()
