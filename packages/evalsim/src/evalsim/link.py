"""A network link to a server, over which a test has power: up, down (refused and cut), or silent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from evalsim.serving import address, listen

PIECE: Final = 2**16


class Link:
    """Passes connections on to a server on this machine; made by `linked`. Its methods are for any thread."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._port = 0
        self.url = ""

    def down(self) -> None:
        """Cut every connection and refuse new ones, as a server that is not running does."""
        self._do(self._down)

    def silent(self) -> None:
        """Pass nothing on, in either direction, and report nothing; new connections wait."""
        self._do(self._flows.clear)

    def up(self) -> None:
        """Pass on again what comes, and what came meanwhile."""
        asyncio.run_coroutine_threadsafe(self._up(), self._loop).result(10)

    def _do(self, what: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(what)

    def _down(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in list(self._ends):
            # Aborted: the other side is to see a connection that broke, not one that ended.
            end.transport.abort()

    async def _up(self) -> None:
        self._flows.set()
        if self._server is None:
            # The same port each time: whoever was cut off finds the server again at the address that he has.
            bound = listen("127.0.0.1", self._port)
            self._port, self.url = bound.getsockname()[1], address(bound)
            self._server = await asyncio.start_server(self._pass_on, sock=bound)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:
            # It was taken before the link went down, and comes to its turn only now.
            writer.transport.abort()
            return
        self._ends.add(writer)
        try:
            beyond, onward = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            self._ends.discard(writer)
            return
        if writer.transport.is_closing():
            # The link went down while the other side was reached.
            onward.transport.abort()
            self._ends.discard(writer)
            return
        self._ends.add(onward)
        try:
            await asyncio.gather(self._pump(reader, onward), self._pump(beyond, writer))
        finally:
            for end in (writer, onward):
                end.transport.abort()
                self._ends.discard(end)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(PIECE):
                # After reading, not before: what was on its way when the link fell silent arrives once it is
                # up again.
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
            await self._flows.wait()
        # one side's end is the connection's: HTTP has no use for a half of one
        sink.close()

    def run(self, ready: threading.Event) -> None:
        """Serve until `stop`."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._up())
        ready.set()
        self._loop.run_forever()
        self._down()
        # Or a test would be told of tasks that were destroyed while they waited.
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    def stop(self) -> None:
        """End it."""
        self._do(self._loop.stop)


@contextmanager
def linked(url: str) -> Iterator[Link]:
    """Lay a link to the server at `url` while the block runs."""
    link, ready = Link(int(url.rpartition(":")[2])), threading.Event()
    thread = threading.Thread(target=link.run, args=(ready,), name=f"link to {url}", daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError(f"no link to {url}")
    try:
        yield link
    finally:
        link.stop()
        thread.join(10)
