"""The API's handlers: read the request, call the service, shape the answer (docs/reference.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import ResponseHeader, State
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema, SecurityRequirement
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, QueryParameter, SkipValidation
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from evalcore.structs import Frozen
from evalcore.version import __version__
from evalhook.jobs import GIT_SHA, MAX_MODEL_ID, MOST_MODELS, SKILL_NAME
from evalhook.monitoring.metrics import Metrics
from evalhook.problems import BusyBody, ErrorBody
from evalhook.web import schemas
from evalhook.web.body import MAX_BODY, read_request
from evalhook.web.request_log import seconds_since_arrival
from evalhook.web.schemas import Accepted, JobView
from evalhook.worker.service import ANSWER_SECONDS, Service

TheService = NamedDependency[SkipValidation[Service]]
TheMetrics = NamedDependency[SkipValidation[Metrics]]
TOKEN: Final = "BearerToken"  # noqa: S105 - the name of the scheme in the OpenAPI document
NEEDS_TOKEN: Final[list[SecurityRequirement]] = [{TOKEN: []}]


BEFORE_TOKEN: Final = {
    "403": "https_required, or forbidden: the client's address may not call",
    "431": "too_large: the headers are over 16 KiB",
}
BEHIND_TOKEN: Final = {
    "401": "unauthorized: no bearer token, or a wrong one",
    "500": "internal: an error of the service",
}


def errors(common: dict[str, str] = BEHIND_TOKEN, **descriptions: str) -> dict[int, ResponseSpec]:
    """Describe the refusals of an operation: `_404="..."`, and those that all have."""
    return {
        int(status.removeprefix("_")): ResponseSpec(
            data_container=BusyBody if status == "_409" and not text.startswith("wrong_state") else ErrorBody,
            description=text,
            generate_examples=False,
        )
        for status, text in (BEFORE_TOKEN | common | descriptions).items()
    }


@dataclass
class EvaluateOperation(Operation):
    """Describes the body, which the handler reads itself to bound it."""

    def __post_init__(self) -> None:
        body = Schema(
            type=OpenAPIType.OBJECT,
            required=["skill_name"],
            additional_properties=False,
            properties={
                "skill_name": Schema(
                    type=OpenAPIType.STRING, pattern=SKILL_NAME, description="The component's slug."
                ),
                "replicates": Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=100, default=10),
                "git_sha": Schema(
                    type=[OpenAPIType.STRING, OpenAPIType.NULL],
                    pattern=GIT_SHA,
                    description="A commit reachable from the default branch; that branch's tip if absent.",
                ),
                "models": Schema(
                    type=[OpenAPIType.ARRAY, OpenAPIType.NULL],
                    items=Schema(type=OpenAPIType.STRING, min_length=1, max_length=MAX_MODEL_ID),
                    min_items=1,
                    max_items=MOST_MODELS,
                    description="Only these of the configured local models; all of them if absent.",
                ),
            },
        )
        self.request_body = RequestBody(
            content={"application/json": OpenAPIMediaType(schema=body)},
            description=f"At most {MAX_BODY} bytes.",
            required=True,
        )


@post(
    "/evaluate",
    status_code=202,
    operation_class=EvaluateOperation,
    operation_id="evaluate",
    summary="Evaluate a component on every local model",
    response_description="Accepted: the job runs",
    response_headers=[
        ResponseHeader(name="Location", description="Path of the job.", documentation_only=True)
    ],
    security=NEEDS_TOKEN,
    responses=errors(
        _400="invalid_request: malformed JSON, an unknown field, a wrong type or value",
        _404="unknown_skill: the evaluated commit has no such component",
        _408="request_timeout: the body did not come",
        _409="Another job runs; it is told which",
        _413="too_large: the body is over 4 KiB",
        _415="unsupported_media_type: the body is not application/json",
        _422="unknown_commit; unknown_model: none of the configured local ones; or unusable_component: its "
        "prompt, schema or cases cannot be used",
        _503="not_ready: a clone, models.yaml, MindRouter or the state directory cannot be used now",
    ),
)
async def evaluate(request: Request[Any, Any, State], service: TheService) -> Response[Accepted]:
    """Accept one job, or say why not."""
    wanted = await read_request(request.headers, request.stream())
    # Less what has passed since the request arrived: Caddy's 60 s count from there, a slow body included.
    job = await service.accept(wanted, ANSWER_SECONDS - seconds_since_arrival(request.scope))
    answer = schemas.accepted(job, service.position(job))
    return Response(answer, headers={"Location": schemas.job_path(job.job_id)})


@get(
    "/jobs/{job_id:str}",
    operation_id="job",
    summary="Show a job",
    security=NEEDS_TOKEN,
    responses=errors(
        _400="invalid_request: the request cannot be read", _404="unknown_job: there is no such job"
    ),
)
async def show_job(job_id: FromPath[str], service: TheService) -> JobView:
    """Show how far a job is, or how it ended."""
    job = service.find(job_id)
    return schemas.view(job, service.position(job))


@post(
    "/jobs/{job_id:str}/cancel",
    status_code=202,
    operation_id="cancel_job",
    summary="End a job; what it has stays",
    response_description="It ends, or has ended by now",
    security=NEEDS_TOKEN,
    responses=errors(
        _400="invalid_request: the request cannot be read",
        _404="unknown_job: there is no such job",
        _409="wrong_state: the job has ended already",
        _503="not_ready: the wish cannot be kept on the disk",
    ),
)
async def cancel_job(job_id: FromPath[str], service: TheService) -> JobView:
    """Stop calling and free the slot; replies and records stay."""
    job = await service.cancel(job_id)
    return schemas.view(job, service.position(job))


@post(
    "/jobs/{job_id:str}/publish",
    status_code=202,
    operation_id="publish_job",
    summary="Publish what a failed or cancelled job has",
    response_description="It is being published",
    security=NEEDS_TOKEN,
    responses=errors(
        _400="invalid_request: the request cannot be read",
        _404="unknown_job: there is no such job",
        _503="not_ready: the service is stopping, or its disk is full",
    )
    | {
        409: ResponseSpec(
            # Litestar takes a union and does not say so where pydantic is installed, as in development
            data_container=ErrorBody | BusyBody,  # type: ignore[arg-type]
            description="wrong_state: the job has not ended, is published, or has no record; or another runs",
            generate_examples=False,
        )
    },
)
async def publish_job(job_id: FromPath[str], service: TheService) -> JobView:
    """Begin to publish again; each step that was done is found and not repeated."""
    return schemas.view(await service.publish(job_id))


class JobList(Frozen, frozen=True):
    """Jobs, the newest first."""

    jobs: list[JobView]


@get(
    "/jobs",
    operation_id="jobs",
    summary="List jobs, the newest first",
    security=NEEDS_TOKEN,
    responses=errors(_400="invalid_request: limit is not a whole number from 1 to 100"),
)
async def list_jobs(
    service: TheService, limit: Annotated[int, QueryParameter(ge=1, le=100, description="How many.")] = 20
) -> JobList:
    """List the jobs that are kept."""
    return JobList(jobs=[schemas.view(job, service.position(job)) for job in service.newest(limit)])


class Health(Frozen, frozen=True, kw_only=True):
    """That the service answers."""

    status: str = "ok"
    version: str


@get(
    "/health",
    operation_id="health",
    summary="Tell that the service answers",
    security=[],
    responses=errors({}),
)
async def health() -> Health:
    """Answer without a token, and disclose nothing else."""
    return Health(version=__version__)


@get("/metrics", include_in_schema=False)
async def show_metrics(metrics: TheMetrics) -> Response[bytes]:
    """Show all figures as Prometheus reads them."""
    return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES: Final = [evaluate, show_job, cancel_job, publish_job, list_jobs, health, show_metrics]
