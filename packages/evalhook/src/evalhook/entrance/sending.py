"""Answering below the web framework, where it has no part in the request yet."""

from __future__ import annotations

from litestar.types import Send

from evalhook.problems import Problem


async def send_problem(send: Send, problem: Problem) -> None:
    """Send a refusal as a whole answer."""
    body = problem.encoded()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **problem.headers}
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
