"""The status page as pure functions: what is to be shown -> HTML that reads well without JavaScript.

Elements with a `data-` attribute are those that static/page.js keeps up to date.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Final

from evalcore.structs import Frozen
from evalhook.jobs import ModelRow
from evalhook.monitoring.live import JobProgress, ModelProgress
from evalhook.web.schemas import JobView

NONE: Final = "\u2013"
REFRESH_SECONDS: Final = 20
STAGES: Final = {
    "looking": "being looked for",
    "awaited": "awaited",
    "calling": "calling",
    "complete": "complete",
    "partial": "partial",
    "skipped": "skipped",
}
_MINUTE: Final = 60
_HOUR: Final = 3600


class Running(Frozen, frozen=True):
    """The running job as it is now."""

    job: JobView
    progress: JobProgress
    models: tuple[ModelProgress, ...]


class View(Frozen, frozen=True):
    """What the page shows."""

    version: str
    shown_at: str
    running: Running | None
    jobs: tuple[JobView, ...]
    """The others, the newest first."""
    more: int
    """How many older ones are not shown."""


def login_page(reason: str | None = None) -> Markup:
    """Ask for the token."""
    form = element(
        "form",
        element("label", "Token", for_="token"),
        element(
            "input",
            id="token",
            name="token",
            type="password",
            autocomplete="current-password",
            required=True,
            autofocus=True,
            spellcheck="false",
            aria_describedby="hint" if reason is None else "reason hint",
            aria_invalid=None if reason is None else "true",
        ),
        element("p", "The one that callers send: MINDROUTER_EVAL_WEBHOOK_TOKEN.", id="hint", class_="quiet"),
        element("button", "Sign in", type="submit"),
        method="post",
        action="/login",
    )
    alert = [] if reason is None else [element("p", reason, id="reason", role="alert", class_="alert")]
    main = element("main", element("h1", "Evaluator"), *alert, form, class_="login card")
    return _page("Sign in · Evaluator", main, is_live=False)


def status_page(view: View) -> Markup:
    """Show what runs and what ran."""
    header = element(
        "header",
        element("h1", "Evaluator", element("span", view.version, class_="version")),
        element(
            "form",
            element("button", "Sign out", type="submit", class_="plain"),
            method="post",
            action="/logout",
        ),
    )
    running = _idle() if view.running is None else _running(view.running)
    main = element("main", running, _past(view.jobs, view.more), id="main")
    footer = element("footer", "As of ", _time(view.shown_at), class_="quiet")
    title = "Evaluator" if view.running is None else f"{_percent(view.running.progress)} · Evaluator"
    return _page(title, header, main, footer, is_live=True)


def _page(title: str, *body: Markup, is_live: bool) -> Markup:
    live = [
        element("script", src="/static/page.js", defer=True),
        element("noscript", element("meta", http_equiv="refresh", content=REFRESH_SECONDS)),
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="robots", content="noindex"),
        element("title", title),
        element("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
        element("link", rel="stylesheet", href="/static/page.css"),
        *(live if is_live else []),
    )
    return document(head, element("body", *body))


def _idle() -> Markup:
    return element(
        "section",
        element("h2", "Nothing is running", id="now"),
        element("p", "The service is ready for the next evaluation.", class_="quiet"),
        class_="card",
        aria_labelledby="now",
        data_idle=True,
    )


def _running(running: Running) -> Markup:
    job, progress = running.job, running.progress
    left = duration(progress.seconds_left) if progress.stage == "calling" else progress.stage
    return element(
        "section",
        element(
            "h2",
            element("span", "running", class_="badge running", data_stage=True),
            " ",
            job.skill_name,
            id="now",
        ),
        element("p", *_origin(job), class_="quiet"),
        element(
            "progress",
            _percent(progress),
            value=progress.done,
            max=max(progress.total, 1),
            aria_label="Calls done",
            data_bar=True,
        ),
        element(
            "dl",
            _figure("Calls", f"{progress.done:,} of {progress.total:,}", "done"),
            _figure("Done", _percent(progress), "percent"),
            _figure("Rate", rate(progress.rate), "rate"),
            _figure("Time left", left, "left"),
            _figure("Errors", f"{progress.errors:,}", "errors"),
            _figure("In flight", f"{progress.in_flight:,}", "flight"),
            class_="figures",
        ),
        element("p", notice(progress), class_="alert", data_notice=True, hidden=not notice(progress)),
        _models_table(running.models),
        # Read out now and then by the script, rather than each of the figures at each change.
        element("p", class_="unseen", role="status", data_spoken=True),
        class_="card",
        aria_labelledby="now",
        data_job=job.job_id,
    )


def _origin(job: JobView) -> list[str]:
    replicates = f"{job.replicates} replicate{'s' if job.replicates != 1 else ''}"
    parts = ["commit ", element("code", job.prompt_commit[:12]), f" · {replicates} · since "]
    return [*parts, _time(job.started_at or job.created_at)]


def _figure(name: str, value: str, key: str) -> Markup:
    return element(
        "div", element("dt", name), element("dd", value, data_figure=key, translate="no"), class_="figure"
    )


def _models_table(models: Sequence[ModelProgress]) -> Markup:
    rows = [
        element(
            "tr",
            element("th", model.model, scope="row"),
            element("td", STAGES[model.stage], data_cell="stage", data_label="State"),
            element(
                "td",
                element(
                    "progress",
                    value=model.done,
                    max=max(model.total, 1),
                    aria_label=f"Calls done of {model.model}",
                    data_cell="bar",
                ),
            ),
            element(
                "td",
                f"{model.done:,} of {model.total:,}",
                data_cell="done",
                class_="number",
                data_label="Calls",
            ),
            element("td", f"{model.errors:,}", data_cell="errors", class_="number", data_label="Errors"),
            element("td", model.reason or "", data_cell="reason", class_="reason", data_label="Why"),
            data_model=model.model,
        )
        for model in models
    ]
    return _table("Models of the running job", ("Model", "State", "", "Calls", "Errors", "Why"), rows)


def _past(jobs: Sequence[JobView], more: int) -> Markup:
    if not jobs:
        content = element("p", "No job has been run yet.", class_="quiet")
    else:
        headings = ("Component", "State", "Ended", "Took", "Models", "Errors", "Result")
        content = _table("Past jobs", headings, [_past_row(job) for job in jobs])
    rest = [element("p", f"{more:,} older jobs are kept; see GET /jobs.", class_="quiet")] if more > 0 else []
    heading = element("h2", "Past jobs", id="past")
    return element("section", heading, content, *rest, class_="card", aria_labelledby="past")


def _past_row(job: JobView) -> Markup:
    progress, took = job.progress, duration(_seconds(job.started_at, job.finished_at))
    return element(
        "tr",
        element(
            "th", job.skill_name, " ", element("code", job.prompt_commit[:7], class_="quiet"), scope="row"
        ),
        element("td", element("span", job.status, class_=f"badge {job.status}"), data_label="State"),
        element("td", NONE if job.finished_at is None else _time(job.finished_at), data_label="Ended"),
        element("td", took, class_="number", data_label="Took"),
        element("td", _models(job), data_label="Models"),
        element("td", f"{progress.errors:,} of {progress.total:,}", class_="number", data_label="Errors"),
        element("td", _result(job), class_="reason", data_label="Result"),
    )


def _models(job: JobView) -> Markup:
    rows = () if job.result is None else job.result.models
    if not rows:
        return join(NONE)
    return element("ul", *(element("li", _model(row)) for row in rows), class_="bare")


def _model(row: ModelRow) -> Markup:
    if row.status == "skipped" or row.accuracy is None:
        return join(row.model, " ", element("span", row.status, class_="quiet"))
    partial = "" if row.status == "complete" else " (partial)"
    return join(row.model, " ", element("b", f"{100 * row.accuracy:.1f} %"), partial)


def _result(job: JobView) -> Markup:
    if job.error is not None:
        return element("span", element("code", job.error.code), " ", job.error.message)
    url = None if job.result is None else job.result.pull_request_url
    if url is None:
        return join(NONE)
    # Whatever a server says where its pull request is, it is a link only where it is a web address.
    if not url.startswith(("https://", "http://")):
        return join(url)
    number = url.rstrip("/").rpartition("/")[2]
    return element("a", f"pull request {number}", href=url, rel="noreferrer")


def _table(caption: str, headings: Sequence[str], rows: Sequence[Markup]) -> Markup:
    head = [
        element("th", heading, scope="col") if heading else element("td", aria_hidden="true")
        for heading in headings
    ]
    table = element(
        "table",
        element("caption", caption, class_="unseen"),
        element("thead", element("tr", *head)),
        element("tbody", *rows),
    )
    # To be reached with the keyboard where it is wider than the screen.
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _time(moment: str) -> Markup:
    return element("time", f"{moment[:10]} {moment[11:16]} UTC", datetime=moment)


def _seconds(start: str | None, end: str | None) -> float | None:
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _percent(progress: JobProgress) -> str:
    return f"{100 * progress.done // max(progress.total, 1)} %"


def rate(calls_a_second: float | None) -> str:
    """Write a rate for people."""
    if calls_a_second is None:
        return NONE
    return f"{calls_a_second:.1f} / s" if calls_a_second >= 1 else f"{60 * calls_a_second:.1f} / min"


def duration(seconds: float | None) -> str:
    """Write seconds for people: `45 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds is None:
        return NONE
    whole = max(round(seconds), 0)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def notice(progress: JobProgress) -> str:
    """Say what an operator should know, or else which calls have been out for long; empty for nothing."""
    if progress.attention is not None:
        return progress.attention
    named = [f"{w.model}, replicate {w.replicate}, for {duration(w.seconds)}" for w in progress.waits]
    return f"Waiting for {'; '.join(named)}" if named else ""


VOID: Final = frozenset({"meta", "link", "input", "br"})
MAX_TEXT: Final = 2000
BIDI: Final = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class Markup(str):
    """HTML that is finished: nothing but `element` and `join` makes it."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float | bool | None) -> Markup:
    """Make an element; children that are no Markup are escaped.

    `class_` and `for_` stand for the attributes, `_` in a name for `-`; True is a bare attribute, False
    and None leave it out.
    """
    shown = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{shown}>")
    return Markup(f"<{name}{shown}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """Put pieces one behind the other."""
    return Markup("".join(child if isinstance(child, Markup) else escape(plain(child)) for child in children))


def document(*children: str) -> Markup:
    """Make a whole page."""
    return Markup(f"<!doctype html>\n{element('html', *children, lang='en')}\n")


def plain(text: str) -> str:
    """Bound a text, and take out what could turn the direction of its surroundings or does not show."""
    cut = text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
    return "".join(
        " " if unicodedata.category(char) in {"Cc", "Cs"} or unicodedata.bidirectional(char) in BIDI else char
        for char in cut
    )


def _attribute(key: str, value: str | float | bool | None) -> str:  # noqa: FBT001 - an attribute may be bare
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(plain(str(value)))}"'
