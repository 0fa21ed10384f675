"""What the simulated gateway remembers: the minute's requests, the tokens used, who is away, its slots."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from evalsim.mindrouter.config import SimConfig, SimModel

WINDOW = 60.0
"""Seconds of the rate limit's fixed window."""


class Gateway:
    """The state behind the endpoints. Times are in seconds of the given clock."""

    def __init__(self, config: SimConfig, clock: Callable[[], float]) -> None:
        self.config = config
        self._clock = clock
        self._models = {model.id: model for model in config.models}
        self._away_until: dict[str, float] = {}
        self._window_start = float("-inf")
        self._in_window = 0
        self._tokens = 0
        self._slots = {
            model.id: asyncio.Semaphore(model.slots) for model in config.models if model.slots is not None
        }
        self._calls_of_case: Counter[tuple[str, str]] = Counter()
        self.queue: Counter[str] = Counter()
        """Calls that wait for a slot now, by the model's id."""
        self.in_flight = 0
        """Chat calls that are being answered now, those included whose client is gone."""
        self.most_in_flight = 0
        """The most of them so far at one time."""
        self._calling: Counter[str] = Counter()
        self.most_of_model: Counter[str] = Counter()
        """The most calls at one time that were for a model, by its id."""
        self.calls: Counter[str] = Counter()
        """Chat requests so far, refused ones included, by the model's id."""
        self.requests: Counter[str] = Counter()
        """The same by the SHA-256 of the request's body, which replicates share where no seed is set."""
        self.answered: Counter[str] = Counter()
        """Those of them that were answered to the end, by the model."""
        self.page_calls: Counter[str] = Counter()
        """Calls so far that read pages of documents, refused ones included, by the model's id."""
        self.documents: Counter[str] = Counter()
        """Documents taken for reading so far, by the SHA-256 of their bytes."""
        self.documents_read: Counter[str] = Counter()
        """Those of them that were read to their end, whether or not somebody still waited for it."""

    def target(self, model_id: str) -> str:
        """The id of the model behind a name; one level of aliases, as in the gateway."""
        model = self._models.get(model_id)
        # An alias of an alias is not followed: it is a 404 that names the alias.
        return model.alias_target if model and model.alias_target else model_id

    def served(self, model_id: str) -> SimModel | None:
        """The model of that id, if it is there now."""
        model = self._models.get(model_id)
        if model is None or model.alias_target is not None:
            return None
        return None if self._clock() < self._away_until.get(model_id, 0.0) else model

    def knows_in_another_case(self, model_id: str) -> bool:
        """Whether only the case of letters differs from a known model: MindRouter takes that for known."""
        return model_id.lower() in {known.lower() for known in self._models}

    def listed(self) -> list[SimModel]:
        """What `GET /v1/models` lists now: what is there, and its aliases."""
        return [model for model in self.config.models if self.served(self.target(model.id)) is not None]

    def trip(self, model_id: str, seconds: float | None) -> None:
        """Open a model's circuit breaker."""
        away = self.config.breaker_seconds if seconds is None else seconds
        self._away_until[model_id] = self._clock() + away

    def rate_limit_words(self) -> str | None:
        """Count a request; the refusal's words where it is one too many (then it does not count)."""
        limit = self.config.requests_per_minute
        if limit is None:
            return None
        now = self._clock()
        # A fixed window from the first request on, as the gateway's: whoever comes at its end may come again
        # at once.
        if now - self._window_start >= WINDOW:
            self._window_start, self._in_window = now, 0
        if self._in_window >= limit:
            return f"Rate limit exceeded: {limit} requests per minute (current: {self._in_window})"
        self._in_window += 1
        return None

    @property
    def is_quota_exceeded(self) -> bool:
        """Whether the user's tokens are used up."""
        return self.config.token_quota is not None and self._tokens >= self.config.token_quota

    def charge(self, tokens: int) -> None:
        """Count tokens against the quota."""
        self._tokens += tokens

    def slots(self, model_id: str) -> asyncio.Semaphore | None:
        """The model's slots, where they are bounded."""
        return self._slots.get(model_id)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count a chat call as in flight while the block runs."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1

    @contextmanager
    def calling(self, model_id: str) -> Iterator[None]:
        """Count a call for a model while the block runs."""
        self._calling[model_id] += 1
        self.most_of_model[model_id] = max(self.most_of_model[model_id], self._calling[model_id])
        try:
            yield
        finally:
            self._calling[model_id] -= 1

    @contextmanager
    def waiting(self, model_id: str) -> Iterator[None]:
        """Count a call that waits for a slot while the block runs."""
        self.queue[model_id] += 1
        try:
            yield
        finally:
            self.queue[model_id] -= 1

    def next_of_case(self, model_id: str, case_key: str) -> int:
        """Number a model's calls with one input, from 0: what a seed is where none is sent."""
        number = self._calls_of_case[(model_id, case_key)]
        self._calls_of_case[(model_id, case_key)] += 1
        return number
