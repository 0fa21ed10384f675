"""Evaluation after evaluation, each killed or disturbed some times, and what must hold at its end."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec

from evalcore.structs import Frozen, JsonObject
from evalsim.chaos.disturber import Disturbance, Disturber, Kind, disturbed, draw_disturbance
from evalsim.chaos.killer import Killer, Point, deadly, draw_point, stage_of_github, stage_of_mindrouter
from evalsim.github.app import API, SimulatedGitHub
from evalsim.github.repository import run_git
from evalsim.library import as_git, write_sample_data_sets, write_sample_library
from evalsim.link import linked
from evalsim.mindrouter import AnswerBook, SimulatedMindRouter, default_config
from evalsim.serving import running

TOKEN = "chaos-token-of-at-least-thirty-two-characters"  # noqa: S105 - of a simulation
GITHUB_TOKEN = "ghp_" + "0123456789abcdef" * 2
KEY = "mr2_" + "k" * 30
SKILL = "award-notice-terms"
NAME, DATA_SETS = "owner/prompt-library", "owner/data-sets"
REPLICATES = 3
READY_S, JOB_S = 60.0, 180.0
VARYING = (
    "run_id", "job_id", "started_at", "finished_at", "latency_ms", "prompt_commit", "server", "unstreamed",
    "plan_sha256", "replies_sha256",
)  # fmt: skip
"""What differs between two evaluations of one component in any case: ids, times, how calls were sent, and
the hashes of what holds them."""


KINDS = ("lost", "doubled", "differing", "wrong")


class Broken(Exception):
    """Something that must hold does not."""


class ChaosResult(Frozen, frozen=True):
    """How many evaluations and kills there were, and what was wrong after them."""

    evaluations: int
    kills: int
    lost: int
    doubled: int
    differing: int
    wrong: int
    """Figures of an answered call that are not those of the evaluation without any fault."""
    stages: dict[str, int]
    disturbances: dict[str, int]
    seconds: float


class ChaosRun:
    """One service with its outside; evaluations are run one after the other."""

    def __init__(self, folder: Path, github: SimulatedGitHub, github_url: str, mindrouter_url: str) -> None:
        self.folder = folder
        self.github = github
        self.github_url = github_url
        self.mindrouter_url = mindrouter_url
        self.killer = Killer()
        self.factor = 1.0
        self.disturber: Disturber | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.reference: list[JsonObject] = []
        self.calls = 0
        self.keeps_results = True
        """Whether results are merged; otherwise they are thrown away, and the leaderboard stays as it is."""
        self._is_refused = False
        self.problems: dict[str, list[str]] = {kind: [] for kind in KINDS}

    @property
    def state_dir(self) -> Path:
        """The service's state directory."""
        return self.folder / "state"

    def start(self, point: Point | None) -> None:
        """Start the service and wait until it answers, or is dead again."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with (self.folder / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command(),
                env=self._environment(port),
                stdout=log,
                stderr=log,
            )
        self.killer.arm(self.process.pid, point)
        deadline = time.monotonic() + READY_S
        while self.is_alive and not self._is_healthy():
            if time.monotonic() > deadline:
                raise Broken("the service does not start; see service.log")
            time.sleep(0.02)

    def _command(self) -> list[str]:
        if self.factor == 1:
            return [str(Path(sys.executable).parent / "evalhook"), "serve"]
        return [sys.executable, "-m", "evalsim.chaos.hurried_service", str(self.factor)]

    def stop(self) -> None:
        """End the service as it is ended in good order."""
        if self.process is not None and self.is_alive:
            self.killer.disarm()
            self.process.terminate()
            self.process.wait(READY_S)

    @property
    def is_alive(self) -> bool:
        """Whether the service's process is."""
        return self.process is not None and self.process.poll() is None

    def evaluate(self, points: list[Point], disturbances: Sequence[Disturbance] = ()) -> None:
        """Ask for one evaluation, killed and disturbed so, see it through, and check what came of it."""
        if self.disturber is not None:
            self.disturber.arm(disturbances)
        before = set(self._job_ids())
        branches = set(self._bare.branches())
        waiting = list(points)
        kept: dict[Path, bytes] = {}
        records: dict[Path, int] = {}
        deadline = time.monotonic() + JOB_S
        self.killer.arm(self.pid, waiting.pop(0) if waiting else None)
        while True:
            if time.monotonic() > deadline:
                self.problems["lost"].append(f"no end within {JOB_S:.0f} s: {self._job_ids() - before}")
                return
            if not self.is_alive:
                self._remember(kept, records)
                self.start(waiting.pop(0) if waiting else None)
                continue
            with suppress(httpx.TransportError, httpx.HTTPStatusError):
                job = self._asked(before)
                if job is not None and job["status"] not in {"queued", "running"}:
                    break
            time.sleep(0.02)
        self.killer.disarm()
        if self.disturber is not None:
            self.disturber.arm([])
        self._is_refused = any(one.is_lasting_refusal for one in disturbances)
        if self.is_alive:
            self._check(job, self._job_ids() - before, set(self._bare.branches()) - branches)
            self._check_kept(kept, records)

    def _asked(self, before: set[str]) -> dict[str, Any] | None:
        """The one new job, asked for where there is none."""
        with httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=45
        ) as client:
            jobs = client.get("/jobs").raise_for_status().json()["jobs"]
            new = [job for job in jobs if job["job_id"] not in before]
            if not new:
                client.post("/evaluate", json={"skill_name": SKILL, "replicates": REPLICATES})
                return None
            return dict(new[-1])

    def _check(self, job: dict[str, Any], new_jobs: set[str], new_branches: set[str]) -> None:
        job_id = job["job_id"]
        if job["status"] != "completed":
            self.problems["lost"].append(f"{job_id} is {job['status']}: {job['error']}")
            return
        # The request may have been made twice, by a caller that never got the answer; the job must be one.
        if len(new_jobs) != 1:
            self.problems["doubled"].append(f"jobs {sorted(new_jobs)}")
        pulls = [pull for pull in self._repository.pulls if job_id in pull.body]
        if len(pulls) != 1 or new_branches != {pull.head for pull in pulls}:
            self.problems["doubled" if pulls else "lost"].append(
                f"{job_id}: {len(pulls)} pulls, {new_branches}"
            )
            return
        (pull,) = pulls
        if sorted(pull.labels) != ["automerge", "eval-results"]:
            self.problems["lost"].append(f"{job_id}: labels {pull.labels}")
        board = json.loads(self._bare.file(pull.head, f"components/{SKILL}/leaderboard.json") or b"{}")
        runs = [run for run in board.get("runs", []) if run["job_id"] == job_id]
        shown = [{key: run[key] for key in run if key not in VARYING} for run in runs]
        # The first evaluation is without any fault.
        self.reference = self.reference or shown
        self._check_scores(job_id, runs)
        if self._is_refused:
            self._check_reasons(job_id, runs)
        # With a key that was refused for good some calls are missing: their scores alone are compared, above.
        elif shown != self.reference:
            self.problems["differing"].append(job_id)
        self.calls = int(job["progress"]["total"])
        self._check_replies(runs)
        if self.keeps_results:
            self._merge(pull.number)
        else:
            self._call("PATCH", f"/pulls/{pull.number}", state="closed")
            run_git(self._bare.path, "update-ref", "-d", f"refs/heads/{pull.head}")

    def _check_scores(self, job_id: str, runs: list[JsonObject]) -> None:
        """Hold each score against that of the evaluation without any fault; none came where it is null."""
        right = {run["model"]: scores_of(run) for run in self.reference}
        for run in runs:
            for call, score in scores_of(run).items():
                if score is not None and score != right[run["model"]][call]:
                    self.problems["wrong"].append(f"{job_id}: {run['model']} {call}: {score}")

    def _check_reasons(self, job_id: str, runs: list[JsonObject]) -> None:
        """Where the key was refused for good, each run that lacks a reply is partial and says why."""
        for run in runs:
            lacks = None in scores_of(run).values()
            if lacks != (run["status"] == "partial") or lacks != ("unauthorized" in str(run["reason"])):
                self.problems["wrong"].append(f"{job_id}: {run['model']} {run['status']}: {run['reason']}")

    def _check_replies(self, runs: list[JsonObject]) -> None:
        for run in runs:
            folder = self.state_dir / "runs" / str(run["run_id"])
            lines = [json.loads(line) for line in replies_of(folder).splitlines()]
            calls = [(line["case"], line["replicate"]) for line in lines]
            if len(set(calls)) != len(calls) or len({line["request_id"] for line in lines}) != len(lines):
                self.problems["doubled"].append(f"replies of {run['run_id']}")
            if len(calls) != run["calls"]["total"]:  # type: ignore[index,call-overload]  # a record's own shape
                self.problems["lost"].append(f"replies of {run['run_id']}")

    def _remember(self, kept: dict[Path, bytes], records: dict[Path, int]) -> None:
        """Note what the dead service had stored: whole lines of replies, and records."""
        for folder in (self.state_dir / "runs").glob("*"):
            data = replies_of(folder)
            # Whole lines are what is promised: a torn one is dropped when the folder is opened again.
            kept[folder] = data[: data.rfind(b"\n") + 1]
            with suppress(FileNotFoundError):
                # By its inode: a record that is written again has the same bytes, and another file.
                records.setdefault(folder, (folder / "record.json").stat().st_ino)

    def _check_kept(self, kept: dict[Path, bytes], records: dict[Path, int]) -> None:
        for folder, data in kept.items():
            if not replies_of(folder).startswith(data):
                self.problems["lost"].append(f"kept replies of {folder.name} are there no more")
        for folder, inode in records.items():
            if (folder / "record.json").stat().st_ino != inode:
                self.problems["doubled"].append(f"{folder.name} was scored again")

    def _merge(self, number: int) -> None:
        answer = self._call("PUT", f"/pulls/{number}/merge")
        if answer.is_error:
            self.problems["lost"].append(f"pull request {number} does not merge: {answer.text}")

    def _call(self, method: str, path: str, **body: str) -> httpx.Response:
        url = f"{self.github_url}{API}/repos/{NAME}{path}"
        return httpx.request(method, url, headers={"Authorization": f"Bearer {GITHUB_TOKEN}"}, json=body)

    def _job_ids(self) -> set[str]:
        return {path.stem for path in (self.state_dir / "jobs").glob("*.json")}

    def _is_healthy(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health").is_success
        return False

    @property
    def pid(self) -> int:
        """The number of the service's process."""
        if self.process is None:
            raise Broken("the service was never started")
        return self.process.pid

    @property
    def _repository(self) -> Any:  # noqa: ANN401 - the simulation's own
        return self.github.state.repositories[NAME]

    @property
    def _bare(self) -> Any:  # noqa: ANN401 - as above
        return self._repository.bare

    def _environment(self, port: int) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return {
            **kept,
            "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
            "MINDROUTER_BASE_URL": self.mindrouter_url,
            "MINDROUTER_API_KEY": KEY,
            "EVALHOOK_PROMPT_LIBRARY": str(self.folder / "clones" / "library"),
            "EVALHOOK_PROMPT_LIBRARY_URL": f"{self.github_url}/{NAME}.git",
            "EVALHOOK_DATA_SETS": str(self.folder / "clones" / "data-sets"),
            "EVALHOOK_DATA_SETS_URL": f"{self.github_url}/{DATA_SETS}.git",
            "EVALHOOK_STATE_DIR": str(self.state_dir),
            "EVALHOOK_BIND": f"127.0.0.1:{port}",
            "EVALHOOK_GITHUB_REPO": NAME,
            "EVALHOOK_GITHUB_API_URL": f"{self.github_url}{API}",
            "GITHUB_TOKEN": GITHUB_TOKEN,
            "EVALHOOK_GRACE_SECONDS": "1",
            "EVALHOOK_MIN_FREE_GB": "0",
        }


def scores_of(run: Any) -> dict[tuple[str, int], float | None]:  # noqa: ANN401 - a record's JSON
    """Return a run's scores by case and replicate."""
    return {
        (result["case"], at): score
        for result in run["case_results"]
        for at, score in enumerate(result["scores"])
    }


def replies_of(folder: Path) -> bytes:
    """A run's replies as they lie there, or compressed after its end."""
    with suppress(FileNotFoundError):
        return (folder / "replies.jsonl").read_bytes()
    with suppress(FileNotFoundError), gzip.open(folder / "replies.jsonl.gz") as file:
        return file.read()
    return b""


@contextmanager
def chaos(folder: Path, factor: float = 1.0) -> Iterator[ChaosRun]:
    """Set everything up in a folder, the service not started yet; its time passes `factor` times as fast."""
    library, data_sets = folder / "library", folder / "data-sets"
    write_sample_library(library)
    write_sample_data_sets(data_sets)
    as_git(library)
    as_git(data_sets)
    github = SimulatedGitHub(folder / "github", token=GITHUB_TOKEN)
    github.state.add_repository(NAME, library)
    github.state.add_repository(DATA_SETS, data_sets)
    # The same answers to every replicate: what differs then differs by a mistake of the service's.
    config = default_config()
    steady = tuple(msgspec.structs.replace(model, noise=0.0) for model in config.models)
    mindrouter = SimulatedMindRouter(
        msgspec.structs.replace(config, keys=(KEY,), models=steady),
        AnswerBook.from_folders([library, data_sets]),
    )
    run = ChaosRun(folder, github, "", "")
    with ExitStack() as stack:
        run.github_url = stack.enter_context(running(deadly(github, run.killer, stage_of_github)))
        run.factor = factor
        run.disturber = Disturber(mindrouter.revoked, KEY, factor)
        app = disturbed(deadly(mindrouter, run.killer, stage_of_mindrouter), run.disturber)
        run.disturber.link = stack.enter_context(linked(stack.enter_context(running(app))))
        run.mindrouter_url = run.disturber.link.url
        stack.callback(run.stop)
        yield run


class Faults(Frozen, frozen=True):
    """How many of each are wanted."""

    kills: int = 0
    outages: int = 0
    cuts: int = 0
    refusals: int = 0


def run_chaos(
    folder: Path, faults: Faults, seed: int, *, factor: float = 1.0, most_evaluations: int = 1000
) -> ChaosResult:
    """Run evaluations until there were so many faults; the first one, without any, is the measure."""
    began, random = time.monotonic(), Random(seed)
    with chaos(folder, factor) as run:
        run.start(None)
        run.evaluate([])
        evaluations = 1
        calls = run.calls
        while evaluations < most_evaluations and (left := _left(faults, run)) != Faults():
            points, disturbances = _draw(random, left, calls)
            run.evaluate(points, disturbances)
            evaluations += 1
            if any(run.problems.values()):
                break
        stages: dict[str, int] = {}
        for point in run.killer.kills:
            stages[point.stage] = stages.get(point.stage, 0) + 1
        for kind, found in run.problems.items():
            for words in found:
                print(f"{kind}: {words}", file=sys.stderr)  # noqa: T201 - what failed, for who runs it
        return ChaosResult(
            evaluations=evaluations,
            kills=len(run.killer.kills),
            **{kind: len(found) for kind, found in run.problems.items()},
            stages=stages,
            disturbances=_shown(run),
            seconds=round(time.monotonic() - began, 1),
        )


def _shown(run: ChaosRun) -> dict[str, int]:
    return dict(run.disturber.shown) if run.disturber is not None else {}


def _left(faults: Faults, run: ChaosRun) -> Faults:
    shown = _shown(run)
    return Faults(
        kills=max(0, faults.kills - len(run.killer.kills)),
        outages=max(0, faults.outages - shown.get("outage", 0)),
        cuts=max(0, faults.cuts - shown.get("cut", 0)),
        refusals=max(0, faults.refusals - shown.get("refusal", 0)),
    )


def _draw(random: Random, left: Faults, calls: int) -> tuple[list[Point], list[Disturbance]]:
    """Draw one evaluation's faults: kills, outages and cuts together, or a refused key alone.

    A service that starts while its key is refused says so and fails the job, as it should.
    """
    others = left.kills + left.outages + left.cuts
    if left.refusals and random.random() < left.refusals / (left.refusals + others):
        return [], [draw_disturbance(random, "refusal", calls)]
    points = [draw_point(random, calls) for _ in range(min(random.randint(1, 4), left.kills))]
    wanted: list[Kind] = ["outage"] * min(left.outages, random.randint(0, 2))
    wanted += ["cut"] * min(left.cuts, random.randint(0, 1))
    return points, [draw_disturbance(random, kind, calls) for kind in wanted]
