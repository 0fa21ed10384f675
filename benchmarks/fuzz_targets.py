"""What is fuzzed: each target takes any bytes, and fails by raising what it must never raise.

`reply` goes on to scoring, `policy` to planning and scoring, and `leaderboard` to the pull request's body,
since a file or a reply that is let in must not fail a job later on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from evalcore.errors import ComponentError, ConfigurationError, EvaluatorError, LeaderboardError
from evalcore.formats.strict_json import encode_canonical
from evalcore.library.component import Case, Component, OutputFormat
from evalcore.library.models import resolve_provider
from evalcore.library.models_file import parse_models
from evalcore.publishing.messages import Results, pull_request_body
from evalcore.runs.leaderboard import encode_leaderboard, known_records, merge_leaderboards, parse_leaderboard
from evalcore.scoring.answers import Parsed, parse_answer
from evalcore.scoring.rules.field_rules import plan_fields
from evalcore.scoring.rules.policy import parse_policy
from evalcore.scoring.scorer import make_scorer
from fuzz_seeds import EXPECTED, LEADERBOARDS, MARKDOWN, MODELS, POLICIES, REPLIES

WHERE: Final = "the file"
JSON_FORMATS: Final[tuple[OutputFormat, ...]] = ("json_object", "json_array", "json")
ENVIRONMENT: Final = {"MINDROUTER_BASE_URL": "https://mindrouter.example", "MINDROUTER_API_KEY": "key"}


class Target(NamedTuple):
    """Something that reads what others wrote."""

    run: Callable[[bytes], None]
    seeds: tuple[str, ...]
    """Good ones, to begin from."""


def reply(data: bytes) -> None:
    """Find the answer in a reply and score it, in every format."""
    text = _text(data)
    for output in JSON_FORMATS:
        found = parse_answer(text, output)
        if isinstance(found, Parsed):
            encode_canonical(found.value)
            _score(JSON_SCORER.score(found.value).by_field)
            JSON_SCORER.agree(found.value, EXPECTED)
    found = parse_answer(text, "markdown")
    if isinstance(found, Parsed):
        _score(MARKDOWN_SCORER.score(found.value).by_field)


def models(data: bytes) -> None:
    """Read a models.yaml, and look its providers up."""
    try:
        found = parse_models(data, WHERE)
    except ConfigurationError as error:
        _is_one_line(error)
        return
    for provider in found.providers.values():
        resolve_provider(provider, ENVIRONMENT)


def policy(data: bytes) -> None:
    """Read a scoring policy, and score by it."""
    text = _text(data)
    try:
        parse_policy(text, WHERE)
        component = _component("json_object", text)
        scorer = make_scorer(component, JSON_CASE, plan_fields(component, (JSON_CASE,)))
    except ComponentError as error:
        _is_one_line(error)
        return
    _score(scorer.score(EXPECTED).by_field)
    scorer.agree(EXPECTED, {"amount": [1], "documents": {}, "decision": None})


def leaderboard(data: bytes) -> None:
    """Read a leaderboard, write it, merge it, and show it in a pull request."""
    try:
        found = parse_leaderboard(data, WHERE)
    except LeaderboardError as error:
        _is_one_line(error)
        return
    written = encode_leaderboard(found)
    again = parse_leaderboard(written, WHERE)
    assert encode_leaderboard(again) == written
    assert encode_leaderboard(merge_leaderboards(found, again)) == written
    records = known_records(found)
    body = pull_request_body(Results("job", "memo", "9.0.0", "0" * 40, 1, records[:2], {}, (), found))
    assert len(body) <= 65_536


def _component(output: OutputFormat, policy_text: str | None = None) -> Component:
    return Component(
        slug="memo",
        name="Memo",
        version="1.0.0",
        category=None,
        prompt="?",
        prompt_sha256="0" * 64,
        output=output,
        schema=None,
        schema_sha256=None,
        policy=policy_text,
        policy_where=WHERE,
        policy_sha256=None,
    )


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def _score(shares: Mapping[str, float]) -> None:
    assert all(0 <= share <= 1 for share in shares.values())


def _is_one_line(error: EvaluatorError) -> None:
    assert error.line.isprintable(), error.line


JSON_CASE: Final = Case(name="a", input="The award", expected=json.dumps(EXPECTED), sha256="0" * 64)
MARKDOWN_CASE: Final = Case(name="b", input="The award", expected=MARKDOWN, sha256="0" * 64)
JSON_SCORER: Final = make_scorer(_component("json_object"), JSON_CASE)
MARKDOWN_SCORER: Final = make_scorer(_component("markdown"), MARKDOWN_CASE)
TARGETS: Final = {
    "reply": Target(reply, REPLIES),
    "models": Target(models, MODELS),
    "policy": Target(policy, POLICIES),
    "leaderboard": Target(leaderboard, LEADERBOARDS),
}
