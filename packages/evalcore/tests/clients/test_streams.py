"""What holds of a streamed answer in every dialect: no cut changes it, and it is whole at its end alone.

What each dialect's events mean is tested in its own folder.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.anthropic.stream import StreamedMessage
from evalcore.clients.event_stream import EventStream
from evalcore.clients.failures import Failure
from evalcore.clients.google.stream import StreamedContent
from evalcore.clients.openai.stream import StreamedAnswer
from evalcore.clients.reply import Answer, Usage


class Whole(NamedTuple):
    """A whole stream of a dialect, with a thought, and the answer that it is."""

    reader: type[EventStream]
    text: str
    usage: Usage
    when_cut: set[str]
    """The codes of the failures that its beginnings are."""

    def read(self, *parts: bytes) -> Answer | Failure:
        streamed = self.reader()
        for part in parts:
            if streamed.feed(part):
                break
        return streamed.end()

    @property
    def answer(self) -> Answer:
        return Answer(text='{"ü": 1}', finish_reason="stop", usage=self.usage)


OPENAI = r"""data: {"choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": "hm"}}]}

data: {"choices": [{"index": 0, "delta": {"content": "{\"ü\": "}}]}

data: {"choices": [{"index": 0, "delta": {"content": "1}"}}]}

data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}

data: {"choices": [], "usage": {"prompt_tokens": 22, "completion_tokens": 4}}

data: [DONE]

"""
ANTHROPIC = r"""event: message_start
data: {"type": "message_start", "message": {"type": "message", "role": "assistant", "usage": {"input_tokens": 20, "output_tokens": 1, "cache_read_input_tokens": 5}}}

event: content_block_start
data: {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "x"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

event: ping
data: {"type": "ping"}

event: content_block_start
data: {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "{\"ü\": "}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "1}"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 1}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}

event: message_stop
data: {"type": "message_stop"}

"""  # noqa: E501 - as it is sent
GOOGLE = r"""data: {"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}], "role": "model"}, "index": 0}], "usageMetadata": {"promptTokenCount": 20, "thoughtsTokenCount": 4}}

data: {"candidates": [{"content": {"parts": [{"text": "{\"ü\": "}], "role": "model"}, "index": 0}], "usageMetadata": {"promptTokenCount": 20, "thoughtsTokenCount": 4, "candidatesTokenCount": 2}}

data: {"candidates": [{"content": {"parts": [{"text": "1}"}], "role": "model"}, "index": 0, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 20, "thoughtsTokenCount": 4, "candidatesTokenCount": 5}}

"""  # noqa: E501 - as it is sent
STREAMS = {
    "openai": Whole(
        StreamedAnswer, OPENAI, Usage(prompt=22, completion=4), {"connection_lost", "refused_stream"}
    ),
    "anthropic": Whole(
        StreamedMessage,
        ANTHROPIC,
        Usage(prompt=25, completion=9, cache_read=5),
        {"connection_lost", "unreadable_answer"},
    ),
    "google": Whole(StreamedContent, GOOGLE, Usage(prompt=20, completion=9, thinking=4), {"connection_lost"}),
}
every_dialect = pytest.mark.parametrize("whole", STREAMS.values(), ids=STREAMS)
PLACES = st.lists(st.floats(0, 1), max_size=12)
"""Where a stream is cut, as shares of its length."""


@every_dialect
@given(places=PLACES, newline=st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_answer_is_the_same_in_whatever_pieces_it_comes(
    whole: Whole, places: list[float], newline: str
) -> None:
    data = whole.text.replace("\n", newline).encode()
    edges = [0, *sorted(int(place * len(data)) for place in places), len(data)]
    assert whole.read(*(data[begin:stop] for begin, stop in pairwise(edges))) == whole.answer


@every_dialect
def test_a_stream_that_ends_early_is_a_failure_wherever_it_is_cut(whole: Whole) -> None:
    data = whole.text.encode()
    # The last event may lack its empty line, no more.
    whole_from = len(data.rstrip())
    codes = set()
    for length in range(len(data)):
        outcome = whole.read(data[:length])
        if length < whole_from:
            assert isinstance(outcome, Failure), data[:length][-40:]
            assert outcome.retry
            codes.add(outcome.code)
        else:
            assert outcome == whole.answer
    assert codes == whole.when_cut
