"""Every sentence that people read on GitHub: commit messages here, the pull request's body beside.

What comes from models, files or the gateway is shown as code (`formats.markdown_text`).
"""

from __future__ import annotations

import re

from evalcore.formats.markdown_text import CELL, escape_markdown
from evalcore.publishing.pull_request import Results, pull_request_body

__all__ = [
    "CELL",
    "Results",
    "commit_message",
    "commit_subject",
    "escape_markdown",
    "is_commit_of",
    "merge_message",
    "pull_request_body",
]

TRAILER = "Evaluator-Job"


def commit_subject(results: Results) -> str:
    """The subject of the results commit, and the title of its pull request."""
    models = len({record.model for record in results.records})
    # A version is text of a prompt file: with a line break it could add a trailer of its own.
    subject = f"eval({results.slug}): {_plain(results.version)}, {models} models"
    suffix = results.options.commit_suffix.strip()
    return f"{subject} {suffix}" if suffix else subject


def commit_message(results: Results) -> str:
    """The whole message of the results commit; its trailer lets a restarted service know its own work."""
    trailers = f"Prompt-Commit: {results.prompt_commit}\n{TRAILER}: {results.job_id}\n"
    return f"{commit_subject(results)}\n\n{trailers}"


def merge_message(slug: str, default_branch: str) -> str:
    """The message of the commit that makes open results merge again."""
    return f"Merge {default_branch} into the results of {slug}\n\nRecords are united by run id.\n"


def is_commit_of(message: str, job_id: str) -> bool:
    """Whether a commit message is of that job."""
    return f"{TRAILER}: {job_id}" in message.splitlines()


def _plain(text: str) -> str:
    """What may stand in a subject: the characters of a version, and no others."""
    return re.sub(r"[^0-9A-Za-z.+-]", "", text)[:CELL]
