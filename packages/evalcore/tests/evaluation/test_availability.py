"""A model that MindRouter does not list is looked for again, for 45 s in all, while others run."""

import asyncio

from evalcore.clients.interface import Served, ServedModel
from evalcore.effects import Effects
from evalcore.errors import ProviderRefused, ProviderUnreachable
from evalcore.evaluation.availability import find_models
from evalcore.library.models import Model
from evalcore.runs.plan import Server

A, B = Model("a", "mindrouter"), Model("b", "mindrouter")


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 0.0

    async def sleep(self, seconds):
        self.now += seconds

    def effects(self):
        return Effects(now=lambda: None, monotonic=lambda: self.now, sleep=self.sleep, new_id=lambda: "id")


class Gateway:
    """Answers what its script says at each time: ids, or an error to raise."""

    def __init__(self, clock, script):
        self.clock, self.script, self.asked = clock, script, 0

    async def served(self):
        self.asked += 1
        answer = self.script(self.clock.now)
        if isinstance(answer, Exception):
            raise answer
        return Served("2.9.58", {name: ServedModel(name, "q4", 2048, ("node",)) for name in answer})


class Notes:
    def __init__(self):
        self.lines = []

    def found(self, model, server):
        self.lines.append(("found", model.id, server))

    def awaited(self, model, seconds, hint):
        self.lines.append(("awaited", model.id, seconds, hint))

    def missing(self, model, reason, error):
        self.lines.append(("missing", model.id, reason, error))


def find(script, models=(A, B), **patience):
    clock, notes = Clock(), Notes()
    gateway = Gateway(clock, script)
    asyncio.run(find_models("mindrouter", gateway, models, notes, clock.effects(), **patience))
    return notes.lines, clock.now, gateway.asked


SERVER = Server("2.9.58", "q4", 2048, ("node",))


def test_listed_models_are_found_at_once_with_what_the_gateway_says_of_them():
    assert find(lambda _: ["a", "b"]) == ([("found", "a", SERVER), ("found", "b", SERVER)], 0.0, 1)


def test_a_model_that_comes_back_is_found_later_while_the_other_runs():
    lines, now, _ = find(lambda now: ["a", "b"] if now >= 25 else ["a"])
    assert lines == [("found", "a", SERVER), ("awaited", "b", 45.0, ""), ("found", "b", SERVER)]
    assert now == 25


def test_a_model_that_does_not_come_back_is_missing_after_45_seconds():
    lines, now, _ = find(lambda _: ["a"])
    assert lines[-1] == ("missing", "b", "mindrouter lists no backend for it now", None)
    assert now == 45


def test_models_are_looked_for_together():
    _, _, asked = find(lambda _: [])
    assert asked == 10


def test_a_gateway_that_cannot_be_reached_at_the_start_is_told_at_once():
    error = ProviderUnreachable("no answer", where="mindrouter")
    lines, now, _ = find(lambda _: error)
    assert lines == [("missing", "a", error.line, error), ("missing", "b", error.line, error)]
    assert now == 0


def test_a_gateway_that_is_away_when_a_run_goes_on_is_waited_for_as_long_as_any_outage():
    gone = ProviderUnreachable("no answer", where="mindrouter")
    lines, now, _ = find(lambda now: gone if now < 300 else ["a", "b"], patience=900.0)
    assert [line[:2] for line in lines[-2:]] == [("found", "a"), ("found", "b")]
    assert 300 <= now < 310
    lines, now, _ = find(lambda _: gone, patience=900.0)
    assert {line[0] for line in lines[-2:]} == {"missing"}
    assert 900 <= now <= 950


def test_a_gateway_that_falters_while_a_model_is_awaited_is_asked_again():
    lines, _, _ = find(
        lambda now: ["a", "b"] if now >= 10 else ["a"] if now == 0 else ProviderUnreachable("gone")
    )
    assert lines[-1] == ("found", "b", SERVER)


def test_a_refused_key_while_a_model_is_awaited_ends_the_looking():
    error = ProviderRefused("no such key")
    lines, now, _ = find(lambda now: ["a"] if now == 0 else error)
    assert lines[-1] == ("missing", "b", error.line, error)
    assert now == 5


def test_models_of_other_providers_are_not_asked_for():
    lines, _, asked = find(lambda _: [], models=(Model("c", "vllm"),))
    assert (lines, asked) == ([("found", "c", Server())], 0)


def test_a_model_that_is_not_waited_for_is_left_out_at_once():
    lines, now, asked = find(lambda _: ["a"], is_awaited=False)
    assert [line[:2] for line in lines] == [("found", "a"), ("missing", "b")]
    assert (now, asked) == (0, 1)


def test_a_name_that_is_nearly_one_that_is_served_is_said_so_before_the_waiting_and_after_it():
    misspelt = Model("google/gemma-3-27b", "mindrouter")
    lines, _, _ = find(lambda _: ["google/gemma-3-27b-it"], models=(misspelt,))
    hint = "did you mean `google/gemma-3-27b-it`?"
    assert lines == [
        ("awaited", misspelt.id, 45.0, hint),
        ("missing", misspelt.id, f"mindrouter lists no backend for it now; {hint}", None),
    ]
    # One that is configured too is no other spelling: this one is away.
    both = (misspelt, Model("google/gemma-3-27b-it", "mindrouter"))
    lines, _, _ = find(lambda _: ["google/gemma-3-27b-it"], models=both)
    assert lines[-1] == ("missing", misspelt.id, "mindrouter lists no backend for it now", None)
