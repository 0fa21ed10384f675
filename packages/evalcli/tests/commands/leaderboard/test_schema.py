"""The schema of leaderboards, which every leaderboard of ours meets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs

from evalcore.runs.record import RunRecord

MakeRecord = Callable[..., RunRecord]
Evalcli = Callable[..., Any]


def test_the_schema_is_one_that_our_leaderboards_meet(evalcli: Evalcli, write: Callable[..., Path]) -> None:
    schema = json.loads(evalcli("leaderboard", "schema").out)
    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.validate(schema, json.loads(write("memo", 1).read_bytes()))
