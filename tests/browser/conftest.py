"""Headless Chromium, driven through its own protocol over a pipe: no driver, no port."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
# Chromium reads its orders from descriptor 3 and answers on 4.
LAUNCH = 'in=$1 out=$2; shift 2; eval "exec \\"\\$@\\" 3<&$in 4>&$out"'


class Browser:
    """One tab."""

    def __init__(self, orders: int, answers: int) -> None:
        self._orders, self._answers = orders, os.fdopen(answers, "rb")
        self._count = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        self._session = None
        with suppress(EOFError, OSError):
            self.call("Browser.close")
        os.close(self._orders)
        self._answers.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give an order and wait for its answer; what happens meanwhile is in `events`."""
        self._count += 1
        order = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None:
            order["sessionId"] = self._session
        os.write(self._orders, json.dumps(order).encode() + b"\0")
        while (message := self._read()).get("id") != self._count:
            self.events.append(message)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def open(self, url: str) -> None:
        """Go to an address and wait until it is loaded."""
        self.doing(lambda: self.call("Page.navigate", url=url))

    def doing(self, action: Callable[[], object]) -> None:
        """Do what makes the browser load a page, and wait until it is loaded."""
        self.events.clear()
        action()
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def run(self, script: str) -> Any:
        """Evaluate JavaScript, promises included."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self) -> str:
        """What a reader sees."""
        seen: str = self.run("document.body.innerText")
        return seen

    def until(self, condition: str) -> None:
        """Wait until JavaScript is true, in the page itself and so without asking again and again."""
        wait = (
            f"new Promise((done) => {{ const look = () => ({condition}) ? done(true) : setTimeout(look, 20); "
            "look(); setTimeout(() => done(false), 30000); })"
        )
        assert self.run(wait) is True, f"{condition} did not come true in:\n{self.text()}"

    def complaints(self) -> list[str]:
        """What the browser itself found wrong, such as a breach of the page's own policy."""
        entries = [
            event["params"]["entry"] for event in self.events if event.get("method") == "Log.entryAdded"
        ]
        return [entry["text"] for entry in entries if entry["level"] == "error"]

    def _read(self) -> dict[str, Any]:
        data = b""
        while not data.endswith(b"\0"):
            byte = self._answers.read(1)
            if not byte:
                raise EOFError("the browser is gone")
            data += byte
        message: dict[str, Any] = json.loads(data[:-1])
        return message


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A fresh browser; skipped where there is none, unless EVALUATOR_REQUIRE=all."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        if os.environ.get("EVALUATOR_REQUIRE") == "all":
            pytest.fail("Chromium is required here (EVALUATOR_REQUIRE=all): install the package chromium")
        pytest.skip("needs Chromium")
    orders_in, orders_out = os.pipe()
    answers_in, answers_out = os.pipe()
    command = [program, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "about:blank"]
    process = subprocess.Popen(
        ["bash", "-c", LAUNCH, "bash", str(orders_in), str(answers_out), *command],
        pass_fds=(orders_in, answers_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(orders_in)
    os.close(answers_out)
    try:
        tab = Browser(orders_out, answers_in)
        yield tab
        tab.close()
        process.wait(timeout=20)
    finally:
        process.kill()
        process.wait()
