"""What a simulated model says: its style, its limit, its usage, and what a fault makes of it."""

from __future__ import annotations

import json

import pytest

from evalsim.mindrouter.answers import AnswerBook, Expected
from evalsim.mindrouter.config import SimConfig, SimModel
from evalsim.mindrouter.replies import REASONING, UNKNOWN, reply_to
from evalsim.mindrouter.requests import ChatRequest

BOOK = AnswerBook({"input": Expected({"a": [1, 2]}, True), "page": Expected("# Title\n\ntext", False)})


def reply(user="input", fault=None, number=0, book=BOOK, seed=None, max_tokens=None, **model):
    request = ChatRequest(
        model="m",
        system="",
        user=user,
        stream=False,
        include_usage=False,
        max_tokens=max_tokens,
        seed=seed,
        is_structured=False,
    )
    served = SimModel(id="m", **model)
    return reply_to(request, served, SimConfig(models=(served,)), book, number=number, fault=fault)


def test_a_known_input_is_answered_with_its_expected_answer():
    said = reply()
    assert json.loads(said.text) == {"a": [1, 2]}
    assert (said.reasoning, said.finish_reason, said.has_choices) == (None, "stop", True)
    assert said.usage == (2, -(-len(said.text) // 4))
    assert reply("page").text == "# Title\n\ntext"


def test_an_unknown_input_is_answered_all_the_same():
    assert reply("what?").text == UNKNOWN.value
    assert reply("what?", quality=0.0).text == UNKNOWN.value


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("bare", '{"a":[1,2]}'),
        ("fenced", '```json\n{"a":[1,2]}\n```'),
        ("prose", 'Here is the answer:\n\n{"a":[1,2]}\n\nLet me know if you need anything else.'),
        ("think_tags", f'<think>\n{REASONING}\n</think>\n\n{{"a":[1,2]}}'),
        ("thinking", '{"a":[1,2]}'),
    ],
)
def test_a_model_dresses_its_answers_in_its_style(style, text):
    assert reply(style=style).text == text
    assert (reply(style=style).reasoning == REASONING) == (style == "thinking")
    if style != "bare":
        assert reply(fault=style).text == text


def test_markdown_is_fenced_as_such():
    assert reply("page", style="fenced").text.startswith("```markdown\n")


def test_reasoning_is_paid_for():
    assert reply(style="thinking").usage[1] > reply().usage[1]


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("broken_json", lambda said: said.text == '{"a":[1,2],'),
        ("wrong_keys", lambda said: json.loads(said.text) == {"a_value": [1, 2]}),
        ("truncated", lambda said: (said.text, said.finish_reason) == ('{"a":', "length")),
        ("null_content", lambda said: (said.text, said.reasoning) == (None, REASONING)),
        ("no_choices", lambda said: not said.has_choices),
        ("no_usage", lambda said: said.usage is None),
        ("zero_usage", lambda said: said.usage == (0, 0)),
    ],
)
def test_a_fault_spoils_the_answer(fault, check):
    assert check(reply(fault=fault))


def test_wrong_keys_are_wrong_all_the_way_down():
    book = AnswerBook({"input": Expected([{"a": 1}, 2], True)})
    assert json.loads(reply(fault="wrong_keys", book=book).text) == [{"a_value": 1}, {"value": 2}]


def test_an_answer_is_cut_at_the_limit_without_a_word():
    said = reply("page", max_tokens=2)
    assert (said.text, said.finish_reason) == ("# Title\n", "length")


def test_a_seed_decides_and_without_one_the_calls_number_does():
    book = AnswerBook({"input": Expected([str(at) for at in range(40)], True)})

    def text(**options):
        return reply(book=book, quality=0.5, noise=1.0, **options).text

    assert text(seed=1, number=0) == text(seed=1, number=5)
    assert text(seed=1) != text(seed=2)
    assert text(number=0) == text(number=0)
    assert text(number=0) != text(number=1)
