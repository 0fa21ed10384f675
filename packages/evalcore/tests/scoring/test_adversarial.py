"""Hostile replies: an error or a low score, in bounded time and space; never a crash, never 1."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from evalcore.scoring.answers import Parsed, Unparsed, parse_answer
from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.scorer import TreeScorer, make_scorer
from evalsim.testing import make_case, make_component

SCHEMA = {
    "type": "object",
    "properties": {
        "type": {"enum": ["call", "award", "letter", "budget"]},
        "title": {"type": "string"},
        "documents": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "code": {"type": "string", "pattern": "^[a-z]+$"},
                    "label": {"type": "string"},
                    "pages": {"type": ["integer", "null"]},
                },
            },
        },
        "notes": {"type": "array", "items": {"type": "string"}},
    },
}
COVER = {"code": "cover", "label": "Cover letter", "pages": 1}
EXPECTED = {
    "type": "call",
    "title": "Call for proposals",
    "documents": [COVER, {"code": "budget", "label": "Budget", "pages": None}],
    "notes": ["by mail"],
}
SCORER = TreeScorer(EXPECTED, FieldRules(SCHEMA, [EXPECTED]))

LOW = {
    "an empty object": ("{}", 0),
    "the schema echoed": (json.dumps(SCHEMA), 0.01),
    "every enum value listed": (json.dumps({**EXPECTED, "type": SCHEMA["properties"]["type"]["enum"]}), 0.95),
    "a thousand near-copies": (
        json.dumps(
            {**EXPECTED, "documents": [{**COVER, "label": f"Cover letter {at}"} for at in range(1000)]}
        ),
        0.01,
    ),
    "a text of 5 MB": (json.dumps({**EXPECTED, "title": "x" * 5_000_000}), 0.95),
    "5 MB of numbers": (json.dumps({**EXPECTED, "notes": [1] * 1_600_000}), 0),
    "5 MB of keys": (json.dumps({f"k{at}": at for at in range(300_000)}), 0),
    "as many values as are read": (
        json.dumps({**EXPECTED, "notes": [f"n{at}" for at in range(4_900)]}),
        0.01,
    ),
    "a number of 400 decimals": ('{"title": 0.' + "9" * 400 + "}", 0),
    "a number of 300 digits": ('{"documents": [{"pages": ' + "9" * 300 + "}]}", 0),
}
BROKEN = {
    "10,000 objects deep": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "10,000 lists deep": '{"a":' + "[" * 10_000 + "]" * 10_000 + "}",
    "NaN": '{"title": NaN}',
    "Infinity": '{"title": -Infinity}',
    "beyond every double": '{"title": 1e999}',
    "a key twice": '{"title": "Call for proposals", "title": "x"}',
    "half a surrogate pair": '{"title": "\\ud800"}',
    "400 digits": '{"title": ' + "9" * 400 + "}",
    "2.5 million brackets": "{" * 2_500_000,
    "5 MB of prose": "word " * 1_000_000,
}


@pytest.mark.parametrize("name", LOW)
def test_a_hostile_answer_scores_low(name: str) -> None:
    text, highest = LOW[name]
    parsed = parse_answer(text, "json_object")
    assert isinstance(parsed, Parsed)
    score = SCORER.score(parsed.value)
    assert 0 <= score.accuracy <= highest
    assert score.accuracy < 1
    assert score.anls_star < 1
    assert SCORER.agree(parsed.value, parsed.value).value == 1


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_is_none(name: str) -> None:
    assert isinstance(parse_answer(BROKEN[name], "json_object"), Unparsed)


@pytest.mark.parametrize(
    "text", ["# Dates\n" * 200_000, "# a\n" * 2_400, "- a\n" * 20_000, "> " * 50_000, "| a " * 20_000]
)
def test_a_hostile_markdown_answer_scores_low(text: str) -> None:
    component = make_component(output="markdown")
    case = make_case(expected="# Dates\n\n- June 16\n- July 1\n")
    parsed = parse_answer(text, "markdown")
    assert isinstance(parsed, Parsed)
    assert make_scorer(component, case).score(parsed.value).accuracy < 0.5


MEASURE = """
import json, pathlib, sys, time
from evalcore.scoring.answers import Parsed, parse_answer
from evalcore.scoring.scorer import TreeScorer
expected = json.loads(sys.argv[1])
scorer = TreeScorer(expected)
text = sys.stdin.read()
start = time.process_time()
parsed = parse_answer(text, "json")
if isinstance(parsed, Parsed):
    scorer.score(parsed.value)
seconds = time.process_time() - start
# Of this process alone; what getrusage tells begins with the size of the parent.
status = pathlib.Path("/proc/self/status").read_text().split()
print(seconds, int(status[status.index("VmHWM:") + 1]) / 1024)
"""


COSTLY = {
    **{
        name: (EXPECTED, LOW[name][0])
        for name in ("a text of 5 MB", "5 MB of numbers", "5 MB of keys", "as many values as are read")
    },
    "objects in excess": ([{"a": at} for at in range(90)], [{"a": -at} for at in range(2_400)]),
    "lists in excess": ([[at] for at in range(90)], [[-at] for at in range(2_400)]),
    "texts in excess": ([f"text {at}" for at in range(90)], [f"test {at}" for at in range(4_800)]),
    "long near-copies in excess": (
        [{f"k{key}": f"a text of its own {key} {at}" for key in range(15)} for at in range(25)],
        [{f"k{key}": f"a text of its own {key} {at}" for key in range(15)} for at in range(200)],
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_hostile_answer_costs_less_than_a_second_and_200_mb(name: str) -> None:
    expected, answer = COSTLY[name]
    command = [sys.executable, "-c", MEASURE, json.dumps(expected)]
    text = answer if isinstance(answer, str) else json.dumps(answer)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    assert seconds < 1
    assert megabytes < 200
