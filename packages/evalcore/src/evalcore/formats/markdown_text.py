"""Text of others, escaped for GitHub: shown as code, where nothing is a mention, link, image or structure."""

from __future__ import annotations

import re
import unicodedata

CELL = 80
"""Characters of such a text in a table."""
REASON = 200
EMPTY = "(empty)"
SKIP_MARK = re.compile(r"\[\s*(skip|no|ci|actions)\s+(ci|skip|actions)\s*\]", re.IGNORECASE)


def escape_markdown(text: str, limit: int) -> str:
    """Show any text as one line of Markdown code, of at most `limit` characters of the text.

    Control and invisible characters become spaces, `|` becomes `¦`; skip-CI marks and workflow commands
    are broken by a character that cannot be seen. In code GitHub links, mentions and interprets nothing.
    """
    # Cut before it is looked at letter by letter: a text may be megabytes.
    visible = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text[: 4 * limit])
    # `|` ends a table's cell even in code.
    line = " ".join(visible.split()).replace("|", "¦")
    line = line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    # A squashed commit's message takes over the text of its pull request, and with it what skips the checks.
    line = SKIP_MARK.sub(lambda mark: mark[0].replace(" ", "\u00a0"), line)
    # At the beginning of a line of a job's log these are orders to GitHub's runner.
    line = re.sub(":(?=:)", ":\u200b", line).replace("##[", "#\u200b#[")
    line = re.sub(r"(skip-checks:) *(true)", "\\1\u00a0\\2", line, flags=re.IGNORECASE)
    if not line:
        return EMPTY
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    # A space on both sides is taken off again by Markdown, and keeps the fence from the text's own backticks.
    return f"{fence} {line} {fence}" if line[0] == "`" or line[-1] == "`" else f"{fence}{line}{fence}"
