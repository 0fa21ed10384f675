"""A server that nobody should reach: HTTP on 8000; on UDP 53 whatever comes is answered, and told."""

from __future__ import annotations

import socket
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


def answer_datagrams() -> None:
    """Answer each datagram with itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("", 53))
        while True:
            data, peer = server.recvfrom(512)
            sys.stdout.write(f"datagram from {peer[0]}\n")
            sys.stdout.flush()
            server.sendto(data, peer)


threading.Thread(target=answer_datagrams, daemon=True).start()
ThreadingHTTPServer(("", 8000), SimpleHTTPRequestHandler).serve_forever()
