"""compose.closed.yaml: the main job goes through, and nothing else of the service does, names included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.containers.certificates import Authority, write
from tests.containers.deployments import REPOSITORY, Deployment, deployed
from tests.containers.engine import run_docker
from tests.containers.images import Images, built_image
from tests.containers.operating import execute, finished, logs
from tests.containers.outside import counted, run_outside, started

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

OVERLAYS = ["docker/compose.closed.yaml", "tests/containers/compose.closed.yaml"]
SKILL = "award-notice-terms"
FIRST_ENGINE_WITHOUT_THE_HOST = 28
FRONT = """
{
	admin off
	auto_https off
}

https://github.test {
	tls /front/fullchain.pem /front/privkey.pem
	reverse_proxy github:8000
}

https://mindrouter.test {
	tls /front/fullchain.pem /front/privkey.pem
	reverse_proxy mindrouter:8000
}
"""
TRY = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def outcome(way):
    what, *words = way
    try:
        return globals()[what](*words)
    except OSError as error:
        return f"no: {error}"

def connect(host, port):
    socket.create_connection((host, int(port)), timeout=5).close()
    return "yes"

def datagram(host):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.sendto(b"what is the name?", (host, 53))
        asking.recv(512)
    return "yes"

def resolve(name):
    socket.getaddrinfo(name, 443)
    return "yes"

def tunnel(proxy, target):
    host, port = proxy.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as asking:
        asking.sendall(f"CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n".encode())
        return asking.recv(4096).split(b"\\r\\n")[0].decode()

def fetch(proxy, url):
    host, port = proxy.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as asking:
        asking.sendall(f"GET {url} HTTP/1.0\\r\\n\\r\\n".encode())
        return asking.recv(4096).split(b"\\r\\n")[0].decode()

# All at once, since each that leads nowhere takes its whole time.
ways = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(ways)) as pool:
    print(json.dumps(list(pool.map(outcome, ways))))
"""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What lends GitHub and MindRouter their TLS: certificate, its authority and Caddy's configuration."""
    folder = tmp_path_factory.mktemp("front")
    folder.chmod(0o755)
    authority = Authority()
    authority.write_certificate(folder, "github.test", "mindrouter.test")
    write(folder / "authority.crt", authority.pem)
    write(folder / "Caddyfile", FRONT.encode())
    return folder


@pytest.fixture(scope="module")
def up(images: Images, project_root: Path, base: list[str], front: Path) -> Iterator[Deployment]:
    settings = {
        "FRONT": str(front),
        "ELSEWHERE": str(project_root / "tests/containers/elsewhere.py"),
        "MINDROUTER_BASE_URL": "https://mindrouter.test",
        "EVALHOOK_GITHUB_API_URL": "https://github.test/api/v3",
        "EVALHOOK_PROMPT_LIBRARY_URL": f"https://github.test/{REPOSITORY}.git",
        "EVALHOOK_DATA_SETS_URL": "https://github.test/sample/data-sets.git",
        "EVALHOOK_OUTGOING_HOSTS": "github.test",
        "EVALHOOK_ALLOW_HTTP": "",
    }
    with built_image(project_root, "proxy", base, "docker") as proxy:
        settings["PROXY_IMAGE"] = proxy
        with deployed(images, project_root, settings=settings, overlays=OVERLAYS) as made:
            yield made


def tried(up: Deployment, service: str, *ways: tuple[str, ...]) -> list[str]:
    """What becomes of each attempt from within a service's container."""
    told: list[str] = json.loads(execute(up, service, "python3", "-I", "-c", TRY, json.dumps(ways)))
    return told


def addresses(up: Deployment) -> dict[tuple[str, str], str]:
    """By service and network, as the engine gave them."""
    found = {}
    for service in ("mindrouter", "github", "caddy", "proxy", "front", "elsewhere"):
        (container,) = json.loads(run_docker("inspect", up.container(service)))
        for network, place in container["NetworkSettings"]["Networks"].items():
            found[service, network.removeprefix(f"{up.project}_")] = place["IPAddress"]
    return found


def test_the_main_job_goes_through_to_the_pull_request(up: Deployment, project_root: Path) -> None:
    job = finished(up, started(up, project_root, SKILL_NAME=SKILL, REPLICATES="1"))
    assert job["status"] == "completed", job
    assert {model["status"] for model in job["result"]["models"]} == {"complete"}
    assert counted(up).answered.total() == job["progress"]["total"] > 0
    with up.github() as github:
        (pull,) = github.get("/pulls").json()
    assert pull["head"]["ref"] == job["result"]["branch"]
    assert httpx.URL(job["result"]["pull_request_url"]).path.endswith(f"/pull/{pull['number']}")


CLONE_AND_PUSH = f"""
git clone --quiet --depth=1 https://x-access-token:$TOKEN@github.test/{REPOSITORY}.git /tmp/library
cd /tmp/library && git config user.name x && git config user.email x@example.org
git commit --quiet --allow-empty --message=Empty && git push --quiet origin HEAD:refs/heads/pushed
git ls-remote origin pushed && git rev-parse HEAD
"""


def test_the_runner_clones_and_pushes_over_https(up: Deployment, front: Path) -> None:
    """By git's own TLS, which is of another make than the service's and evalcli's."""
    trusting = {"GIT_SSL_CAINFO": "/front/authority.crt", "TOKEN": up.credentials.actions_token}
    bash = ["bash", "-euo", "pipefail", "-c", CLONE_AND_PUSH]
    mounted = ["--volume", f"{front}:/front:ro"]
    done = run_outside(up, *bash, environment=trusting, options=mounted, network="to-github")
    assert done.code == 0, done.said
    remote, _, local = done.out.split()
    assert remote == local
    # Who is not known by the authority that is given is not asked.
    untrusting = {**trusting, "GIT_SSL_CAINFO": "/etc/ssl/certs/ca-certificates.crt"}
    done = run_outside(up, *bash, environment=untrusting, options=mounted, network="to-github")
    assert done.code != 0
    assert "certificate" in done.said


def test_the_service_reaches_nothing_on_any_other_network(up: Deployment) -> None:
    found = addresses(up)
    ways = [
        ("connect", found["elsewhere", "outside"], "8000"),
        ("connect", found["mindrouter", "vpn"], "8000"),
        ("connect", found["github", "outside"], "8000"),
        ("connect", found["github", "to-github"], "8000"),
        ("connect", found["front", "vpn"], "443"),
        ("connect", found["caddy", "outside"], "443"),
        ("connect", found["proxy", "outside"], "3128"),
        ("datagram", found["elsewhere", "outside"]),
        ("connect", "elsewhere.test", "8000"),
    ]
    said = logs(up, "elsewhere")
    assert [each[:3] for each in tried(up, "hook", *ways)] == ["no:"] * len(ways)
    assert logs(up, "elsewhere") == said
    # Each of them is there, for who may: the same attempts on the way that is closed.
    reached = run_docker(
        "run", "--rm", "--network", up.network("outside"), "--entrypoint", "python3", up.images.hook,
        "-I", "-c", TRY, json.dumps([way for way in ways if found["mindrouter", "vpn"] not in way
                                    and found["github", "to-github"] not in way
                                    and found["front", "vpn"] not in way]),
    )  # fmt: skip
    assert json.loads(reached) == ["yes"] * 6
    assert "datagram from" in logs(up, "elsewhere")


def test_the_service_can_look_up_no_name_but_those_of_its_own_network(up: Deployment) -> None:
    names = [("resolve", name) for name in ("proxy", "caddy", "elsewhere.test", "carried-out.example.org")]
    known, alike, elsewhere, outside = tried(up, "hook", *names)
    assert (known, alike) == ("yes", "yes")
    assert elsewhere.startswith("no:")
    assert outside.startswith("no:")


def test_the_proxy_leads_to_the_hosts_that_are_listed_and_to_no_other(up: Deployment) -> None:
    found = addresses(up)
    targets = {
        "github.test:443": "200",
        "mindrouter.test:443": "200",
        "github.test:22": "403",
        "elsewhere.test:443": "403",
        "github.test.elsewhere.test:443": "403",
        f"{found['front', 'vpn']}:443": "403",
        f"{found['elsewhere', 'outside']}:443": "403",
    }
    said = tried(up, "hook", *(("tunnel", "proxy:3128", target) for target in targets))
    assert {target: line.split()[1] for target, line in zip(targets, said, strict=True)} == targets
    (plain,) = tried(up, "hook", ("fetch", "proxy:3128", "http://elsewhere.test:8000/"))
    assert plain.split()[1] == "403"
    # Who may not is named to the operator.
    assert 'refused on filtered domain "elsewhere.test"' in logs(up, "proxy")


def test_the_machine_itself_has_no_address_there(up: Deployment) -> None:
    (network,) = json.loads(run_docker("network", "inspect", up.network("default")))
    assert network["Internal"]
    assert network["Options"]["com.docker.network.bridge.gateway_mode_ipv4"] == "isolated"
    # Older engines do not know the option and leave the machine its address: docs/operations.md says so.
    engine = run_docker("version", "--format", "{{.Server.Version}}")
    if int(engine.split(".")[0]) >= FIRST_ENGINE_WITHOUT_THE_HOST:
        subnet: dict[str, Any] = network["IPAM"]["Config"][0]
        gateway = subnet.get("Gateway") or f"{subnet['Subnet'].rsplit('.', 1)[0]}.1"
        assert tried(up, "hook", ("connect", gateway, str(up.https_port)))[0].startswith("no:")
