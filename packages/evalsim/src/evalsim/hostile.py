"""What a model, a repository or a server might write to make somebody else's program do something."""

from __future__ import annotations

from typing import Final

HOSTILE: Final = (
    "@everyone", "@org/team", "#1", "GH-1", "org/library#1",
    "0123456789abcdef0123456789abcdef01234567", "https://evil.example", "www.evil.example",
    "evil@example.org", "[x](https://evil.example)", "![x](https://evil.example/x.png)",
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", '" onmouseover="alert(1)',
    "<!-- x", "</details></pre></code>", "&lt;b&gt;&#64;all", "javascript:alert(1)", "# heading",
    "\n\n# heading", "- [x] done", "> quote", "| a | b |", "```\ncode", "`` ` ``", "`", "a\\",
    "---", "$$x$$", ":+1:", "Closes #1", "Fixes: org/library#1",
    "Co-authored-by: x <x@example.org>", "[skip ci]", "[ci skip]", "[ Skip\nCI ]", "***NO_CI***",
    "skip-checks: true", "::error::x", "\n::error::x", "\r::add-mask::x", "::stop-commands::x",
    "##[error]x", "##vso[task.x]", "\x1b[31mred", "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "\x9b2J", "\x08\x08\x08", "\r\x1b[2Kover",
    "\u202egpj.exe", "\u2066x\u2069", "\u200b\u200d\ufeff", "\u2028\u2029line", "\x00", "\ud800",
    "e\u0301" * 200, "{}", "%(x)s %s %n", "${jndi:ldap://x}", "{{ 7*7 }}", "[red]x[/red]",
    "a" * 100_000,
)  # fmt: skip
"""Each alone; put them where a name, a reason or a reply stands."""
