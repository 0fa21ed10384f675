"""The status page: what is to be shown -> HTML that reads well without JavaScript.

The HTML is in templates/; here are the values that are written for people, and what makes text safe.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evalcore.formats.durations import duration_text
from evalcore.structs import Frozen
from evalhook.monitoring.live import JobProgress, ModelProgress
from evalhook.web.schemas import JobView

NONE_SHOWN: Final = "\u2013"
REFRESH_SECONDS: Final = 20
STAGES: Final = {
    "reading": "waiting for documents",
    "looking": "being looked for",
    "awaited": "awaited",
    "calling": "calling",
    "complete": "complete",
    "partial": "partial",
    "skipped": "skipped",
}
MAX_TEXT: Final = 2000
BIDI: Final = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class RunningJob(Frozen, frozen=True):
    """The running job as it is now."""

    job: JobView
    progress: JobProgress
    models: tuple[ModelProgress, ...]


class View(Frozen, frozen=True):
    """What the page shows."""

    version: str
    shown_at: str
    running: RunningJob | None
    jobs: tuple[JobView, ...]
    """The others, the newest first."""
    more: int
    """How many older ones are not shown."""
    sentences: dict[str, str] = msgspec.field(default_factory=dict)
    """By job: what its results come to, as its pull request says it."""


def login_page(reason: str | None = None) -> str:
    """Write the form that asks for the token; `reason` says why it is shown again."""
    return TEMPLATES.get_template("login.html").render(reason=reason)


def status_page(view: View) -> str:
    """Write the page of what runs and what ran."""
    return TEMPLATES.get_template("status.html").render(
        version=view.version,
        shown_at=view.shown_at,
        running=view.running,
        jobs=view.jobs,
        more=view.more,
        sentences=view.sentences,
    )


def percent(progress: JobProgress) -> str:
    """Write how far a job is."""
    # Rounded down: 100 % is said only once no call is left.
    return f"{100 * progress.done // max(progress.total, 1)} %"


def rate(calls_a_second: float | None) -> str:
    """Write a rate for people."""
    if calls_a_second is None:
        return NONE_SHOWN
    return f"{calls_a_second:.1f} / s" if calls_a_second >= 1 else f"{60 * calls_a_second:.1f} / min"


def duration(seconds: float | None) -> str:
    """Write seconds for people: `45 s`, `3 min 20 s`, `2 h 5 min`."""
    return NONE_SHOWN if seconds is None else duration_text(seconds)


def left(progress: JobProgress) -> str:
    """Say how long the calls still take, or what else the job is at."""
    if progress.stage in {"scoring", "publishing"}:
        return progress.stage
    return duration(progress.seconds_left)


def doing(progress: JobProgress) -> str:
    """Say what a running job is at."""
    if progress.reading is None:
        return "running"
    return f"reading documents {progress.reading.number} of {progress.reading.total}"


def notice(progress: JobProgress) -> str:
    """Say what an operator should know, or else which calls are in flight for long; empty for nothing."""
    if progress.attention is not None:
        return progress.attention
    named = [f"{w.model}, replicate {w.replicate}, for {duration(w.seconds)}" for w in progress.waits]
    return f"Waiting for {'; '.join(named)}" if named else ""


def plain(text: str) -> str:
    """Cut a text to MAX_TEXT characters, and blank those that are invisible or turn its direction."""
    cut = text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
    return "".join(
        # A text that turns its direction could show another model's name than it holds.
        # Nor can half of a surrogate pair (Cs) be encoded: the whole page would fail by it.
        " " if unicodedata.category(char) in {"Cc", "Cs"} or unicodedata.bidirectional(char) in BIDI else char
        for char in cut
    )


def _finalize(value: object) -> object:
    # Markup is what a macro has made: its parts have passed here already.
    return value if isinstance(value, Markup) else plain(str(value))


def _took(job: JobView) -> float | None:
    if job.started_at is None or job.finished_at is None:
        return None
    return (datetime.fromisoformat(job.finished_at) - datetime.fromisoformat(job.started_at)).total_seconds()


def _grouped(number: int) -> str:
    return f"{number:,}"


def _pull_number(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]


def _is_web_address(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _templates() -> Environment:
    # Every expression is bounded and stripped by `finalize`, and then escaped: none is marked safe.
    environment = Environment(
        loader=PackageLoader("evalhook.web"),
        autoescape=True,
        # A name that a template spells wrong fails its test, instead of showing nothing.
        undefined=StrictUndefined,
        finalize=_finalize,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "doing": doing,
        "duration": duration,
        "grouped": _grouped,
        "left": left,
        "notice": notice,
        "percent": percent,
        "pull_number": _pull_number,
        "rate": rate,
        "took": _took,
    }
    environment.tests["web_address"] = _is_web_address
    environment.globals |= {
        "none_shown": NONE_SHOWN,
        "refresh_seconds": REFRESH_SECONDS,
        "stages": STAGES,
    }
    return environment


TEMPLATES: Final = _templates()
