"""Trees and blobs.

Source: https://docs.github.com/en/rest/git/trees and .../rest/git/blobs.
"""

from __future__ import annotations

import base64

from evalsim.asgi import Answer, json_answer
from evalsim.github.bodies import Body
from evalsim.github.repository import run_git
from evalsim.github.request import Request, not_found
from evalsim.github.state import Repository, State


def get_tree(state: State, repository: Repository, request: Request, name: str) -> Answer:
    """GET /repos/O/R/git/trees/NAME, of what a name of a tree, a commit, a branch or a tag stands for.

    With `recursive`, whatever its value, at most `tree_limit` lines are listed.
    """
    del state
    found = run_git(repository.bare.path, "rev-parse", "--verify", "--quiet", f"{name}^{{tree}}")
    if found.returncode:
        raise not_found()
    sha = found.stdout.strip()
    is_recursive = "recursive" in request.query
    deep = ("-r", "-t") if is_recursive else ()
    listed = run_git(repository.bare.path, "ls-tree", "-z", "--long", *deep, sha).stdout
    lines = [_line(line, request, repository) for line in listed.split("\0") if line]
    # Beyond the limit GitHub answers `truncated` with 200: a client that does not look would miss files.
    limit = repository.tree_limit if is_recursive else len(lines)
    url = f"{request.api}/repos/{repository.full_name}/git/trees/{sha}"
    return json_answer(200, {"sha": sha, "url": url, "tree": lines[:limit], "truncated": len(lines) > limit})


def get_blob(state: State, repository: Repository, request: Request, sha: str) -> Answer:
    """GET /repos/O/R/git/blobs/SHA."""
    del state
    data = repository.bare.blob(sha)
    if data is None:
        raise not_found()
    url = f"{request.api}/repos/{repository.full_name}/git/blobs/{sha}"
    # GitHub breaks base64 into lines.
    content = base64.encodebytes(data).decode()
    return json_answer(
        200,
        {"sha": sha, "node_id": sha, "size": len(data), "url": url, "content": content, "encoding": "base64"},
    )


def _line(line: str, request: Request, repository: Repository) -> Body:
    fields, _, path = line.partition("\t")
    mode, kind, sha, size = fields.split()
    url = f"{request.api}/repos/{repository.full_name}/git/{kind}s/{sha}"
    body: Body = {"path": path, "mode": mode, "type": kind, "sha": sha, "url": url}
    return body | {"size": int(size)} if kind == "blob" else body
