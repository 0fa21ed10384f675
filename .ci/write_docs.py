"""Write what the docs can take from the code: `make docs`. A row or a text that is right stays as it is.

- docs/commands.md: each block that begins with `$ evalcli ... --help`; a command without one gets it at
  the end
- docs/reference.md: the table of commands; the rows of endpoints (what is written of an answer stays); the
  row of `api`, and the comment beside `api` in .evaluator/models.yaml, from `evalcore.clients.registry`
- docs/operations.md: the table of settings, from `evalhook.config.table`, and that of GitHub's permissions,
  from `evalcore.github.permissions`
- evalcore/reports/pages/scoring.md: docs/scoring.md, which the dashboard carries along
- docker/compose.yaml: the settings that are handed on as docker/.env sets them
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, get_args

import click
from click.testing import CliRunner
from litestar.handlers import HTTPRouteHandler
from ruamel.yaml import YAML

import evalcli.main
import evalhook.main
import evalsim.main
from evalcore.github.permissions import PERMISSIONS
from evalcore.library.models import DialectName
from evalhook.config.table import SETTINGS
from evalhook.web import page_routes, routes

ROOT: Final = Path(__file__).resolve().parent.parent
PROGRAMS: Final[dict[str, click.Group]] = {
    "evalcli": evalcli.main.cli,
    "evalhook": evalhook.main.cli,
    "evalsim": evalsim.main.main,
}
BLOCK: Final = re.compile(r"```console\n\$ evalcli ([^\n]*--help)\n.*?```\n", re.DOTALL)
COMMANDS: Final = "| command | options |"
ENDPOINTS: Final = "| call | token | answer | refusals |"
PERMISSIONS_TABLE: Final = "| permission | level | needed | what for |"
SETTINGS_TABLE: Final = "| setting | default | meaning |"
HANDED_ON: Final = re.compile(
    r"(      # Handed on where \.env sets them[^\n]*\n(?:      #[^\n]*\n)*)((?:      [A-Z_]+:\n)*)"
)
DIALECTS_ROW: Final = re.compile(r"(?<=^\| `api` \| wire dialect: ).*(?= \|$)", re.MULTILINE)
DIALECTS_COMMENT: Final = re.compile(r"(?<= # wire dialect: ).*$", re.MULTILINE)
BY_OVERRIDE: Final = frozenset({"EVALHOOK_GITHUB_APP_ID"})
"""Set by an override file, as docs/operations.md shows: most deployments have a token instead of an App."""
TOKEN_STATUSES: Final = frozenset({401, 500})
COMMON_STATUSES: Final = frozenset({403, 431})
"""Of every call, so that no row names them."""


def commands(group: click.Group, words: tuple[str, ...], above: click.Context | None) -> Iterator[str]:
    """Yield the row of each command of a group and of the groups below it."""
    context = click.Context(group, info_name=words[-1], parent=above, **group.context_settings)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name), context)
        elif command is not None:
            inside = click.Context(command, info_name=name, parent=context)
            pieces = [piece for piece in command.collect_usage_pieces(inside) if piece != "[OPTIONS]"]
            options = [
                f"`{option}`"
                for parameter in command.params
                if isinstance(parameter, click.Option)
                for option in (*parameter.opts, *parameter.secondary_opts)
            ]
            shown = " ".join((*words, name, *pieces)).replace("|", "\\|")
            yield row(f"`{shown}`", ", ".join(options))


def help_lines(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the `--help` line of a group and of all commands below it."""
    yield " ".join((*words, "--help"))
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from help_lines(command, (*words, name))
            else:
                yield " ".join((*words, name, "--help"))


def help_block(line: str) -> str:
    """Return a command's help as it stands on the page, 80 columns wide."""
    program = PROGRAMS["evalcli"]
    said = CliRunner().invoke(program, line.split(), prog_name="evalcli", env={"COLUMNS": "80"})
    return f"```console\n$ evalcli {line}\n{said.output}```\n"


def with_help_texts(page: str) -> str:
    """Return docs/commands.md with every help text as the program has it."""
    present = set(BLOCK.findall(page))
    missing = [line for line in help_lines(PROGRAMS["evalcli"]) if line not in present]
    page = BLOCK.sub(lambda found: help_block(found[1]), page)
    return page + "".join(f"\n## {line.removesuffix(' --help')}\n\n{help_block(line)}" for line in missing)


def row(*cells: str) -> str:
    """Return a row of a Markdown table; an empty last cell is two spaces shorter."""
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def with_table(page: str, header: str, rows: Callable[[list[str]], list[str]]) -> str:
    """Replace the rows of the table with this header by what `rows` makes of them."""
    before, found, rest = page.partition(f"{header}\n")
    if not found:
        raise ValueError(f"no table has the header {header}")
    ruler, *lines = rest.splitlines(keepends=True)
    end = next((at for at, line in enumerate(lines) if not line.startswith("|")), len(lines))
    written = rows([line.rstrip("\n") for line in lines[:end]])
    return "".join([before, found, ruler, *(f"{line}\n" for line in written), *lines[end:]])


def endpoint_rows(present: list[str]) -> list[str]:
    """Return the rows of the endpoints: of those that are there, only the refusals are written anew."""
    rows = {re.findall(r"`([^`]+)`", line)[0]: line for line in present}
    handlers = {
        f"{method} {re.sub(r':str}', '}', path)}": handler
        for handler in (*routes.ROUTES, *page_routes.ROUTES)
        if isinstance(handler, HTTPRouteHandler)
        for method in sorted(handler.http_methods - {"HEAD", "OPTIONS"})
        for path in sorted(handler.paths)
    }
    kept = {call: line for call, line in rows.items() if call in handlers}
    return [
        endpoint_row(call, handlers[call], line)
        for call, line in (kept | {call: kept.get(call, "") for call in handlers}).items()
    ]


def endpoint_row(call: str, handler: HTTPRouteHandler, present: str) -> str:
    """Return the row of one endpoint; one that describes no refusals stays as it is written."""
    if present and not handler.responses:
        return present
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", present)[1:-1]]
    # One that the OpenAPI description leaves out does not say; all paths need the token by themselves.
    is_open = bool(handler.responses) and not handler.security
    needs, answer = cells[1:3] if cells else ("no" if is_open else "yes", first_answer(handler))
    common = COMMON_STATUSES | (TOKEN_STATUSES if needs == "yes" else frozenset())
    refusals = sorted(set(handler.responses or {}) - common)
    return row(f"`{call}`", needs, answer, ", ".join(map(str, refusals)))


def first_answer(handler: HTTPRouteHandler) -> str:
    """Say an endpoint's answer in its own words, until somebody writes better ones."""
    words = handler.response_description or handler.summary or inspect.getdoc(handler.fn) or ""
    first_line = words.partition("\n")[0]
    return f"{handler.status_code}, {first_line}".rstrip(",. ")


def setting_rows(_: list[str]) -> list[str]:
    """Return the rows of all settings."""
    return [
        row(
            f"`{setting.name}`{' (secret)' if setting.is_secret else ''}",
            setting.shown_default,
            setting.meaning,
        )
        for setting in SETTINGS
    ]


def permission_rows(_: object) -> list[str]:
    """Return the rows of GitHub's permissions."""
    return [
        row(each.shown, each.level, "yes" if each.is_needed else "no", each.purpose) for each in PERMISSIONS
    ]


def with_reference(page: str) -> str:
    """Return docs/reference.md with its tables of commands and of endpoints."""
    every = [line for name, group in PROGRAMS.items() for line in commands(group, (name,), None)]
    *others, last = (f"`{name}`" for name in get_args(DialectName))
    page = replaced(DIALECTS_ROW, f"{', '.join(others)} or {last}", page)
    return with_table(with_table(page, COMMANDS, lambda _: every), ENDPOINTS, endpoint_rows)


def with_dialects(example: str) -> str:
    """Return .evaluator/models.yaml with the wire dialects that it may name."""
    return replaced(DIALECTS_COMMENT, " | ".join(get_args(DialectName)), example)


def replaced(place: re.Pattern[str], text: str, page: str) -> str:
    """Write `text` into the one place of a page."""
    page, found = place.subn(lambda _: text, page)
    if found != 1:
        raise ValueError(f"{found} places are {place.pattern}, and not one")
    return page


def with_settings(page: str) -> str:
    """Return docs/operations.md with its tables of GitHub's permissions and of settings."""
    return with_table(with_table(page, PERMISSIONS_TABLE, permission_rows), SETTINGS_TABLE, setting_rows)


def with_environment(compose: str) -> str:
    """Return docker/compose.yaml with each setting that neither it nor the image gives a value.

    Secrets are left out: they come as files, whose lines are written by hand.
    """
    block = HANDED_ON.search(compose)
    if block is None:
        raise ValueError("docker/compose.yaml lacks the comment 'Handed on where .env sets them'")
    environment = YAML(typ="safe").load(compose)["services"]["hook"]["environment"]
    given = {name for name, value in environment.items() if value is not None}
    image = (ROOT / "docker/hook.Dockerfile").read_text("utf-8")
    given |= set(re.findall(r"\b(EVALHOOK_[A-Z_]+)=", image))
    names = [
        setting.name
        for setting in SETTINGS
        if not setting.is_secret and setting.name not in given | BY_OVERRIDE
    ]
    return compose[: block.start(2)] + "".join(f"      {name}:\n" for name in names) + compose[block.end(2) :]


def carried_along(_text: str) -> str:
    """Return docs/scoring.md as it stands, for the dashboard."""
    return (ROOT / "docs/scoring.md").read_text("utf-8")


WRITTEN: Final[dict[str, Callable[[str], str]]] = {
    "docs/commands.md": with_help_texts,
    "docs/reference.md": with_reference,
    "docs/operations.md": with_settings,
    "docker/compose.yaml": with_environment,
    ".evaluator/models.yaml": with_dialects,
    "packages/evalcore/src/evalcore/reports/pages/scoring.md": carried_along,
}

if __name__ == "__main__":
    for name, write in WRITTEN.items():
        path = ROOT / name
        before = path.read_text("utf-8")
        after = write(before)
        path.write_text(after, "utf-8")
        sys.stdout.write(f"{name}: {'unchanged' if after == before else 'written'}\n")
