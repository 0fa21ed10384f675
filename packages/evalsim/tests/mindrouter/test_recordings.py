"""The simulation answers as the recordings of the real gateway do: status, headers, body."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from evalsim.documents import images
from evalsim.documents.pdf import text_pdf
from evalsim.mindrouter import Fault, FaultKind, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running

MODEL = "gemma-3-270m"
KEY = "mr2_known"
ONE = SimConfig(models=(SimModel(id=MODEL, context_length=2048),), keys=(KEY,), revoked_keys=("mr2_revoked",))
ALIASES = SimConfig(
    models=(
        SimModel(id="default-llm", alias_target=MODEL),
        SimModel(id="dead-alias", alias_target="not-there"),
        *ONE.models,
    ),
    keys=(KEY,),
)
NONE = SimConfig(models=(), keys=(KEY,))


def one_fault(kind: FaultKind, **more: Any) -> SimConfig:
    return SimConfig(models=ONE.models, keys=(KEY,), faults=(Fault(kind=kind, **more),), slot_seconds=5.0)


# The recording's number, what the simulation is told, and the key that is sent ("" for none).
SAME: list[tuple[str, SimConfig, str]] = [
    ("01", NONE, ""),
    ("02", NONE, ""),
    ("03", NONE, ""),
    ("04", NONE, KEY),
    ("05", NONE, KEY),
    ("06", ONE, ""),
    ("07", ONE, ""),
    ("08", ONE, "unknown"),
    ("09", ONE, "mr2_unknown"),
    ("10", ONE, "mr2_revoked"),
    ("12", ONE, KEY),
    ("13", ONE, KEY),
    ("14", ONE, KEY),
    ("15", ONE, KEY),
    ("16", ONE, KEY),
    ("17", ONE, KEY),
    ("20", ONE, KEY),
    ("21", ONE, ""),
    ("22", ONE, ""),
    ("23", ONE, KEY),
    ("24a", ONE, KEY),
    ("25", ONE, KEY),
    ("26", ONE, KEY),
    ("26b", ONE, KEY),
    ("29", ONE, KEY),
    ("30", ONE, KEY),
    ("31", ONE, KEY),
    ("32", ONE, KEY),
    ("33", ONE, KEY),
    ("34", ONE, KEY),
    ("35", ONE, KEY),
    ("36", ONE, KEY),
    ("37", ONE, KEY),
    ("39", ONE, KEY),
    ("42", ONE, KEY),
    ("43", ONE, KEY),
    ("45", ONE, KEY),
    ("46", ONE, KEY),
    ("48", ONE, KEY),
    ("49", ONE, KEY),
    ("50", ALIASES, KEY),
    ("51", ALIASES, KEY),
    ("52", ALIASES, KEY),
    ("54", SimConfig(models=ONE.models, requests_per_minute=0), KEY),
    ("55b", SimConfig(models=ALIASES.models, requests_per_minute=0), KEY),
    ("55c", SimConfig(models=ONE.models, requests_per_minute=0), KEY),
    ("57", SimConfig(models=ONE.models, token_quota=0), KEY),
    ("60", one_fault("backend_400"), KEY),
    ("60b", one_fault("backend_400"), KEY),
    ("61", one_fault("backend_429"), KEY),
    ("63", one_fault("bad_gateway"), KEY),
    ("64", one_fault("gone"), KEY),
    ("103", one_fault("no_capacity"), KEY),
    ("104", one_fault("no_capacity"), KEY),
    ("110", one_fault("thinking"), KEY),
    ("112", one_fault("null_content"), KEY),
    ("114", ONE, KEY),
    ("95", ONE, KEY),
    ("96", ONE, KEY),
    ("27", ONE, KEY),
    ("28", ONE, KEY),
]
# Recordings of documents that are sent to be read: the number, and what the simulation is told.
READ: list[tuple[str, SimConfig]] = [
    ("90", ONE),
    ("91", ONE),
    ("92", ONE),
    ("93", ONE),
    ("93b", ONE),
    ("93d", ONE),
    ("93e", one_fault("bad_gateway", times=1)),
    ("94", ONE),
    ("94b", ONE),
]
# Values that differ from one answer to the next, and those that only the model or the machine decide.
FREE = {
    "id",
    "created",
    "timestamp",
    "gc_last_run",
    "content",
    "reasoning_content",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "count",
    "total_users",
    "active_users",
    "backend_depths",
}


def recording(recordings: Path, number: str) -> tuple[dict[str, Any], dict[str, Any]]:
    (path,) = recordings.glob(f"{number}-*.json")
    read = json.loads(path.read_text("utf-8"))
    return read["request"], read["response"]


def ask(app: SimulatedMindRouter, request: dict[str, Any], key: str, *, over_http: bool) -> httpx.Response:
    """Send a recorded request; over real HTTP where the server itself adds headers."""
    if over_http:
        with running(app) as url:
            return asyncio.run(send(url, httpx.AsyncHTTPTransport(), request, key))
    return asyncio.run(send("http://simulated", httpx.ASGITransport(app), request, key))


def upload(app: SimulatedMindRouter, request: dict[str, Any]) -> httpx.Response:
    """Send a recorded upload, with a document of our own in place of the one that was not kept."""
    page = ("# A page",)
    kept = {"page.png": images.png(page[0]), "t.pdf": text_pdf(page), "x.txt": b"text\n"}
    files = {
        field: (part["filename"], kept[part["filename"]], part["content_type"])
        for field, part in request.get("multipart_files", {}).items()
    }
    form = {name: (None, value) for name, value in request.get("form", {}).items()}

    async def tell() -> httpx.Response:
        headers = {"Authorization": f"Bearer {KEY}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(base_url="http://sim", transport=transport, headers=headers) as client:
            return await client.post(request["path"], files=files | form)

    return asyncio.run(tell())


async def send(
    url: str, transport: httpx.AsyncBaseTransport, request: dict[str, Any], key: str
) -> httpx.Response:
    headers = {name: value for name, value in request["headers"].items() if value != "<redacted>"}
    headers = {name: value for name, value in headers.items() if not value.startswith("Bearer")}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    content = (
        json.dumps(request["json"]) if request.get("json") else request.get("body", request.get("content"))
    )
    async with httpx.AsyncClient(base_url=url, transport=transport) as client:
        return await client.request(request["method"], request["path"], headers=headers, content=content)


def shape(value: Any, name: str = "") -> Any:
    """A body with what is free replaced by its type."""
    if isinstance(value, dict):
        if name == "backend_depths":
            return "free"
        return {key: shape(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if name in FREE:
        return "free"
    if isinstance(value, str):
        return loose(value)
    return value


def loose(text: str) -> str:
    """A text without numbers and addresses, which are the recording's own."""
    text = re.sub(r"http://[\d.]+:\d+", "http://host", text)
    return re.sub(r"\d+(\.\d+)?", "n", text)


def event_shapes(text: str) -> list[Any]:
    """The kinds of events of a stream in order, repeated ones once."""
    kinds: list[Any] = []
    for event in text.split("\n\n"):
        data = event.removeprefix("data: ")
        kind = shape(json.loads(data)) if data.startswith("{") else data
        if not kinds or kinds[-1] != kind:
            kinds.append(kind)
    return kinds


def header_names(names: Any) -> set[str]:
    return {name.lower() for name in names} - {"date", "server"}


@pytest.mark.parametrize(("number", "config", "key"), SAME, ids=[row[0] for row in SAME])
def test_answers_as_recorded(recordings: Path, number: str, config: SimConfig, key: str) -> None:
    request, recorded = recording(recordings, number)
    is_chunked = "transfer-encoding" in recorded["headers"]
    answer = ask(SimulatedMindRouter(config), request, key, over_http=is_chunked)
    assert answer.status_code == recorded["status"]
    assert header_names(answer.headers) == header_names(recorded["headers"])
    for name in ("content-type", "allow", "cache-control"):
        assert answer.headers.get(name) == recorded["headers"].get(name)
    if isinstance(recorded["body"], str):
        assert event_shapes(answer.text) == event_shapes(recorded["body"])
    else:
        assert shape(answer.json()) == shape(recorded["body"])


@pytest.mark.parametrize(("number", "config"), READ, ids=[row[0] for row in READ])
def test_a_document_is_answered_as_recorded(recordings: Path, number: str, config: SimConfig) -> None:
    request, recorded = recording(recordings, number)
    answer = upload(SimulatedMindRouter(config), request)
    assert answer.status_code == recorded["status"]
    assert header_names(answer.headers) == header_names(recorded["headers"])
    assert answer.headers["content-type"] == recorded["headers"]["content-type"]
    if isinstance(recorded["body"], dict):
        assert shape(answer.json()) == shape(recorded["body"])
    elif recorded["status"] == 200:
        assert answer.text == "# A page"
    else:
        assert answer.text == recorded["body"]


def test_stream_has_two_request_ids(recordings: Path) -> None:
    request, recorded = recording(recordings, "27")
    answer = ask(SimulatedMindRouter(ONE), request, KEY, over_http=False)
    ours, theirs = (
        re.sub(r"[0-9a-f]", "x", text)
        for text in (answer.headers["x-request-id"], recorded["headers"]["x-request-id"])
    )
    assert ours == theirs


def test_500_has_no_request_id(recordings: Path) -> None:
    request, recorded = recording(recordings, "119")
    request["json"]["model"] = MODEL
    answer = ask(SimulatedMindRouter(one_fault("server_error")), request, KEY, over_http=False)
    assert (answer.status_code, answer.json()) == (500, recorded["body"])
    assert header_names(answer.headers) == header_names(recorded["headers"])


def test_request_id_is_echoed(recordings: Path) -> None:
    request, recorded = recording(recordings, "42")
    answer = ask(SimulatedMindRouter(ONE), request, KEY, over_http=False)
    assert answer.headers["x-request-id"] == recorded["headers"]["x-request-id"]


def test_other_key_header_is_accepted(recordings: Path) -> None:
    request, recorded = recording(recordings, "11")
    request["headers"]["X-API-Key"] = KEY
    answer = ask(SimulatedMindRouter(NONE), request, "", over_http=False)
    assert (answer.status_code, answer.json()) == (recorded["status"], recorded["body"])
