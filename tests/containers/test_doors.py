"""Who gets in, and how far: through Caddy, past it, and out of a container that somebody has taken over."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.containers.deployments import DOMAIN, Deployment
from tests.containers.operating import execute
from tests.containers.outside import counted, dispatch, run_outside

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

SKILL = "award-notice-terms"
CONFINED = ("hook", "caddy")
NET_BIND_SERVICE = 1 << 10


@pytest.fixture(scope="module")
def service(deployment: Deployment) -> Iterator[httpx.Client]:
    with deployment.client() as client:
        yield client


@pytest.fixture(scope="module", autouse=True)
def nothing_is_evaluated(deployment: Deployment) -> Iterator[None]:
    """Whatever comes to these doors, no model is called for it."""
    before = counted(deployment).requests
    yield
    assert counted(deployment).requests == before


# Through Caddy


@pytest.mark.parametrize(
    ("inputs", "title"),
    [
        ({"MINDROUTER_EVAL_WEBHOOK_TOKEN": "x" * 48}, "The service refused (HTTP 401)"),
        ({"SKILL_NAME": "no-such-skill"}, "The service refused (HTTP 404)"),
        ({"REPLICATES": "101"}, "The service refused (HTTP 400)"),
        ({"EVAL_WEBHOOK_URL": f"http://{DOMAIN}"}, "Unsafe address"),
    ],
)
def test_trigger_is_red_and_says_why(
    deployment: Deployment, project_root: Path, inputs: dict[str, str], title: str
) -> None:
    done = dispatch(deployment, project_root, **{"SKILL_NAME": SKILL, **inputs})
    assert done.code == 1
    assert f"::error title={title}::" in done.said


def test_trigger_trusts_no_authority_but_those_it_knows(deployment: Deployment, project_root: Path) -> None:
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    done = dispatch(deployment, project_root, SKILL_NAME=SKILL, CURL_CA_BUNDLE=bundle)
    assert done.code == 1
    assert "::error title=The service did not answer::" in done.said
    assert "certificate" in done.said


def test_wrong_token_is_refused(service: httpx.Client) -> None:
    answer = service.post("/evaluate", json={"skill_name": SKILL}, headers={"Authorization": "Bearer no"})
    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "server" not in answer.headers


def test_plain_http_is_only_sent_on_to_https(deployment: Deployment) -> None:
    url = f"http://127.0.0.1:{deployment.http_port}/health?a=1"
    answer = httpx.get(url, headers={"Host": DOMAIN}, trust_env=False, timeout=60)
    assert answer.status_code == httpx.codes.PERMANENT_REDIRECT
    assert answer.headers["location"] == f"{deployment.public_url}/health?a=1"


def test_right_token_over_plain_http_evaluates_nothing(deployment: Deployment) -> None:
    url = f"http://127.0.0.1:{deployment.http_port}/evaluate"
    headers = {"Host": DOMAIN, "Authorization": f"Bearer {deployment.credentials.token}"}
    answer = httpx.post(url, json={"skill_name": SKILL}, headers=headers, trust_env=False, timeout=60)
    assert answer.status_code == httpx.codes.PERMANENT_REDIRECT


def test_another_name_than_the_sites_is_not_answered(deployment: Deployment) -> None:
    context = ssl.create_default_context(cafile=str(deployment.authority))
    where = ("127.0.0.1", deployment.https_port)
    with socket.create_connection(where, timeout=20) as made, pytest.raises(ssl.SSLError, match="alert"):
        context.wrap_socket(made, server_hostname="another.test")


@pytest.mark.parametrize("size", [5_000, 100_000])
def test_oversized_body_is_refused_before_it_is_read(
    deployment: Deployment, service: httpx.Client, size: int
) -> None:
    headers = {
        "Authorization": f"Bearer {deployment.credentials.token}",
        "Content-Type": "application/json",
    }
    answer = service.post("/evaluate", content=b'"' + b"x" * size + b'"', headers=headers)
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


def test_no_protocol_is_offered_whose_port_is_not_published(service: httpx.Client) -> None:
    assert "alt-svc" not in service.get("/health").headers


# Past Caddy

REACH = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def reaches(place):
    host, port = place
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError as error:
        return type(error).__name__
    return "reached"

places = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(places)) as pool:
    print(json.dumps(list(pool.map(reaches, places))))
"""
PORTS = {"hook": (8080, 9090), "mindrouter": (8000,)}


def addresses(docker: Any, deployment: Deployment, service: str) -> list[str]:
    """Where a container is: its name, and its address on each of its networks."""
    (found,) = json.loads(docker("inspect", deployment.container(service)))
    networks = found["NetworkSettings"]["Networks"].values()
    return [service, *(network["IPAddress"] for network in networks)]


def test_from_outside_nobody_reaches_the_service_or_mindrouter_but_through_caddy(
    deployment: Deployment, docker: Any
) -> None:
    open_to_all = [[DOMAIN, 443], [DOMAIN, 80], ["github", 8000]]
    closed = [
        [address, port]
        for service, ports in PORTS.items()
        for address in addresses(docker, deployment, service)
        for port in ports
    ]
    assert len(closed) == 2 * 4 + 2
    done = run_outside(deployment, "python3", "-I", "-c", REACH, json.dumps(open_to_all + closed))
    found = json.loads(done.out)
    # What can be reached is reached by the same means, from the same container.
    assert found[: len(open_to_all)] == ["reached"] * len(open_to_all)
    assert "reached" not in found[len(open_to_all) :], list(zip(closed, found[3:], strict=True))


def test_nothing_but_caddy_is_published_on_the_machine(deployment: Deployment, docker: Any) -> None:
    published = {}
    for service in ("hook", "caddy", "mindrouter"):
        (found,) = json.loads(docker("inspect", deployment.container(service)))
        published[service] = sorted(found["HostConfig"]["PortBindings"] or {})
    assert published == {"hook": [], "caddy": ["443/tcp", "80/tcp"], "mindrouter": []}


def test_mindrouter_and_the_service_are_alone_on_their_network(deployment: Deployment, docker: Any) -> None:
    (vpn,) = json.loads(docker("network", "inspect", deployment.network("vpn")))
    there = {container["Name"] for container in vpn["Containers"].values()}
    assert there == {deployment.container("hook"), deployment.container("mindrouter")}
    assert vpn["Internal"] is True


# From inside


def of_first_process(deployment: Deployment, service: str, file: str) -> str:
    """A file of /proc about a container's first process, read from beside it: Caddy's image has no shell."""
    beside = ["--pid", f"container:{deployment.container(service)}", "--user", "0", "--cap-add", "SYS_PTRACE"]
    return run_outside(deployment, "cat", f"/proc/1/{file}", options=beside).out


@pytest.mark.parametrize("service", CONFINED)
def test_a_container_has_no_powers_and_can_get_none(deployment: Deployment, service: str) -> None:
    lines = of_first_process(deployment, service, "status").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    allowed = NET_BIND_SERVICE if service == "caddy" else 0
    for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
        assert int(status[name], 16) & ~allowed == 0, name
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("service", CONFINED)
def test_a_container_is_bounded_in_memory_cpu_and_processes(
    deployment: Deployment, service: str, docker: Any
) -> None:
    (found,) = json.loads(docker("inspect", deployment.container(service)))
    for bound in ("Memory", "NanoCpus", "PidsLimit"):
        assert found["HostConfig"][bound] > 0


WRITABLE = {
    "hook": {"/tmp", "/var/lib/evaluator/state", "/var/lib/evaluator/clones"},
    "caddy": {"/tmp", "/data", "/config"},
}
THE_ENGINES = {"/etc/resolv.conf", "/etc/hostname", "/etc/hosts"}
"""Files that the engine mounts; only root may write to them."""
THE_KERNELS = re.compile(r"/(proc|sys|dev)(/|$)")


@pytest.mark.parametrize("service", CONFINED)
def test_a_container_can_write_to_its_volumes_alone(deployment: Deployment, service: str) -> None:
    mounts = [line.split() for line in of_first_process(deployment, service, "mounts").splitlines()]
    writable = {place for _, place, _, options, *_ in mounts if "rw" in options.split(",")}
    assert {place for place in writable - THE_ENGINES if not THE_KERNELS.match(place)} == WRITABLE[service]


def test_not_even_root_inside_can_change_the_program(deployment: Deployment) -> None:
    target = "/opt/evaluator/own/evalhook/main.py"
    script = f"echo >>{target} || echo refused; touch /usr/bin/new || echo refused"
    said = execute(deployment, "hook", "bash", "-c", f"({script}) 2>&1", user="0")
    assert said.count("refused") == 2
