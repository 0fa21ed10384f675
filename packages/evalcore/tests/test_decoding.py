"""Decoding into a type, by several threads at once, when none has done so before."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from evalcore.decoding import convert, convert_mostly, decode_json, json_decoder
from evalcore.errors import MOST_PROBLEMS
from evalcore.structs import Frozen

AT_ONCE = """\
import sys, threading
from msgspec import defstruct
from evalcore.decoding import convert, decode_json

sys.setswitchinterval(1e-6)
THREADS, ROUNDS = 8, 40
barrier = threading.Barrier(THREADS)
# Written as text, an annotation is read when the type is first used: that takes a while.
rounds = []
for number in range(ROUNDS):
    inner = defstruct("Inner", [(f"field_{i}", "int | None", None) for i in range(30)])
    middle = defstruct("Middle", [("inner", inner), ("texts", "dict[str, list[int]]")])
    outer = defstruct("Outer", [("middle", middle), ("others", tuple[inner, ...])])
    rounds.append((inner, middle, outer))
PLAIN = {"middle": {"inner": {"field_7": 7}, "texts": {}}, "others": [{"field_3": 3}]}
JSON = b'{"middle": {"inner": {"field_7": 7}, "texts": {}}, "others": [{"field_3": 3}]}'
wrong = []

def work(thread):
    for inner, middle, outer in rounds:
        barrier.wait()
        if thread % 3 == 0:
            found = decode_json(JSON, outer).middle
        elif thread % 3 == 1:
            found = convert(PLAIN["middle"], middle)
        else:
            found = decode_json(b'{"inner": {"field_7": 7}, "texts": {}}', middle)
        if not isinstance(found.inner, inner) or found.inner.field_7 != 7:
            wrong.append(found)

threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(wrong))
"""


class Named(Frozen, frozen=True):
    name: str


def test_threads_that_decode_into_types_none_has_used_yet_get_values_and_the_process_lives() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", AT_ONCE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_a_decoder_is_made_once_and_what_does_not_fit_is_an_error() -> None:
    assert json_decoder(Named) is json_decoder(Named)
    assert decode_json(b'{"name": "a", "more": 1}', Named) == Named("a") == convert({"name": "a"}, Named)
    assert decode_json("[1, null]", list[int | None]) == [1, None]
    with pytest.raises(msgspec.ValidationError):
        convert({"name": 1}, Named)
    with pytest.raises(msgspec.DecodeError):
        decode_json(b"{", Named)


class _Inner(Frozen, frozen=True, forbid_unknown_fields=True):
    count: int = 1


class _Outer(Frozen, frozen=True, forbid_unknown_fields=True):
    name: str
    inner: _Inner = _Inner()
    many: tuple[int, ...] = ()


def test_all_that_does_not_fit_is_told_and_the_rest_is_read() -> None:
    value = {"name": "a", "inner": {"count": "x", "cuont": 1}, "many": [1, "b"], "nmae": 2}
    told, left = convert_mostly(value, _Outer)
    places = {text.partition(" - at ")[2] for text in told}
    assert (len(told), places) == (4, {"`$.inner.count`", "`$.inner`", "`$.many[1]`", ""})
    assert left == _Outer("a")


def test_what_is_needful_and_wrong_is_told_once() -> None:
    told, left = convert_mostly({"name": 1}, _Outer)
    assert (len(told), left) == (1, None)


def test_of_what_is_wrong_throughout_some_is_told_since_each_takes_a_conversion() -> None:
    told, left = convert_mostly({f"field_{number}": 1 for number in range(10_000)}, _Outer)
    assert (len(told), left) == (MOST_PROBLEMS + 1, None)
