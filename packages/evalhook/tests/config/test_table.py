"""The table of settings is whole and says of each setting what a reader needs."""

from __future__ import annotations

import pytest

from evalhook.config.settings import inspect_settings
from evalhook.config.table import SETTINGS, Defaulted, Setting
from evalhook.config.values import Unusable

EACH = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)


def test_names_are_unique() -> None:
    names = [setting.name for setting in SETTINGS]
    assert len(names) == len(set(names)) > 30


@EACH
def test_each_says_its_default_and_meaning_in_one_cell(setting: Setting[object]) -> None:
    for cell in (setting.shown_default, setting.meaning):
        assert cell.strip() == cell != ""
        assert "|" not in cell
        assert "\n" not in cell


@EACH
def test_a_text_with_a_control_character_is_no_value(setting: Setting[object]) -> None:
    with pytest.raises(Unusable):
        setting.read("\x00")


@EACH
def test_a_default_is_shown_where_a_setting_is_not_set(setting: Setting[object]) -> None:
    shown = inspect_settings({}).shown[setting.name]
    assert shown.startswith("not set (default: " if isinstance(setting, Defaulted) else "not set")
    if isinstance(setting, Defaulted) and isinstance(setting.default, int | str) and setting.default:
        assert str(setting.default) in shown
