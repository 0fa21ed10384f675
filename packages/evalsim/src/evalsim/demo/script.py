"""The demo's script, step by step: each step is shown, done, and checked from the outside."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen
from evalsim.demo.environment import BRANCH, publish, real_service, show_library
from evalsim.demo.failure import DemoError
from evalsim.demo.github_client import PullRequest, PullRequests, pull_number
from evalsim.demo.leaderboard import (
    HEADINGS,
    GitCheckout,
    job_records,
    leaderboard_path,
    leaderboard_records,
    leaderboard_rows,
)
from evalsim.demo.library import copy_library, make_sample, read_subject
from evalsim.demo.outside import simulated_outside
from evalsim.demo.screen import Screen
from evalsim.demo.service_client import Accepted, Result, Service

LABELS = {"eval-results", "automerge"}
SHORT = 12
"""Digits of a commit that are shown."""


class Options(Frozen, frozen=True):
    """What the user asked for."""

    library: Path | None
    data_sets: Path | None
    skill: str | None
    replicates: int


class EvaluationRequest(Frozen, frozen=True):
    """What is evaluated: a component at a commit, so many times."""

    skill: str
    commit: str
    replicates: int


def run_script(options: Options, screen: Screen, folder: Path) -> None:
    """Run all steps in a folder; raises DemoError, or another EvaluatorError, where a step fails."""
    began = time.monotonic()
    screen.title(
        "The Evaluator, from a request to a merged pull request",
        "The service is the real one. MindRouter, its models and GitHub are simulated on this machine; all of"
        " them speak real HTTP and real git.",
    )
    with ExitStack() as stack:
        if options.library is None:
            workspace = make_sample(folder)
        else:
            workspace = copy_library(options.library, options.data_sets, folder)
        # The sample's own order would begin with the one component that leans on another.
        default = "award-notice-terms" if options.library is None else None
        subject = read_subject(workspace, options.skill or default)
        show_library(workspace, subject, screen)
        outside = stack.enter_context(simulated_outside(workspace, subject, folder))
        commit = publish(outside, workspace, screen)
        wanted = EvaluationRequest(skill=subject.component.slug, commit=commit, replicates=options.replicates)
        # No proxy of the environment: all that is asked is on this machine.
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=30.0))
        service = stack.enter_context(real_service(outside, screen, folder, client))
        accepted = fire_request(service, wanted, screen)
        result = follow_job(service, accepted, screen)
        reader = GitCheckout(folder / "reader", outside.library_url, outside.github_token)
        records = show_leaderboard(reader, wanted, accepted, result, screen)
        root = f"{outside.github_api_url}/repos/{outside.repository}"
        pulls = PullRequests(client, root, outside.github_token)
        pull = show_pull_request(pulls, reader, wanted, result, screen)
        merge(pulls, pull, reader, wanted, records, screen)
    screen.end(
        f"Done in {time.monotonic() - began:.0f} s: a request became a scored leaderboard on `{BRANCH}`."
    )


def fire_request(service: Service, wanted: EvaluationRequest, screen: Screen) -> Accepted:
    """Fire the very request that the workflow fires, and check what it is answered."""
    screen.step(
        "The request",
        "What the workflow on GitHub sends: which component, how often, at which commit. A token lets it in.",
    )
    request = {
        "skill_name": wanted.skill,
        "replicates": wanted.replicates,
        "git_sha": wanted.commit,
    }
    screen.fact("POST", f"{service.url}/evaluate")
    screen.fact("body", json.dumps(request))
    accepted = service.evaluate(request)
    if accepted.prompt_commit != wanted.commit:
        raise DemoError("the service evaluates another commit", where=accepted.prompt_commit)
    screen.checked(f"202 Accepted: job {accepted.job_id}, {accepted.calls} calls to make")
    return accepted


def follow_job(service: Service, accepted: Accepted, screen: Screen) -> Result:
    """Follow the job to its end."""
    screen.step(
        "The evaluation",
        "Every model answers every case several times: is it right, and does it say the same each time?",
    )
    with screen.progress("calls", accepted.calls) as show:
        result = service.finish(accepted.job_id, show)
    for model in result.models:
        if model.status != "complete":
            screen.fact(model.status, f"{model.model}: {model.reason or 'no reason given'}")
    screen.checked(f"GET /jobs/{accepted.job_id}: completed")
    return result


def show_leaderboard(
    reader: GitCheckout, wanted: EvaluationRequest, accepted: Accepted, result: Result, screen: Screen
) -> list[RunRecord]:
    """Show the results as they stand in the branch that the service pushed."""
    screen.step(
        "The leaderboard",
        f"{leaderboard_path(wanted.skill)}, read from the branch that the service pushed, in %."
        " Rank: a range, 1–2 where the replies do not show which is better. Accuracy: how right; same again:"
        " how far the replies to one case agree; valid: fits the schema.",
    )
    if result.branch is None:
        raise DemoError("the job names no branch", where=accepted.job_id)
    reader.clone()
    records = job_records(reader, f"origin/{result.branch}", wanted.skill, accepted.job_id)
    finished = {model.model for model in result.models if model.status in {"complete", "partial"}}
    # Two ways to the same results, held against each other: what the service says, and what it pushed.
    if {record.model for record in records} != finished:
        raise DemoError("the leaderboard and the job name different models", where=result.branch)
    for record in records:
        if (record.prompt_commit, record.replicates) != (wanted.commit, wanted.replicates):
            raise DemoError("a record is of another question", where=record.run_id)
    known = leaderboard_records(reader, f"origin/{result.branch}", wanted.skill)
    screen.table(HEADINGS, leaderboard_rows(records, known), left=("model",))
    screen.checked(f"{len(records)} run records, one for each model that was served")
    return records


def show_pull_request(
    pulls: PullRequests, reader: GitCheckout, wanted: EvaluationRequest, result: Result, screen: Screen
) -> PullRequest:
    """Show the pull request as its reader sees it."""
    screen.step("The pull request", "What a person of the library's team finds on GitHub.")
    if result.pull_request_url is None:
        raise DemoError("the job made no pull request")
    pull = pulls.get(pull_number(result.pull_request_url))
    labels = {label.name for label in pull.labels}
    screen.fact("address", pull.html_url)
    screen.fact("title", pull.title)
    screen.fact("labels", ", ".join(sorted(labels)))
    screen.fact("branch", f"{pull.head.ref} into {pull.base.ref}")
    screen.document(pull.title, pull.body)
    changed = reader.changed_files(f"origin/{BRANCH}", f"origin/{pull.head.ref}")
    # The promise to whoever merges without reading: no other file changes.
    if changed != [leaderboard_path(wanted.skill)]:
        raise DemoError(f"the pull request changes {', '.join(changed) or 'nothing'}", where=pull.html_url)
    if not labels >= LABELS:
        raise DemoError(f"lacks a label of {', '.join(sorted(LABELS))}", where=pull.html_url)
    if not pull.mergeable:
        raise DemoError("cannot be merged", where=pull.html_url)
    screen.checked("it changes the leaderboard and nothing else, has its labels, and can be merged")
    return pull


def merge(
    pulls: PullRequests,
    pull: PullRequest,
    reader: GitCheckout,
    wanted: EvaluationRequest,
    records: list[RunRecord],
    screen: Screen,
) -> None:
    """Merge the pull request as its reader would, and look at what the default branch holds after."""
    screen.step("The merge", f"The reader agrees and merges; from now on `{BRANCH}` holds the results.")
    commit = pulls.merge(pull)
    screen.checked(f"GitHub merged pull request #{pull.number}")
    reader.fetch()
    if reader.tip(BRANCH) != commit:
        raise DemoError(f"`{BRANCH}` is not at the merge commit", where=commit)
    kept = job_records(reader, f"origin/{BRANCH}", wanted.skill, records[0].job_id)
    if kept != records:
        raise DemoError(f"`{BRANCH}` does not hold the records of the pull request", where=commit)
    for line in reader.run("log", "--format=%h %s", "--max-count=3", f"origin/{BRANCH}").splitlines():
        screen.fact("git log", line)
    screen.checked(f"git fetch: `{BRANCH}` is at {commit[:SHORT]} and holds the {len(kept)} records")
