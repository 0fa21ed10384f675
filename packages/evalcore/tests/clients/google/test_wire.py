"""Google's generateContent as bytes: what is asked, and what each documented part of an answer means."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.dialect import UNREADABLE
from evalcore.clients.failures import Failure
from evalcore.clients.google.wire import content_body, parse_generated, path_of, served
from evalcore.clients.interface import Call
from evalcore.clients.reply import Answer, Usage
from evalcore.library.models import Model
from evalcore.structs import JsonObject, JsonValue

SCHEMA: JsonObject = {"type": "object", "properties": {"snake_name": {"type": "string"}}}


def make_call(name: str = "gemini", *, system: str = "the prompt", replicate: int = 0, **model) -> Call:
    return Call(
        case="one",
        replicate=replicate,
        model=Model(name, "google", **model),
        system=system,
        user="the input",
        schema=SCHEMA,
    )


def asked(**call) -> JsonObject:
    return json.loads(content_body(make_call(**call)))


def generated(*parts: JsonValue, reason: str | None = "STOP", usage: JsonValue = None) -> bytes:
    candidate: JsonObject = {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason}
    return json.dumps({"candidates": [candidate], "usageMetadata": usage}).encode()


def answer(body: bytes) -> Answer:
    outcome = parse_generated(body)
    assert isinstance(outcome, Answer)
    return outcome


def failure(body: bytes) -> Failure:
    outcome = parse_generated(body)
    assert isinstance(outcome, Failure)
    return outcome


def counted(usage: JsonValue) -> Usage | None:
    return answer(generated({"text": "a"}, usage=usage)).usage


# where it is asked


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("gemini-2.5-pro", "/v1beta/models/gemini-2.5-pro:generateContent"),
        ("tunedModels/mine", "/v1beta/tunedModels/mine:generateContent"),
        ("a b?key=x#y", "/v1beta/models/a%20b%3Fkey%3Dx%23y:generateContent"),
        ("x:deleteAll", "/v1beta/models/x%3AdeleteAll:generateContent"),
    ],
)
def test_the_address_names_the_model_and_nothing_of_its_name_becomes_a_query(name: str, path: str) -> None:
    assert path_of(make_call(name)) == path


def test_a_stream_has_a_method_of_its_own() -> None:
    assert path_of(make_call(stream=True)) == "/v1beta/models/gemini:streamGenerateContent?alt=sse"


# what is asked


def test_the_prompt_is_the_systems_instruction_and_the_input_the_only_content() -> None:
    body = asked()
    assert body["systemInstruction"] == {"parts": [{"text": "the prompt"}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "the input"}]}]


def test_an_empty_prompt_is_left_out() -> None:
    assert "systemInstruction" not in asked(system="")


def test_params_go_by_googles_names_into_the_generations_settings() -> None:
    params = {
        "max_tokens": 7,
        "top_p": 0.5,
        "thinking_config": {"thinking_budget": 3, "include_thoughts": True},
    }
    assert asked(params=params)["generationConfig"] == {
        "maxOutputTokens": 7,
        "topP": 0.5,
        "thinkingConfig": {"thinkingBudget": 3, "includeThoughts": True},
    }


def test_params_in_googles_own_spelling_stay_as_they_are() -> None:
    params = {"maxOutputTokens": 7, "topK": 3, "stopSequences": ["a_b"]}
    assert asked(params=params)["generationConfig"] == params


def test_safety_settings_stand_beside_the_generations_settings() -> None:
    settings = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]
    body = asked(params={"safety_settings": settings, "temperature": 0})
    assert body["safetySettings"] == settings
    assert body["generationConfig"] == {"temperature": 0}


def test_without_params_there_are_no_settings() -> None:
    assert "generationConfig" not in asked()


def test_each_replicate_has_a_seed_of_its_own_where_one_is_configured() -> None:
    seeds = [asked(params={"seed": 5}, replicate=number)["generationConfig"]["seed"] for number in range(3)]
    assert seeds == [5, 6, 7]


def test_params_cannot_take_another_input() -> None:
    body = asked(params={"contents": [], "system_instruction": "other"})
    assert body["contents"] == [{"role": "user", "parts": [{"text": "the input"}]}]
    assert body["systemInstruction"] == {"parts": [{"text": "the prompt"}]}


def test_the_names_in_a_schema_are_the_authors_and_are_not_respelled() -> None:
    config = asked(structured_output="json_schema")["generationConfig"]
    assert config == {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}


def test_json_may_be_asked_for_without_a_schema() -> None:
    assert asked(structured_output="json_object")["generationConfig"] == {
        "responseMimeType": "application/json"
    }


# what is answered


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("OTHER", "other"),
        ("MALFORMED_FUNCTION_CALL", "malformed_function_call"),
        ("UNEXPECTED_TOOL_CALL", "unexpected_tool_call"),
        ("MALFORMED_RESPONSE", "malformed_response"),
        ("FINISH_REASON_UNSPECIFIED", "other"),
        ("A_NEW_REASON", "other"),
        (None, None),
    ],
)
def test_each_documented_finish_reason_has_a_word_and_the_text_stays(stated, read) -> None:
    assert answer(generated({"text": "a"}, reason=stated)) == Answer(text="a", finish_reason=read, usage=None)


@pytest.mark.parametrize(
    "stated",
    [
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
    ],
)
def test_what_a_filter_left_of_an_answer_is_none(stated: str) -> None:
    found = answer(generated({"text": "half"}, reason=stated))
    assert found == Answer(text=None, finish_reason="content_filter", usage=None)


def test_texts_are_joined_and_thoughts_left_out() -> None:
    thought: JsonObject = {"text": "hm", "thought": True}
    code: JsonObject = {"executableCode": {"code": "1"}}
    assert answer(generated(thought, {"text": "a"}, code, {"text": "b"})).text == "ab"


def test_a_candidate_without_content_has_no_text() -> None:
    assert answer(b'{"candidates": [{"finishReason": "MAX_TOKENS"}]}').text is None
    assert answer(generated()).text is None
    assert answer(generated({"text": ""})).text == ""


@pytest.mark.parametrize("reason", ["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY"])
def test_a_prompt_that_was_blocked_is_declined_and_its_tokens_are_counted(reason: str) -> None:
    body = {"promptFeedback": {"blockReason": reason}, "usageMetadata": {"promptTokenCount": 8}}
    assert answer(json.dumps(body).encode()) == Answer(
        text=None, finish_reason="content_filter", usage=Usage(prompt=8, completion=0)
    )


@pytest.mark.parametrize("body", [b"{}", b'{"candidates": []}', b'{"promptFeedback": {}}'])
def test_no_candidate_and_no_reason_for_it_is_asked_for_again(body: bytes) -> None:
    assert (failure(body).code, failure(body).retry) == ("no_choices", True)


# what is counted


def test_thoughts_are_beside_the_candidates_tokens_and_cached_ones_within_the_prompts() -> None:
    usage = counted(
        {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 60,
            "toolUsePromptTokenCount": 5,
            "candidatesTokenCount": 7,
            "thoughtsTokenCount": 30,
            "totalTokenCount": 142,
        }
    )
    assert usage == Usage(prompt=105, completion=37, cache_read=60, thinking=30)
    assert usage is not None
    assert usage.prompt + usage.completion == 142


def test_counts_of_nothing_are_left_out_by_google_and_are_zero() -> None:
    assert counted({"promptTokenCount": 9}) == Usage(prompt=9, completion=0)


def test_no_more_comes_out_of_the_cache_than_went_in() -> None:
    assert counted({"promptTokenCount": 9, "cachedContentTokenCount": 50}) == Usage(
        prompt=9, completion=0, cache_read=9
    )


@pytest.mark.parametrize(
    "stated",
    [
        None,
        {},
        {"candidatesTokenCount": 3},
        {"promptTokenCount": -1},
        {"promptTokenCount": 5, "candidatesTokenCount": -3},
        {"promptTokenCount": 5, "thoughtsTokenCount": -3},
        {"promptTokenCount": 5, "cachedContentTokenCount": -3},
        {"promptTokenCount": 2**60},
        {"promptTokenCount": "5"},
        {"promptTokenCount": 0.5},
        [],
        "many",
    ],
)
def test_counts_that_cannot_be_are_none_and_the_answer_beside_them_stands(stated: JsonValue) -> None:
    assert answer(generated({"text": "a"}, usage=stated)) == Answer(
        text="a", finish_reason="stop", usage=None
    )


# what is no answer


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_nothing_is_an_empty_answer(body: bytes) -> None:
    assert (failure(body).code, failure(body).retry) == ("empty_answer", True)


@pytest.mark.parametrize("body", [b"{", b"[]", b"<html>", b"7", b"\xff", b"[" * 5000, b'{"candidates": {}}'])
def test_what_is_no_answer_of_googles_is_unreadable_and_asked_for_again(body: bytes) -> None:
    assert (failure(body).code, failure(body).retry) == ("unreadable_answer", True)


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "rate_limited"), (503, "no_capacity"), (500, "server_error"), (0, "server_error")],
)
def test_an_error_inside_a_200_means_what_its_code_says(status: int, code: str) -> None:
    assert failure(json.dumps({"error": {"code": status, "message": "oops"}}).encode()).code == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)

COUNT = st.integers(-3, 9)


@given(
    parts=st.just([]) | st.lists(st.fixed_dictionaries({"text": JSON}) | JSON, max_size=3),
    reason=st.just("STOP") | JSON,
    usage=st.fixed_dictionaries(
        {"promptTokenCount": COUNT},
        optional={
            "candidatesTokenCount": COUNT,
            "thoughtsTokenCount": COUNT | JSON,
            "cachedContentTokenCount": COUNT,
        },
    ),
)
def test_no_part_of_an_answer_can_raise_or_count_below_nothing(parts, reason, usage) -> None:
    outcome = parse_generated(generated(*parts, reason=reason, usage=usage))
    if isinstance(outcome, Answer) and outcome.usage is not None:
        assert 0 <= outcome.usage.cache_read <= outcome.usage.prompt
        assert 0 <= outcome.usage.thinking <= outcome.usage.completion


# what is served


def test_the_list_of_models_gives_names_without_their_folder_and_the_context() -> None:
    listing = {"models": [{"name": "models/a", "inputTokenLimit": 1000}, {"name": "tunedModels/b"}]}
    models = served(json.dumps(listing).encode()).models
    assert {name: model.context_length for name, model in models.items()} == {
        "a": 1000,
        "tunedModels/b": None,
    }


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"models": [{}]}'])
def test_what_is_no_list_of_models_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(UNREADABLE):
        served(body)
