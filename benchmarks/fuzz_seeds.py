"""Good replies, files and records, and the words of their languages, for the fuzzer to take apart."""

from __future__ import annotations

import json
from typing import Final

from evalcore.structs import JsonObject
from evalsim.hostile import HOSTILE
from evalsim.library import SAMPLE_MODELS_FILE

EXPECTED: Final[JsonObject] = {
    "decision": "approve",
    "amount": 1200.5,
    "due": "2026-01-05",
    "documents": [{"code": "A", "label": "Alpha", "pages": 3}, {"code": "B", "label": None, "pages": 0}],
    "rationale": "Because the notice says so in its second paragraph, and nobody has objected since.",
}
MARKDOWN: Final = (
    "# Memo\n\n**Amount:** 12\n\n## Dates\n\n- May 2\n- June 3\n\n| a | b |\n| - | - |\n| 1 | 2 |\n"
)
_JSON: Final = json.dumps(EXPECTED, indent=1)
REPLIES: Final = (
    _JSON,
    MARKDOWN,
    f"<think>\nfirst {{\n</think>\nHere it is:\n```json\n{_JSON}\n```\nDone [1].",
    f"~~~\n[1, 2]\n~~~\n[{json.dumps(EXPECTED)}, {json.dumps(EXPECTED)}] and [2]",
    '{"a": "\\ud83d\\ude00", "b": [[[]]], "c": -1.5e-7}',
)
MODELS: Final = (
    SAMPLE_MODELS_FILE.read_text(encoding="utf-8"),
    """
providers: &p
  x: {api: openai, base_url: '${MINDROUTER_BASE_URL}/v1', api_key_env: null}
models:
  - {id: a, provider: x, params: {seed: 1, stop: [a, b]}, price: {input: 0.1, output: 2}}
  - id: b
    provider: mindrouter
    timeout: 1e2
    <<: {stream: false}
""",
)
POLICIES: Final = (
    """
fields:
  rationale: {compare: ignore}
  amount: {compare: number, tolerance: 0.15, relative: false}
  decision: {one_of: [approve, deny, 1, null]}
  documents: {align_by: [code, label], required: true}
  documents[].label: {compare: text, weight: 0.25}
  documents[].pages: {compare: range, min: 0, max: 9}
""",
    """
fields:
  .: {weight: 2}
  documents[]: {ordered: true, compare: set}
  due: date
  sections[].items[]: tokens
  sections[Key dates]: {compare: contained_in_input}
""",
)
_RECORD: Final[JsonObject] = {
    "run_id": "0190", "job_id": "j", "origin": "vm", "component_version": "1.2.0", "prompt_commit": None,
    "prompt_sha256": "a" * 64, "dataset_commit": None, "schema_sha256": None, "policy_sha256": None,
    "cases_sha256": "b" * 64, "model": "m", "provider": "mindrouter", "params": {"t": 0.1},
    "structured_output": "none",
    "server": {"version": None, "quantization": None, "context_length": None, "backends": None},
    "evaluator_version": "0.1.0", "scoring_version": 2, "replicates": 2, "cases": 1, "skipped_cases": [],
    "case_results": [{"case": "a", "sha256": "c" * 64, "validated_against_version": None,
                      "scores": [1.0, 0.5], "reproducibility": 0.5}],
    "started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:01:00Z", "status": "complete",
    "calls": {"total": 2, "ok": 2, "api_error": 0, "parse_error": 0, "truncated": 0},
    "accuracy": {"mean": 0.75, "ci95": [0.5, 1.0], "anls_star": 0.75, "by_field": {"a[].b": 0.5}},
    "reproducibility": {"mean": 0.5, "ci95": None, "identical_rate": 0.5, "by_field": {}},
    "schema_valid_rate": None, "latency_ms": {"p50": 1.0, "p95": 2.0},
    "tokens": {"prompt": 1, "completion": 1}, "cost_usd": 0.01,
}  # fmt: skip


def _board(*runs: JsonObject) -> str:
    return json.dumps({"schema_version": 1, "component": "memo", "runs": [*runs], "x": {"y": [1e300]}})


_NEXT: Final = _RECORD | {"run_id": "0191", "component_version": "9.0.0"}
LEADERBOARDS: Final = (
    _board(_RECORD, _NEXT),
    _board(_RECORD, _NEXT | {"run_id": "0192", "rescored_from": "0191", "model": "n"}, {"run_id": "other"}),
)
_LANGUAGE: Final = r"""
{ } [ ] " \\ : , # ? | > ~ . - & * ``` ~~~ ```json <think> </think> \ud800 \u0000 [] [x] &a *a <<: ---
!!int !!float !!bool !!null !!binary !!set !!timestamp !x ... %YAML null true yes NaN Infinity .nan +.inf
1e999 -0 0x 0o8 0b1 1:60 1_000 2026-01-01 12:30:45 1.0.0-rc.1+b schema_version run_id component_version
ci95 by_field documents[].label sections[ align_by tolerance
"""
_SPACES: Final = ("\n", "\n  ", "\n- ", "\t", "\ufeff", "\x85", "\ud83d")
_LONG: Final = ("9" * 400, "[" * 300, '{"a":' * 300)
_FOREIGN: Final = tuple(text for text in HOSTILE if len(text) < 1000)
WORDS: Final = (*_LANGUAGE.split(), *_SPACES, *_LONG, *_FOREIGN)
"""What is put in where something is taken apart."""
