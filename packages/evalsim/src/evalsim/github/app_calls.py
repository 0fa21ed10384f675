"""GitHub Apps: who calls, and tokens for an installation. Source: https://docs.github.com/en/rest/apps."""

from __future__ import annotations

import jwt

from evalsim.github import shapes
from evalsim.github.asgi import Answer, json_answer
from evalsim.github.calls import ApiError, Request, not_found
from evalsim.github.state import App, State


def answer_app(state: State, request: Request) -> Answer:
    """Answer a call that a GitHub App makes in its own name."""
    app = _calling_app(state, request)
    installation = {"id": app.installation, "app_id": int(app.app_id), "account": shapes.user_body("owner")}
    if request.path == "/app":
        return json_answer(200, {"id": int(app.app_id), "slug": "evaluator", "name": "Evaluator"})
    if request.path.endswith("/installation"):
        full_name = request.path.removeprefix("/repos/").removesuffix("/installation")
        if full_name.lower() not in state.repositories:
            raise not_found()
        return json_answer(200, installation)
    if request.method == "POST" and request.path == f"/app/installations/{app.installation}/access_tokens":
        token, expires = state.mint(app)
        when = expires.strftime("%Y-%m-%dT%H:%M:%SZ")
        permissions = dict.fromkeys(("contents", "issues", "pull_requests", "statuses"), "write")
        return json_answer(201, {"token": token, "expires_at": when, "permissions": permissions})
    raise not_found()


def _calling_app(state: State, request: Request) -> App:
    token = request.authorization.partition(" ")[2].strip()
    try:
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
        app = state.apps[issuer]
        jwt.decode(token, app.public_key, algorithms=["RS256"], options={"verify_iat": False})
    except (jwt.InvalidTokenError, KeyError) as error:
        raise ApiError(401, "A JSON web token could not be decoded") from error
    return app
