"""Git's smart HTTP through git's own backend."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from evalsim.github.backend import serve_git
from evalsim.github.repository import BareRepository


def test_a_push_that_is_cut_off_in_its_body_leaves_no_backend_behind(tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "README.md").write_text("hello\n")
    BareRepository.create(tmp_path / "owner/library.git", seed, default_branch="main")
    scope = {
        "method": "POST",
        "query_string": b"",
        "headers": [
            (b"content-type", b"application/x-git-receive-pack-request"),
            (b"content-length", b"1000"),
        ],
    }
    messages = iter(
        [
            {"type": "http.request", "body": b"00a5" + b"0" * 40, "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        del message  # nobody is there any more

    asyncio.run(
        asyncio.wait_for(
            serve_git(
                scope,
                receive,
                send,
                root=tmp_path,
                path="/owner/library.git/git-receive-pack",
                user="bot",
                refusal=None,
            ),
            60,
        )
    )
