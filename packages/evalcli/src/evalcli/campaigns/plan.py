"""From a campaign's file to its runs: which component on which model, what each takes, in which order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from evalcli.campaigns.file import RESCORE, Campaign
from evalcli.campaigns.forecast import RunForecast, forecast_run
from evalcli.campaigns.schedule import AtOnce, Timed, longest_first, moment_after, time_of_all
from evalcli.evaluation.cost import most_of_a_call
from evalcli.evaluation.plan import Prepared, prepare
from evalcli.leaderboards.files import existing_leaderboard, leaderboard_path
from evalcli.leaderboards.places import Sources, data_sets_of, no_library
from evalcli.leaderboards.present_policy import current_policy, policy_sha256
from evalcli.leaderboards.run_folders import run_heads
from evalcore.decoding import decode_json
from evalcore.errors import ConfigurationError, InputError
from evalcore.formats.strict_json import sha256_of
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import PolicyText, list_components
from evalcore.library.models import Model, is_local
from evalcore.near_names import did_you_mean
from evalcore.runs.leaderboard import known_records
from evalcore.runs.plan import JobPlan, cases_for
from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen, JsonValue
from evalcore.version import SCORING_VERSION, __version__

EVALUATOR: Final = f"{__version__}, scoring version {SCORING_VERSION}"
"""What a worker must be to take a campaign's runs: others would score differently."""


class PlannedRun(Frozen, frozen=True):
    """One component on one model: what a worker is given to do."""

    component: str
    version: str
    model: str
    provider: str
    replicates: int
    calls: int
    in_flight: int
    """Calls at the same time: the run's share of its provider's limit."""
    forecast: RunForecast
    inputs_sha256: str
    """Of the component, its cases and the model's entry: a worker that reads others does not begin."""
    rescored: str | None = None
    """The id of the run whose kept replies are scored again; None where models are called."""
    max_cost: float | None = None
    """USD: its share of the campaign's budget; None without one, or where calls cost nothing."""

    @property
    def key(self) -> str:
        """What names the run within its campaign."""
        key = f"{self.component}/{self.model}"
        return key if self.rescored is None else f"{key}/{self.rescored}"


def shown_model(run: PlannedRun) -> str:
    """Return a run's model as it is shown: with the run that is scored again, of which there may be many."""
    return run.model if run.rescored is None else f"{run.model}, run {run.rescored}"


class LeftOut(Frozen, frozen=True):
    """A component that none of the campaign's runs is of."""

    component: str
    reason: str


class CampaignPlan(Frozen, frozen=True):
    """A campaign's runs, in the order in which they are begun."""

    campaign: Campaign
    evaluator: str
    runs: tuple[PlannedRun, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...] = ()

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers whose models it calls, sorted."""
        return tuple(sorted({run.provider for run in self.runs}))

    @property
    def seconds(self) -> float | None:
        """How long all runs take, if every limit is used; None where that of no run is known.

        Runs whose time is not known are taken for the mean of the others.
        """
        known = [run.forecast.seconds for run in self.runs if run.forecast.seconds is not None]
        if not known:
            return None
        mean = math.fsum(known) / len(known)
        times = []
        for provider in self.providers:
            runs = [
                Timed(run.forecast.seconds or mean, run.model)
                for run in self.runs
                if run.provider == provider
            ]
            times.append(time_of_all(runs, self.at_once(provider)))
        return max(times)

    def at_once(self, provider: str) -> AtOnce:
        """How many runs of a provider there may be at the same time."""
        limits = self.campaign.limits_of(provider)
        return AtOnce(limits.runs, limits.runs_of_a_model(provider), limits.runs_per_hour)

    def end(self, now: datetime) -> datetime | None:
        """Return when a campaign that begins now ends; None where that is not known."""
        return None if self.seconds is None else moment_after(now, self.seconds)


def plan_campaign(campaign: Campaign, sources: Sources, runs_dir: Path) -> CampaignPlan:
    """Plan a campaign's runs; those whose replies are to be scored again are looked for in `runs_dir`.

    A component of `all` that cannot be evaluated is left out with the reason; raises InputError for one that
    is named, for a model that models.yaml lacks, and for a budget that cannot be shared out.
    """
    library = FolderCheckout(sources.prompt_library)
    known = list_components(library)
    if not known:
        raise no_library(sources.prompt_library)
    for name in campaign.components or ():
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {', '.join(known[:20])}"
            raise ConfigurationError(f"there is no component {name!r:.110}", where=campaign.name, hint=hint)
    slugs = known if campaign.components is None else campaign.components
    if campaign.task == "rescore":
        return CampaignPlan(campaign, EVALUATOR, tuple(_kept_runs(campaign, sources, slugs, runs_dir)), ())
    # Of every component, chosen or not: how fast a model answers is told by its runs of others too.
    past = {slug: _past(sources, slug) for slug in known}
    runs: list[PlannedRun] = []
    left_out: list[LeftOut] = []
    warnings: dict[str, None] = {}
    for slug in slugs:
        try:
            prepared = prepare(
                slug, sources, campaign.models or (), campaign.replicates, job_id="", environ=None
            )
        except ConfigurationError:
            raise  # models.yaml, which is wrong for every component
        except InputError as error:
            if campaign.components is not None:
                raise
            left_out.append(LeftOut(slug, error.line))
            continue
        warnings |= dict.fromkeys(prepared.warnings)
        runs += _runs_of(prepared, campaign, past)
    # Over all providers together: each has its own queue, in which the order stays.
    order = longest_first([run.forecast.seconds for run in runs])
    shared = _with_budget([runs[at] for at in order], campaign.budget_usd)
    return CampaignPlan(campaign, EVALUATOR, tuple(shared), tuple(left_out), tuple(warnings))


def policy_inputs_sha256(policy: PolicyText, run_id: str) -> str:
    """Return the SHA-256 of what scoring a kept run again is of, the same on every machine."""
    return sha256_of({"policy": policy_sha256(policy), "run": run_id})


def _kept_runs(
    campaign: Campaign, sources: Sources, slugs: Sequence[str], runs_dir: Path
) -> Iterator[PlannedRun]:
    """Yield the kept runs of the components and models, the newest first.

    Raises ComponentError for a policy that cannot be read.
    """
    library = FolderCheckout(sources.prompt_library)
    data_sets = data_sets_of(sources.prompt_library, sources.data_sets)
    policies = {slug: current_policy(library, data_sets, slug) for slug in slugs}
    for _, head in run_heads(runs_dir):
        slug, model = head.component.slug, head.model.id
        if slug not in policies or (campaign.models is not None and model not in campaign.models):
            continue
        yield PlannedRun(
            component=slug,
            version=head.component.version,
            model=model,
            provider=RESCORE,
            replicates=0,
            calls=0,
            in_flight=1,
            forecast=RunForecast("nothing", 0, None, None, None, None, None),
            inputs_sha256=policy_inputs_sha256(policies[slug], head.run_id),
            rescored=head.run_id,
        )


def inputs_sha256(job: JobPlan, model: Model) -> str:
    """Return the SHA-256 of what a run is of, the same on every machine that reads the same files.

    Commits are no part of it: one that changes another component changes nothing here.
    """
    cases, _ = cases_for(job, model)
    return sha256_of({"component": _json(job.component), "cases": _json(cases), "model": _json(model)})


def _json(value: object) -> JsonValue:
    plain: JsonValue = decode_json(msgspec.json.encode(value), JsonValue)
    return plain


def _past(sources: Sources, slug: str) -> list[RunRecord]:
    return known_records(existing_leaderboard(leaderboard_path(sources.prompt_library, slug), slug))


def _runs_of(
    prepared: Prepared, campaign: Campaign, past: Mapping[str, Sequence[RunRecord]]
) -> list[PlannedRun]:
    job = prepared.job
    slug = job.component.slug
    others = {name: records for name, records in past.items() if name != slug}
    runs = []
    for model in job.models:
        cases, _ = cases_for(job, model)
        if not cases:
            continue  # all of them are kept from it, which a warning says
        in_flight = _calls_at_once(model, campaign)
        forecast = forecast_run(
            model,
            cases=len(cases),
            replicates=job.replicates,
            in_flight=in_flight,
            models=len(job.models),
            component=past[slug],
            others=others,
        )
        calls = len(cases) * job.replicates
        run = PlannedRun(
            component=slug,
            version=job.component.version,
            model=model.id,
            provider=model.provider,
            replicates=job.replicates,
            calls=calls,
            in_flight=in_flight,
            forecast=forecast,
            inputs_sha256=inputs_sha256(job, model),
            max_cost=_most(prepared, model, calls, forecast) if campaign.budget_usd is not None else None,
        )
        runs.append(run)
    return runs


def _calls_at_once(model: Model, campaign: Campaign) -> int:
    """Return a run's calls in flight: its share of what the provider and the model may have over all runs.

    Raises ConfigurationError for a model whose calls are fewer than its runs at once.
    """
    limits = campaign.limits_of(model.provider)
    runs = limits.runs_of_a_model(model.provider)
    if model.concurrency < runs:
        what = f"its `concurrency` of {model.concurrency} cannot be shared by {runs} runs at once"
        hint = f"give {model.provider} `runs_per_model: {model.concurrency}` among the campaign's limits"
        raise ConfigurationError(what, where=model.id, hint=hint)
    return min(limits.calls_of_a_run, model.concurrency // runs)


def _most(prepared: Prepared, model: Model, calls: int, forecast: RunForecast) -> float | None:
    """Return what a run is taken to cost, by which a budget is shared out; None where calls cost nothing.

    Raises ConfigurationError for a model without a price.
    """
    if model.price is None and is_local(model):
        return None
    # Past runs of no tokens say nothing: a share of nothing would end the run before its first call.
    return forecast.cost_usd or most_of_a_call(prepared.job, model) * calls or None


def _with_budget(runs: Sequence[PlannedRun], budget: float | None) -> list[PlannedRun]:
    """Share a budget out: each run has the part of it that it is expected to need of all.

    What all of them may cost together is the budget, so that no worker has to ask the others.
    """
    needed = math.fsum(run.max_cost for run in runs if run.max_cost is not None)
    if budget is None or not needed:
        return [msgspec.structs.replace(run, max_cost=None) for run in runs]
    return [
        run if run.max_cost is None else msgspec.structs.replace(run, max_cost=budget * run.max_cost / needed)
        for run in runs
    ]
