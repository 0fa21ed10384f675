"""Stands in for cloudflared (arguments `tunnel run`) and for Tailscale's container (no arguments).

Neither image can be had in the tests. It takes its key or token from where the real one does, and forwards as
its vendor describes: port 8000 is HTTPS at the tunnel's far end, 8001 plain HTTP; who connects visits.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded")
Headers = dict[str, str]


def cloudflare() -> str:
    """Where the dashboard sends the hostname; the token is read as TUNNEL_TOKEN_FILE says."""
    token = Path(os.environ["TUNNEL_TOKEN_FILE"]).read_text().strip()
    sys.stdout.write(f"connected with a token of {len(token)} characters\n")
    return "http://caddy:80"


def tailscale() -> str:
    """Where the serve configuration leads; key, state and socket are where the settings say."""
    kind, _, file = os.environ["TS_AUTHKEY"].partition(":")
    key = Path(file).read_text().strip() if kind == "file" else ""
    sys.stdout.write(f"connected with a token of {len(key)} characters\n")
    (Path(os.environ["TS_STATE_DIR"]) / "tailscaled.state").write_text("{}")
    Path(os.environ["TS_SOCKET"]).write_text("")
    text = Path(os.environ["TS_SERVE_CONFIG"]).read_text().replace("${TS_CERT_DOMAIN}", "evaluator.test")
    serve, site = json.loads(text), "evaluator.test:443"
    if not (serve["TCP"]["443"]["HTTPS"] and serve["AllowFunnel"][site]):
        sys.exit("nothing is served")
    return str(serve["Web"][site]["Handlers"]["/"]["Proxy"])


def by_cloudflare(headers: Headers, visitor: str, scheme: str) -> Headers:
    """Cf-Connecting-Ip is written over, X-Forwarded-For appended to."""
    claimed = headers.get("x-forwarded-for")
    listed = f"{claimed}, {visitor}" if claimed else visitor
    own = {"cf-connecting-ip": visitor, "x-forwarded-for": listed, "x-forwarded-proto": scheme}
    return headers | own


def by_tailscale(headers: Headers, visitor: str, scheme: str) -> Headers:
    """What a visitor claims of forwarding is dropped."""
    kept = {name: value for name, value in headers.items() if name not in FORWARDED}
    own = {"x-forwarded-for": visitor, "x-forwarded-host": headers["host"]}
    return kept | own | ({"x-forwarded-proto": "https"} if scheme == "https" else {})


IS_CLOUDFLARE = sys.argv[1:] == ["tunnel", "run"]
TARGET = cloudflare() if IS_CLOUDFLARE else tailscale()


class Edge(BaseHTTPRequestHandler):
    """Forwards one request."""

    def do_GET(self) -> None:
        """Forward it."""
        assert isinstance(self.server, ThreadingHTTPServer)
        scheme = "https" if self.server.server_port == 8000 else "http"
        headers = {
            name.lower(): value for name, value in self.headers.items() if name.lower() != "connection"
        }
        write = by_cloudflare if IS_CLOUDFLARE else by_tailscale
        onward = HTTPConnection(urlsplit(TARGET).netloc, timeout=30)
        onward.request("GET", self.path, headers=write(headers, self.client_address[0], scheme))
        answer = onward.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        onward.close()


sys.stdout.flush()
threading.Thread(target=ThreadingHTTPServer(("", 8001), Edge).serve_forever, daemon=True).start()
ThreadingHTTPServer(("", 8000), Edge).serve_forever()
