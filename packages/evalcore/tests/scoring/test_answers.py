"""What counts as the answer of a reply."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.answers import Parsed, Unparsed, parse_answer, parse_json

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(min_size=1), VALUES, min_size=1, max_size=4)
PROSE = st.text(alphabet="abc ,.:;!?'\n", max_size=40)


def value_of(text: str, output: str = "json_object") -> object:
    answer = parse_answer(text, output)
    assert isinstance(answer, Parsed), answer
    return answer.value


def reason_of(text: str | None, output: str = "json_object") -> str:
    answer = parse_answer(text, output)
    assert isinstance(answer, Unparsed), answer
    return answer.reason


# Where the answer stands


@pytest.mark.parametrize(
    "reply",
    [
        '{"a": 1}',
        '\n  {"a": 1}\n',
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}\n```',
        '~~~json\n{"a": 1}\n~~~',
        'Here you are:\n\n  ```json\r\n  {"a": 1}\r\n  ```\r\nAnything else?',
        'Here you are:\n```json\n{"a": 1}',
        'Here: ```json\n{"a": 1}\n```',
        'Here: ```{"a": 1}```',
        'The answer is {"a": 1}. I hope it helps {you}.',
        'As in [1], the answer is {"a": 1} [2].',
        'Steps [a, b] were taken.\n{"a": 1}\nDone [x].',
    ],
)
def test_answer_is_found_bare_fenced_and_amid_prose(reply: str) -> None:
    assert value_of(reply) == {"a": 1}


def test_string_in_the_answer_may_hold_fences_brackets_and_tags() -> None:
    answer = {"md": "```json\n{}\n```", "odd": '}]"{[', "tag": "<think>x</think>"}
    assert value_of(json.dumps(answer)) == answer
    assert value_of(f"Here:\n```json\n{json.dumps(answer, indent=1)}\n```") == answer
    assert value_of(f"Here: {json.dumps(answer)} as asked.") == answer


@pytest.mark.parametrize(
    "reply",
    [
        '<think>Maybe {"a": 2}?</think>{"a": 1}',
        '<think>\nMaybe\n```json\n{"a": 2}\n```\n</think>\n\n```json\n{"a": 1}\n```',
        '<THINKING>x</THINKING>\n{"a": 1}',
        '<think>one</think>\n<think>two {"a": 2}</think>\n{"a": 1}',
        'Maybe {"a": 2}?\n</think>\n{"a": 1}',
        'Maybe {"a": 2}?</think>{"a": 1}',
        '{"a": 1}\n<think>or {"a": 2}?',
    ],
)
def test_thinking_is_passed_over(reply: str) -> None:
    assert value_of(reply) == {"a": 1}


def test_thinking_that_never_ends_is_no_answer() -> None:
    assert "thinking" in reason_of('<think>It could be {"a": 1}, but')


# Which kind


@pytest.mark.parametrize(
    ("reply", "output", "value"),
    [
        ("[1, 2]", "json_array", [1, 2]),
        ("[1, 2]", "json", [1, 2]),
        ('{"a": 1}', "json", {"a": 1}),
        ('As [1] says: ["a", "b"]', "json_array", ["a", "b"]),
        ('{"a": [1]}\n\nOr ["a", {"b": 2}]', "json_array", ["a", {"b": 2}]),
        ("[]", "json_array", []),
        ("{}", "json_object", {}),
    ],
)
def test_asked_for_kind_is_found(reply: str, output: str, value: object) -> None:
    assert value_of(reply, output) == value


@pytest.mark.parametrize(
    ("reply", "output"),
    [
        ('[{"a": 1}]', "json_object"),
        ('{"a": [1]}', "json_array"),
        ("7", "json"),
        ('"text"', "json"),
        ("null", "json"),
        ("I cannot answer this.", "json"),
        ("[note] nothing {here}", "json_object"),
        (" ", "json"),
        (None, "json"),
        (None, "markdown"),
        ("", "markdown"),
        ("<think>x", "markdown"),
        ("```markdown\n\n```", "markdown"),
    ],
)
def test_other_kinds_are_no_answer(reply: str | None, output: str) -> None:
    assert reason_of(reply, output)


# Several candidates


def test_last_fenced_block_is_the_answer() -> None:
    schema = '```json\n{"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}}\n```'
    draft, final = '```json\n{"a": 2}\n```', '```json\n{"a": 1}\n```'
    assert value_of(f"The schema:\n{schema}\nDraft:\n{draft}\nFinal:\n{final}\n") == {"a": 1}


def test_fenced_block_goes_before_values_amid_prose() -> None:
    assert value_of('```json\n{"a": 1}\n```\nIt would be {"a": 2, "b": "if the document were older"}.') == {
        "a": 1
    }


def test_fenced_blocks_of_other_kinds_are_passed_over() -> None:
    assert value_of('```json\n{"a": 1}\n```\n```json\n[1]\n```\n```python\nprint({})\n```') == {"a": 1}


def test_last_of_the_long_values_amid_prose_is_the_answer() -> None:
    draft, final = '{"title": "Draft", "pages": 3}', '{"title": "Final", "pages": 4}'
    assert value_of(f"First {draft}, then {final}; see {{}}.") == json.loads(final)


# Broken answers


@pytest.mark.parametrize(
    "reply",
    [
        '{"a": 1, "b": {"c": 2}',
        '{"a": {"b": 1}, "c": [{"d": 2}, {"e": 3}',
        '```json\n{"a": {"b": 1}, "c": [{"d": 2}\n```',
        '```json\n{"a": {"b": 1}, "c": "cut o',
        'The answer: {"a": {"b": 1}, "c": "cut o',
        'The answer: {"a": {"b": 1}, c: 2} as asked.',
        '{"items": [{"a": 1}, {"a": 2}, {"a"',
    ],
)
def test_fragment_of_a_broken_answer_is_not_the_answer(reply: str) -> None:
    assert "broken" in reason_of(reply)


def test_array_cut_short_does_not_give_its_objects() -> None:
    assert reason_of('[{"a": 1}, {"a": 2}, {"a"', "json_object")
    assert reason_of('[["a"], ["b"], ["c', "json_array")


def test_draft_before_a_broken_answer_is_not_the_answer() -> None:
    assert "broken" in reason_of('Draft:\n```json\n{"a": 2}\n```\nFinal:\n```json\n{"a": 1, "b"\n```')
    assert "broken" in reason_of('Draft {"a": 2}, final {"a": 1, "b": ')


@pytest.mark.parametrize(
    "broken",
    [
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": 1e999}',
        '{"a": 1, "a": 2}',
        '{"a": "\n"}',
        '{"a": "\\ud800"}',
        '{"a": // x\n1}',
        '{"a": 01}',
        '{"a": ' + "9" * 400 + "}",
        '{"a": True}',
    ],
)
def test_broken_json_is_never_repaired(broken: str) -> None:
    assert reason_of(broken)
    assert reason_of(f"```json\n{broken}\n```")


def test_surrogate_pair_is_one_character() -> None:
    assert value_of('{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.parametrize(
    "reply",
    [
        '{\n  # the sum\n  "sum": 3,\n  "payer": {"city": "Ames"}\n}',
        '{/* x */ "payer": {"city": "Ames"}}',
        '{"n": 1, /* x */ "payer": {"city": "Ames"}}',
        '{\'payer\': {"city": "Ames"}}',
        '{payer: {"city": "Ames"}, sum: 3}',
        '{\u201cpayer\u201d: {"city": "Ames"}}',
        '{{"city": "Ames"}}',
        '{ {"city": "Ames"}, {"city": "Troy"} }',
        'So it is: {payer: {"city": "Ames"}, sum: 3}. Anything else?',
        '{// the "payer of it all\n "payer": {"city": "Ames"}}',
        '{payer: {"city": "Ames"}, sum:',
        '```json\n{\'payer\': {"city": "Ames"}}\n```',
        '```json {payer: {"city": "Ames"},\n "sum": 3}\n```',
    ],
)
def test_a_value_within_braces_that_are_no_json_is_a_fragment(reply: str) -> None:
    assert reason_of(reply)


def test_an_element_of_a_list_that_is_no_json_is_a_fragment() -> None:
    assert reason_of('[ // first\n ["a"], ["b"]]', "json_array")
    assert reason_of("['a', [\"b\"]]", "json_array")


@pytest.mark.parametrize(
    "reply",
    [
        'The set {x, y} gives {"a": 1}',
        'With {x} and {y}, \\frac{1}{2}: {"a": 1} ({z}).',
        '[Note: it is {"a": 1}]',
        '{}, or rather {"a": 1}',
        'As {{name}} asked: {"a": 1}',
    ],
)
def test_closed_braces_of_prose_beside_the_answer_are_nothing(reply: str) -> None:
    assert value_of(reply) == {"a": 1}


@pytest.mark.parametrize(
    "reply",
    [
        '```json {"a": 1, "b":\n  {"c": 2}\n}\n```',
        '```json {"a": 1,\n"b": {"c": 2}}\n```\nDone.',
        '``` {"a": 1, "b": {\n "c": 2}}\n```',
        '```json {\n"a": 1, "b": {"c": 2}}\n```',
        'Here:\n~~~json {"a": 1,\n{"c"\n~~~\nNo:\n~~~json {"a": 1, "b":\n{"c": 2}}\n~~~',
        '```json {.numbered}\n{"a": 1, "b": {"c": 2}}\n```',
    ],
)
def test_json_may_begin_on_the_fences_own_line(reply: str) -> None:
    assert value_of(reply) == {"a": 1, "b": {"c": 2}}


def test_a_list_may_begin_on_the_fences_own_line() -> None:
    assert value_of("```json [\n[1], [2]\n]\n```", "json_array") == [[1], [2]]
    assert value_of("```json [[1],\n[2]]\n```", "json_array") == [[1], [2]]


# Harmony's channels

ANALYSIS = '<|channel|>analysis<|message|>Perhaps {"a": 2, "b": "a long draft of it"}, or # Draft.<|end|>'
FINAL = "<|start|>assistant<|channel|>final<|message|>"


@pytest.mark.parametrize(
    "before",
    [
        ANALYSIS + FINAL,
        FINAL,
        "<|channel|>final<|message|>",
        "<|channel|>final <|constrain|>json<|message|>",
        f"{ANALYSIS}<|start|>assistant<|channel|>commentary<|message|>One moment.<|end|>{FINAL}",
        'analysisIt may be {"a": 2}.assistantfinal',
    ],
)
@pytest.mark.parametrize("after", ["", "<|return|>", "<|end|>\n"])
def test_the_final_channel_holds_the_answer(before: str, after: str) -> None:
    assert value_of(f'{before}{{"a": 1}}{after}') == {"a": 1}
    assert parse_answer(f"{before}# Title\n\n- one{after}", "markdown") == parse_answer(
        "# Title\n\n- one", "markdown"
    )


def test_thinking_in_a_channel_without_an_answer_is_none() -> None:
    assert "thinking" in reason_of(ANALYSIS)
    assert "thinking" in reason_of(ANALYSIS, "markdown")


def test_a_token_in_a_string_is_text() -> None:
    answer = {"a": "<|channel|>final<|message|>x<|end|>"}
    assert value_of(json.dumps(answer)) == answer


# Markdown


@pytest.mark.parametrize(
    "reply",
    [
        "Here is the document:\n\n```markdown\n# Title\n\n- one\n```",
        "Here is the document:\n```md\n# Title\n\n- one\n```\nTell me if anything is missing.",
        "Sure!\n\n```\n# Title\n\n- one\n```\n",
        "**The document**\n\n~~~markdown\n# Title\n\n- one\n~~~",
        "Here it is:\n\n```markdown\n# Title\n\n- one",
    ],
)
def test_a_document_in_a_fence_with_an_introduction_is_the_answer(reply: str) -> None:
    assert parse_answer(reply, "markdown") == parse_answer("# Title\n\n- one", "markdown")


@pytest.mark.parametrize(
    "reply",
    [
        "# Title\n\n```markdown\n# Example\n```",
        "Run this:\n\n```\nmake install\n```",
        "- one\n\n```markdown\n- two\n```",
        "Do it.\n\n```sh\n# as root\nmake install\n```",
    ],
)
def test_a_fence_within_a_document_stays(reply: str) -> None:
    answer = parse_answer(reply, "markdown")
    assert isinstance(answer, Parsed)
    assert "code" in str(answer.value)


def test_markdown_is_taken_without_thinking_and_enclosing_fence() -> None:
    plain = parse_answer("# Title\n\n- one\n- two", "markdown")
    assert isinstance(plain, Parsed)
    assert plain == parse_answer("<think>x</think>\n# Title\n\n- one\n- two\n", "markdown")
    assert plain == parse_answer("```markdown\n# Title\n\n- one\n- two\n```", "markdown")
    assert plain == parse_answer("```\n# Title\n\n- one\n- two\n```\n", "markdown")


def test_code_block_in_markdown_stays() -> None:
    fenced = parse_answer("```markdown\n# Title\n\n```sh\nls\n```\n```", "markdown")
    assert fenced == parse_answer("# Title\n\n```sh\nls\n```", "markdown")
    two_blocks = "```\nfirst\n```\n\n```\nsecond\n```"
    assert parse_answer(two_blocks, "markdown") != parse_answer(two_blocks[4:-4], "markdown")


# Bounds and properties


@pytest.mark.parametrize("depth", [200, 201, 5_000])
def test_nesting_is_bounded(depth: int) -> None:
    text = "[" * depth + "]" * depth
    answer = parse_answer(text, "json")
    assert isinstance(answer, Parsed if depth == 200 else Unparsed)
    with pytest.raises(ValueError, match="deep"):
        parse_json('{"a":' * 5_000 + "1" + "}" * 5_000)


@pytest.mark.parametrize(
    "unit",
    ["[", "{", '{"', '{"a":', "[]", "{} ", "```\n", "<think>", "</think> ", '\\"', "`", '{"a":1}"', "[ "],
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    text = "x" + unit * (1_000_000 // len(unit))
    started = time.process_time()
    parse_answer(text, "json_object")
    parse_answer(text, "json_array")
    # A fifth of a second each at most on a slow machine; anything quadratic would take hours.
    assert time.process_time() - started < 2


@given(
    st.text(alphabet='{}[]"\\`~<>/thinkjson:,01 \n\r', max_size=80),
    st.sampled_from(["json_object", "json", "markdown"]),
)
def test_nothing_ever_raises(text: str, output: str) -> None:
    assert isinstance(parse_answer(text, output), Parsed | Unparsed)


@given(
    OBJECTS, PROSE, PROSE, st.sampled_from(["{}", "\n```json\n{}\n```\n", "\n```\n{}\n```\n"]), st.booleans()
)
def test_value_amid_prose_is_found_again(
    value: dict, before: str, after: str, form: str, escaped: int
) -> None:
    try:
        written = json.dumps(value, ensure_ascii=bool(escaped))
        parse_json(written)
    except ValueError:
        return
    assert value_of(before + form.replace("{}", written, 1) + after) == value


@given(OBJECTS, st.data())
def test_answer_cut_short_is_never_an_answer(value: dict, data: st.DataObject) -> None:
    written = json.dumps(value)
    cut = data.draw(st.integers(0, len(written) - 1))
    assert isinstance(parse_answer(written[:cut], "json_object"), Unparsed)
    assert isinstance(parse_answer(f"Here:\n```json\n{written[:cut]}", "json_object"), Unparsed)


@given(VALUES)
def test_strict_parsing_reads_what_json_writes(value: object) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except ValueError:
        return
    assert parse_json(text) == value
