"""Every command of docs/operations.md and docs/runbook.md, run as its operator runs it, who is not root.

The pages are played from the first command of *Install* to the last of the runbook, on two VMs; at the end no
console block is left that was not run, so that what is added to a page fails here until it is played.

The commands are as on the page, but for PLACEHOLDERS and ELSEWHERE. What they meet is not the real thing
where that cannot be had: evaluator.example.org is a free port of this machine (~/.curlrc), for want of a DNS
name; a public authority is Caddy's own (CADDY_TLS=internal, trusted by CURL_CA_BUNDLE), since none would sign
that name; MindRouter and GitHub are simulated ones, in processes of this machine.
"""

from __future__ import annotations

import json
import secrets
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import structs
from tests.containers.engine import free_ports, run_docker
from tests.containers.images import BUILD_SECONDS, Images
from tests.containers.operator_machine import USER, Block, Machine, console_blocks, machine
from tests.containers.waiting import until

from evalsim.github.app import API, SimulatedGitHub
from evalsim.library import as_git, write_sample_data_sets, write_sample_library
from evalsim.mindrouter import AnswerBook, SimulatedMindRouter, default_config
from evalsim.serving import running

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

PAGES = ("operations.md", "runbook.md")
DOMAIN = "evaluator.example.org"
LIBRARY, DATA_SETS = "sample/prompt-library", "sample/data-sets"
HOST = "host.docker.internal"
"""This machine, as a container sees it: docker/compose.yaml gives it the name."""
SKILL = "award-notice-terms"
OTHERS = ("openai/gpt-oss-120b", "qwen/qwen3.5-122b", "google/gemma-3-27b-it")
"""Of the library's models, all but the fourth."""
UP = 7
"""The place of `up` among the commands of *Install*."""
BEGIN = "-----BEGIN CERTIFICATE-----"
AS_AUTHOR = "-c user.name=Author -c user.email=author@example.org"

PLACEHOLDERS = {
    "https://github.com/OWNER/evaluator.git": "a repository in a folder: no network reaches GitHub here",
    "COMMIT": "ORIG_HEAD, which git pull leaves",
    "JOB_ID": "the job that the block is about",
}
"""What is put in place of what in a command."""
UP_WITH = "docker compose --file docker/compose.yaml --file docker/compose.{}.yaml up --detach --build --wait"
ELSEWHERE = {
    UP_WITH.format("cloudflare"): "Cloudflare's image cannot be had; test_tunnels.py, with one in its place",
    UP_WITH.format("tailscale"): "nor Tailscale's; the same",
    UP_WITH.format("monitoring"): "nor Prometheus' and Grafana's; test_alerts.py, test_compose_files.py",
    UP_WITH.format("closed"): "its outside is not this machine, which it keeps out; test_closed.py",
    "docker compose --file docker/compose.yaml --file docker/compose.closed.yaml logs proxy": "the same",
    "docker image prune --force": "it would remove what others have on this engine",
}
"""Commands that are not run here, and why; and which tests try the same."""


@dataclass(frozen=True)
class Outside:
    """The simulated MindRouter and GitHub."""

    github: SimulatedGitHub
    github_url: str
    mindrouter_url: str
    key: str
    github_token: str

    def pulls_of(self, job: str) -> list[Any]:
        """The pull requests with a job's results."""
        return [pull for pull in self.github.state.repositories[LIBRARY].pulls if job in pull.body]

    def slow(self, seconds: float, *models: str) -> None:
        """Let each answer of these models, or of all, take so long from now on."""
        self.haste()
        faults = [{"kind": "slow", "seconds": seconds, "model": model} for model in models or (None,)]
        self._control("POST", "faults", faults)

    def haste(self) -> None:
        """Answer at once."""
        self._control("DELETE", "faults")

    def answered(self) -> int:
        """How many calls have had their whole answer so far."""
        return sum(self._control("GET", "state").json()["answered"].values())

    def _control(self, method: str, name: str, value: object = None) -> httpx.Response:
        url = f"{self.mindrouter_url}/sim/{name}"
        return httpx.request(method, url, json=value, trust_env=False, timeout=60).raise_for_status()


@dataclass
class Player:
    """Runs the pages' blocks, and knows which are left."""

    blocks: dict[tuple[str, int], Block]
    outside: Outside
    origin: Path
    played: set[str] = field(default_factory=set)
    """The commands, as on the page."""

    def play(
        self, vm: Machine, heading: str, number: int = 1, *, job: str = "", some: slice = slice(None)
    ) -> str:
        """Run a block, or some of its commands; what they have said."""
        commands = self.blocks[heading, number].commands[some]
        self.played.update(commands)
        return "".join(self._run(vm, command, job) for command in commands)

    def _run(self, vm: Machine, command: str, job: str) -> str:
        typed = None
        if command.startswith("cat >") or ("/dev/stdin" in command and "|" not in command):
            typed = self.outside.key if "mindrouter" in command else self.outside.github_token
        values = (f"file://{self.origin}", "ORIG_HEAD", job)
        for placeholder, value in zip(PLACEHOLDERS, values, strict=True):
            command = command.replace(placeholder, value)
        return vm.said(command, typed if typed is None else f"{typed}\n")


@pytest.fixture(scope="module")
def operator_image(images: Images, base: list[str], project_root: Path) -> str:
    tag, folder = images.tag("operator"), project_root / "tests/containers"
    file = str(folder / "operator.Dockerfile")
    run_docker("build", *base, "--tag", tag, "--file", file, str(folder), seconds=BUILD_SECONDS)
    return tag


@pytest.fixture
def outside(operator_image: str, tmp_path: Path) -> Iterator[Outside]:
    library, data_sets = tmp_path / "library", tmp_path / "data-sets"
    write_sample_library(library)
    write_sample_data_sets(data_sets)
    as_git(library)
    as_git(data_sets)
    key, token = f"mr2_{secrets.token_hex(20)}", f"ghp_{secrets.token_hex(18)}"
    github = SimulatedGitHub(tmp_path / "github", token=token)
    github.state.add_repository(LIBRARY, library)
    github.state.add_repository(DATA_SETS, data_sets)
    book = AnswerBook.from_folders([library, data_sets])
    mindrouter = SimulatedMindRouter(structs.replace(default_config(), keys=(key,)), book)
    assert operator_image  # where there is no engine, it is what says so
    # What HOST is: reached by containers, and by nobody outside.
    gateway = run_docker(
        "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
    ).strip()
    with ExitStack() as stack:
        github_url = stack.enter_context(running(github, gateway))
        mindrouter_url = stack.enter_context(running(mindrouter, gateway))
        yield Outside(github, github_url, mindrouter_url, key, token)


@pytest.fixture
def shared(tmp_path: Path, project_root: Path) -> Path:
    """What both VMs reach: the project's repository, beside what is carried from one to the other."""
    origin = tmp_path / "shared" / "evaluator"
    origin.mkdir(parents=True)
    copy_project(project_root, origin)
    as_git(origin)
    return origin.parent


@pytest.fixture
def vms(
    operator_image: str, images: Images, tmp_path: Path, shared: Path
) -> Iterator[tuple[Machine, Machine]]:
    """The VM where the service is first, and the one that it moves to."""
    with ExitStack() as stack:
        both = []
        for name in ("old", "new"):
            folder = tmp_path / name
            folder.mkdir()
            vm = machine(operator_image, images, folder, free_ports(2), shared=shared)
            both.append(stack.enter_context(vm))
        yield both[0], both[1]


def copy_project(root: Path, folder: Path) -> None:
    """Copy the project as it is now, without what git ignores."""
    listed = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in names:
        if name and (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, folder / name)


def settings(vm: Machine, images: Images, outside: Outside) -> str:
    """The lines of docker/.env, as its operator fills it in; the last four are for many at one engine."""
    github = f"http://{HOST}:{httpx.URL(outside.github_url).port}"
    return "\n".join(
        [
            f"EVALHOOK_DOMAIN={DOMAIN}",
            f"EVALHOOK_PUBLIC_URL=https://{DOMAIN}:{vm.https_port}",
            "CADDY_TLS=internal",
            f"MINDROUTER_BASE_URL=http://{HOST}:{httpx.URL(outside.mindrouter_url).port}",
            f"EVALHOOK_GITHUB_REPO={LIBRARY}",
            f"EVALHOOK_GITHUB_API_URL={github}{API}",
            f"EVALHOOK_PROMPT_LIBRARY_URL={github}/{LIBRARY}.git",
            "EVALHOOK_DATA_SETS=/var/lib/evaluator/clones/evaluation-data-sets",
            f"EVALHOOK_DATA_SETS_URL={github}/{DATA_SETS}.git",
            "EVALHOOK_ALLOW_HTTP=1",
            f"EVALHOOK_HTTPS_PORT=127.0.0.1:{vm.https_port}",
            f"EVALHOOK_HTTP_PORT=127.0.0.1:{vm.http_port}",
            f"EVALHOOK_IMAGE={images.tag('operated')}",
            f"COMPOSE_PROJECT_NAME={vm.project}",
            "",
        ]
    )


def install(player: Player, vm: Machine, images: Images) -> None:
    """The first steps of *Install*, up to the secrets."""
    player.play(vm, "Install", some=slice(2))
    vm.run("cat >docker/.env", settings(vm, images, player.outside))
    player.play(vm, "Install", some=slice(2, UP))
    vm.run(f"echo 'connect-to = \"{DOMAIN}:443:127.0.0.1:{vm.https_port}\"' >~/.curlrc")


def authority(vm: Machine) -> str:
    """The certificate that stands for a public authority's, as soon as Caddy has made it."""
    source = f"{vm.project}-caddy-1:/data/caddy/pki/authorities/local/root.crt"
    copy = f"docker cp {source} {vm.authority} && cat {vm.authority} || true"

    def copied() -> str | None:
        said = vm.run(copy)
        return said[said.index(BEGIN) :] if BEGIN in said else None

    return until(copied, seconds=60, what="Caddy's authority")


class Service:
    """The service of a VM, as those outside call it."""

    def __init__(self, vm: Machine) -> None:
        self._vm = vm
        self._context = ssl.create_default_context(cadata=authority(vm))

    def ask(self, method: str, path: str, value: object = None) -> httpx.Response:
        """Call it with the token that its operator has."""
        token = self._vm.run("sudo cat docker/secrets/webhook_token").strip()
        with httpx.Client(verify=self._context, trust_env=False, timeout=60) as client:
            return client.request(
                method,
                f"https://127.0.0.1:{self._vm.https_port}{path}",
                json=value,
                headers={"Host": DOMAIN, "Authorization": f"Bearer {token}"},
                extensions={"sni_hostname": DOMAIN},
            )

    def evaluate(self, skill: str, replicates: int) -> str:
        """Ask for an evaluation; its job."""

        def accepted() -> httpx.Response | None:
            answer = self.ask("POST", "/evaluate", {"skill_name": skill, "replicates": replicates})
            return answer if answer.status_code == httpx.codes.ACCEPTED else None

        # The first clone may take a while, and the token is looked for anew every second.
        answer = until(accepted, seconds=60, what=f"an evaluation of {skill}")
        return str(answer.json()["job_id"])

    def ended(self, job: str) -> dict[str, Any]:
        """The job, once it has ended."""

        def told() -> dict[str, Any] | None:
            shown: dict[str, Any] = self.ask("GET", f"/jobs/{job}").raise_for_status().json()
            return shown if shown["status"] not in {"queued", "running"} else None

        return until(told, seconds=180, what=f"the end of job {job}")


def test_the_pages_lead_from_nothing_over_upgrade_restore_and_another_vm_to_the_last_of_the_runbook(
    vms: tuple[Machine, Machine], outside: Outside, images: Images, project_root: Path, shared: Path
) -> None:
    pages = [block for page in PAGES for block in console_blocks(project_root / "docs" / page)]
    blocks = {block.name: block for block in pages}
    player = Player(blocks, outside, shared / "evaluator")
    old, new = vms

    assert old.run("id --user --name").strip() == USER
    install(player, old, images)
    player.play(old, "Install", some=slice(UP, UP + 1))
    authority(old)
    told = player.play(old, "Install", some=slice(UP + 1, None))
    assert "fail" not in told
    assert '"status":"ok"' in told
    service = Service(old)
    first = service.evaluate(SKILL, 1)
    assert service.ended(first)["status"] == "completed"
    player.play(old, "TLS")

    before = old.run("sudo cat docker/secrets/webhook_token")
    for number in (1, 2, 3, 4):
        player.play(old, "Settings", number)
    assert old.run("sudo cat docker/secrets/webhook_token") != before
    until(lambda: service.ask("GET", "/jobs").is_success, seconds=30, what="the new token")

    lays_overlays(player, old)

    old.run(f"echo of the newer version >{player.origin}/NEWS && git -C {player.origin} add NEWS")
    old.run(f"git -C {player.origin} {AS_AUTHOR} commit --quiet -m News")
    player.play(old, "Upgrade")
    assert old.run("cat NEWS") == "of the newer version\n"
    player.play(old, "Upgrade", 2)
    player.play(old, "Rollback")
    old.run("test ! -e NEWS")

    player.play(old, "Backup")
    carry = f"cp state.tar caddy-data.tar {shared}"
    fetch = f"cp {shared}/state.tar {shared}/caddy-data.tar ."
    old.run(carry)
    assert old.run("stat --format %a state.tar caddy-data.tar") == "600\n600\n"
    install(player, new, images)
    new.run(fetch)
    player.play(new, "Backup", 2)
    assert authority(new) == authority(old)
    assert new.run("docker/ask /jobs") == old.run("docker/ask /jobs")
    player.play(new, "Backup", 3)

    moves_in_mid_job(player, old, new, carry, fetch)
    player.play(old, "Moving to another VM", 2)
    assert run_docker("volume", "ls", "--quiet", "--filter", f"name={old.project}") == ""
    plays_the_runbook(player, new)
    written = {command for block in pages for command in block.commands}
    assert player.played == written - set(ELSEWHERE), "play what is new here, in its place"
    assert set(ELSEWHERE) <= written


def lays_overlays(player: Player, vm: Machine) -> None:
    """A certificate of one's own, and back; of the others the secrets, each for the user that reads it."""
    names = f"-subj /CN={DOMAIN} -addext subjectAltName=DNS:{DOMAIN}"
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -keyout privkey.pem"
    vm.run(f"openssl req -x509 -days 2 {key} -out fullchain.pem {names}")
    player.play(vm, "Overlays")
    healthy = f"curl --silent --cacert fullchain.pem https://{DOMAIN}/health"
    until(lambda: '"status":"ok"' in vm.run(f"{healthy} || true"), seconds=30, what="the own certificate")
    player.play(vm, "Overlays", 2)
    for number, file, owner in (
        (3, "tunnel/cloudflare_token", 65532),
        (4, "tunnel/tailscale_key", 0),
        (6, "monitoring/grafana_password", 472),
    ):
        player.play(vm, "Overlays", number, some=slice(1))
        assert vm.run(f"sudo stat --format '%u %a' docker/{file}") == f"{owner} 400\n"
    vm.run("docker compose --file docker/compose.yaml up --detach --wait")


def moves_in_mid_job(player: Player, old: Machine, new: Machine, carry: str, fetch: str) -> None:
    """A job begun on the old VM is ended on the new one, none of its calls made twice."""
    outside = player.outside
    before = outside.answered()
    outside.slow(3)
    job = Service(old).evaluate("deadline-calendar", 5)
    until(lambda: outside.answered() > before + 5, seconds=60, what="a job in its middle")
    player.play(old, "Moving to another VM")
    player.play(old, "Backup", some=slice(4))
    old.run(carry)
    outside.haste()
    new.run(fetch)
    player.play(new, "Backup", 2)
    ended = Service(new).ended(job)
    assert ended["status"] == "completed", ended
    assert outside.answered() - before == ended["progress"]["total"]
    assert len(outside.pulls_of(job)) == 1


def plays_the_runbook(player: Player, vm: Machine) -> None:
    """Each of its blocks, where what it is for is the case."""
    outside, service = player.outside, Service(vm)
    player.play(vm, "Runbook")
    assert '"status":"ok"' in player.play(vm, "Runbook", 2)
    vm.run(f"docker stop {vm.project}-hook-1")
    assert "Exited" in player.play(vm, "Nothing answers")
    player.play(vm, "Nothing answers", 2)
    wrong = "Authorization: Bearer of-somebody-else"
    vm.run(f"curl --silent --header '{wrong}' https://{DOMAIN}/jobs")
    assert "authentication_failed" in player.play(vm, "A caller is refused")
    player.play(vm, "Check fails")

    recorded = recorded_runs(vm)
    outside.slow(30, *OTHERS)
    job = service.evaluate("expense-memo", 1)
    until(lambda: recorded_runs(vm) > recorded, seconds=60, what="one model's record")
    assert json.loads(player.play(vm, "A job does not get on"))["jobs"][0]["job_id"] == job
    player.play(vm, "A job does not get on", 2, job=job)
    assert service.ended(job)["status"] == "cancelled"
    outside.haste()
    assert outside.pulls_of(job) == []
    player.play(vm, "Results are not published", job=job)
    assert len(outside.pulls_of(job)) == 1

    player.play(vm, "The disk fills")
    player.play(vm, "The disk fills", 2, some=slice(1))
    player.play(vm, "The certificate is refused")
    player.play(vm, "It got worse with an upgrade")
    until(lambda: "ok" in vm.run("docker/ask /health || true"), seconds=60, what="the service again")


def recorded_runs(vm: Machine) -> int:
    """How many runs have their record."""
    state = "/var/lib/evaluator/state/runs"
    count = f"docker exec {vm.project}-hook-1 find {state} -name record.json || true"
    return len(vm.run(count).splitlines())
