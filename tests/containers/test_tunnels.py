"""compose.cloudflare.yaml and compose.tailscale.yaml: whose address counts, and that nothing is published.

The containers of Cloudflare and Tailscale are stood in for (tunnel.py): shown is what lies behind them.
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.containers.deployments import DOMAIN, Deployment, deployed
from tests.containers.engine import run_docker
from tests.containers.images import Images
from tests.containers.operating import execute, logs
from tests.containers.waiting import until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

CONTAINERS = {"cloudflare": "cloudflared", "tailscale": "tailscale"}
TOKENS = {"cloudflare": "CLOUDFLARE_TOKEN", "tailscale": "TAILSCALE_KEY"}
OWNERS = {"cloudflare": 65532, "tailscale": 0}


@dataclass(frozen=True)
class Tunnelled:
    up: Deployment
    container: str
    token: str
    visitor: str
    """The one address that may call."""

    def ask(self, who: str, path: str = "/jobs", *headers: str, port: int = 8000) -> tuple[int, str]:
        """What somebody on the internet is answered: the status, and where it leads on."""
        words = [f"Host: {DOMAIN}", f"Authorization: Bearer {self.up.credentials.token}", *headers]
        options = [part for each in words for part in ("--header", each)]
        form = ["--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}"]
        url = f"http://edge:{port}{path}"
        said = execute(self.up, who, "curl", "--silent", "--max-time", "30", *form, *options, url)
        status, _, location = said.partition(" ")
        return int(status), location


def a_network() -> ipaddress.IPv4Network:
    """One of the networks for measurements (RFC 2544), of which no private network is a part."""
    networks = list(ipaddress.ip_network("198.18.0.0/15").subnets(new_prefix=28))
    return secrets.choice(networks)  # another one for whoever runs beside this


@pytest.fixture(scope="module", params=sorted(CONTAINERS))
def tunnelled(
    request: pytest.FixtureRequest,
    images: Images,
    project_root: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tunnelled]:
    name, token, network = request.param, secrets.token_hex(24), a_network()
    folder = tmp_path_factory.mktemp(name)
    folder.chmod(0o755)
    file = folder / "token"
    file.write_text(f"{token}\n")
    if os.geteuid() == 0:
        os.chown(file, OWNERS[name], OWNERS[name])
        file.chmod(0o400)
    others, own = network.subnets(prefixlen_diff=1)
    settings = {
        TOKENS[name]: str(file),
        "TUNNEL": str(project_root / "tests/containers/tunnel.py"),
        "RUNNER_IMAGE": images.runner,
        "OUTSIDE": str(network),
        "OTHERS": str(others),
        "VISITOR": str(own[1]),
        "EVALHOOK_ALLOWED_IPS": str(own[1]),
        "EVALHOOK_PUBLIC_URL": f"https://{DOMAIN}",
    }
    overlays = [f"docker/compose.{name}.yaml", f"tests/containers/compose.{name}.yaml"]

    def await_answer(up: Deployment) -> None:
        made.append(Tunnelled(up, CONTAINERS[name], token, str(own[1])))
        until(lambda: made[0].ask("visitor", "/health")[0] == 200, seconds=60, what="an answer by the tunnel")

    made: list[Tunnelled] = []
    with deployed(images, project_root, settings=settings, overlays=overlays, await_answer=await_answer):
        yield made[0]


def test_the_address_that_counts_is_the_visitors_own(tunnelled: Tunnelled) -> None:
    assert tunnelled.ask("visitor")[0] == 200
    assert tunnelled.ask("stranger")[0] == 403
    # The operator is told the address to add.
    (container,) = json.loads(run_docker("inspect", tunnelled.up.container("stranger")))
    (place,) = container["NetworkSettings"]["Networks"].values()
    lines = [
        json.loads(line) for line in logs(tunnelled.up, "hook").splitlines() if "request_refused" in line
    ]
    assert [line["client"] for line in lines] == [place["IPAddress"]]


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Cf-Connecting-Ip", "X-Real-Ip", "True-Client-Ip", "Forwarded"]
)
def test_an_address_that_a_stranger_claims_does_not_count(tunnelled: Tunnelled, header: str) -> None:
    claimed = f"for={tunnelled.visitor}" if header == "Forwarded" else tunnelled.visitor
    assert tunnelled.ask("stranger", "/jobs", f"{header}: {claimed}", "X-Forwarded-Proto: https")[0] == 403


def test_what_a_visitor_claims_does_not_lock_him_out(tunnelled: Tunnelled) -> None:
    assert tunnelled.ask("visitor", "/jobs", "X-Forwarded-For: 203.0.113.9")[0] == 200


def test_plain_http_is_only_sent_on_to_https(tunnelled: Tunnelled) -> None:
    answered = tunnelled.ask("visitor", "/health?a=1", port=8001)
    assert answered == (308, f"https://{DOMAIN}/health?a=1")


def test_nothing_is_published_on_this_machine(tunnelled: Tunnelled) -> None:
    for service in ("hook", "caddy", tunnelled.container):
        (container,) = json.loads(run_docker("inspect", tunnelled.up.container(service)))
        assert container["HostConfig"]["PortBindings"] in ({}, None)


def test_the_tunnels_secret_is_a_file_of_its_own_container(tunnelled: Tunnelled) -> None:
    assert f"connected with a token of {len(tunnelled.token)} characters" in logs(
        tunnelled.up, tunnelled.container
    )
    for service in ("hook", "caddy", tunnelled.container):
        assert tunnelled.token not in run_docker("inspect", tunnelled.up.container(service))
    assert "tunnel" not in execute(tunnelled.up, "hook", "ls", "/run/secrets")


def test_the_tunnel_reaches_caddy_and_not_the_service(tunnelled: Tunnelled) -> None:
    (hook,) = json.loads(run_docker("inspect", tunnelled.up.container("hook")))
    (tunnel,) = json.loads(run_docker("inspect", tunnelled.up.container(tunnelled.container)))
    networks = [set(each["NetworkSettings"]["Networks"]) for each in (hook, tunnel)]
    assert not networks[0] & networks[1]
