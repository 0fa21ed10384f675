"""A server that costs next to no time: one model, one answer, after a while. In a process of its own.

For what is held against the ideal: a simulated MindRouter checks, counts and streams, for 3 ms of CPU time a
call, which sixteen calls at once wait for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from process import MODEL

LENGTH = re.compile(rb"\ncontent-length: *(\d+)", re.IGNORECASE)


@contextmanager
def bare_server(latency: float, answer: str) -> Iterator[str]:
    """Serve while the block runs, each call answered `latency` seconds after it came; gives the address."""
    command = [sys.executable, __file__, "--latency", str(latency), "--answer", answer]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.terminate()


class Connection(asyncio.Protocol):
    """Answers requests one after the other, as HTTP/1.1 has it."""

    def __init__(self, latency: float, answer: str) -> None:
        self._latency = latency
        choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 500, "completion_tokens": 300, "total_tokens": 800}
        completion = {"id": "x", "object": "chat.completion", "created": 1, "model": MODEL}
        self._completion = as_response(completion | {"choices": [choice], "usage": usage})
        self._models = as_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection to answer on."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a request once all of it has come; a client sends no second one before."""
        self._came += data
        head, mark, rest = self._came.partition(b"\r\n\r\n")
        found = LENGTH.search(head)
        size = int(found[1]) if found else 0
        if not mark or len(rest) < size:
            return
        self._came = rest[size:]
        if head.startswith(b"POST"):
            asyncio.get_running_loop().call_later(self._latency, self._write, self._completion)
        else:
            self._write(self._models)

    def _write(self, response: bytes) -> None:
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.write(response)


def as_response(value: object) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def serve(latency: float, answer: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(latency, answer), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, required=True)
    parser.add_argument("--answer", required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.latency, options.answer))
