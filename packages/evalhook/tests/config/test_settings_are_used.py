"""Every setting that is read is used: nothing fails by itself where one is not handed on."""

from __future__ import annotations

import ast
from pathlib import Path

import evalhook
from evalhook.config.settings import Settings
from evalhook.config.settings import __file__ as where_read

SOURCE = Path(evalhook.__file__).parent


def attributes(path: Path) -> set[str]:
    """The names that a file reads of anything called `settings`."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "settings"
    }


def test_every_setting_is_handed_on() -> None:
    used = {name for path in SOURCE.rglob("*.py") for name in attributes(path)}
    # Those that the Struct itself turns into what it hands on: `token_sources`, `secrets`, folders.
    tree = ast.parse(Path(where_read).read_text("utf-8"))
    derived = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    assert set(Settings.__struct_fields__) - used - derived == set()
