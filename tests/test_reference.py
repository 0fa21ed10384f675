"""docs/reference.md is true: each of its tables says what the code says, both ways round."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import click
import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler

import evalcli.main
import evalcore
import evalcore.clients
import evalhook
import evalhook.main
import evalsim.main
from evalcli.exits import Exit
from evalcore.clients.reply import Reply
from evalcore.errors import EvaluatorError
from evalcore.library import models, models_file
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import RunRecord
from evalhook import errors, problems
from evalhook.config.settings import inspect_settings
from evalhook.errors import CurrentJob, Refusal
from evalhook.jobs import EvaluateRequest
from evalhook.problems import Problem
from evalhook.web import page_routes, routes
from evalhook.web.schemas import Accepted, JobView
from evalsim.demo.failure import DemoError

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
PROGRAMS: dict[str, click.Group] = {
    "evalcli": evalcli.main.cli,
    "evalhook": evalhook.main.cli,
    "evalsim": evalsim.main.main,
}
EVERY_CALL = {403, 431}
BEHIND_TOKEN = {401, 500}


def rows(first_header: str) -> list[list[str]]:
    """The rows of the table whose first column has this header; a cell keeps its Markdown."""
    lines = PAGE.read_text("utf-8").splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith(f"| {first_header} |")]
    assert len(starts) == 1, f"one table begins with the column {first_header!r}"
    found = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def names(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def first_names(header: str) -> list[str]:
    """The names in the first column of a table."""
    return [name for row in rows(header) for name in names(row[0])]


def table_after(words: str, column: int = 0) -> list[str]:
    """The names in a column of the first table after these words."""
    _, found, rest = PAGE.read_text("utf-8").partition(words)
    assert found, f"the page says {words!r}"
    table = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
    assert table is not None
    lines = table[0].splitlines()[2:]
    return [name for line in lines for name in names(re.split(r"(?<!\\)\|", line)[1 + column])]


def struct_in(annotation: Any) -> type[msgspec.Struct] | None:
    """The Struct of ours that an annotation holds, in whatever tuple or union."""
    if inspect.isclass(annotation) and issubclass(annotation, msgspec.Struct):
        return annotation
    return next(filter(None, map(struct_in, get_args(annotation))), None)


def is_sequence(annotation: Any) -> bool:
    if get_origin(annotation) in {Union, UnionType}:
        return any(map(is_sequence, get_args(annotation)))
    return get_origin(annotation) in {tuple, list}


def paths(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """The paths of a Struct's fields and of those inside them, in the order that they are written in."""
    hints = get_type_hints(struct)
    for field in struct.__struct_fields__:
        yield f"{prefix}{field}"
        inner = struct_in(hints[field])
        if inner is not None:
            yield from paths(inner, f"{prefix}{field}{'[]' if is_sequence(hints[field]) else ''}.")


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("scoring_worker"):  # a program, which reads its standard input
            yield importlib.import_module(found.name)


def subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


# Files


def test_the_record_has_these_fields_in_this_order() -> None:
    _, _, section = PAGE.read_text("utf-8").partition("## Run record")
    section, _, _ = section.partition("### What a failure counts as")
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert [name for cell in cells for name in names(cell)] == list(paths(RunRecord))


def test_the_plan_and_the_replies_have_these_fields() -> None:
    assert sorted(first_names("field of `run.json`")) == sorted(RunPlan.__struct_fields__)
    assert sorted(first_names("field of a reply")) == sorted(Reply.__struct_fields__)


def test_models_yaml_has_these_keys() -> None:
    assert first_names("key of a provider") == list(models_file._ProviderEntry.__struct_fields__)
    (spoken,) = [row[1] for row in rows("key of a provider") if row[0] == "`api`"]
    assert set(names(spoken)) == set(get_args(models.DialectName)), (
        "docs/reference.md, `api`: run `make docs`"
    )
    assert first_names("key of a model") == list(models_file._ModelEntry.__struct_fields__)
    defaults = {row[0].strip("`"): row[1].strip("`") for row in rows("key of a model")}
    entry = models_file._ModelEntry(id="", provider="")
    assert defaults["structured_output"] == entry.structured_output
    assert float(defaults["timeout"]) == entry.timeout
    assert float(defaults["idle_timeout"]) == entry.idle_timeout
    assert names(PAGE.read_text("utf-8").partition("Built in are ")[2].partition(";")[0]) != []
    assert set(names(PAGE.read_text("utf-8").partition("Built in are ")[2].partition(";")[0])) == set(
        models.BUILT_IN
    )


def test_the_example_of_models_yaml_names_every_dialect() -> None:
    example = (PAGE.parents[1] / ".evaluator" / "models.yaml").read_text("utf-8")
    named = set(example.partition("# wire dialect: ")[2].partition("\n")[0].split(" | "))
    assert named == set(get_args(models.DialectName)), ".evaluator/models.yaml, `api`: run `make docs`"


# Commands


def commands(
    group: click.Group, words: tuple[str, ...], above: click.Context | None
) -> Iterator[tuple[str, list[str]]]:
    # With its settings: click remembers a command's help option as it is first asked for.
    context = click.Context(group, info_name=words[-1], parent=above, **group.context_settings)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name), context)
            continue
        inside = click.Context(command, info_name=name, parent=context)
        pieces = [piece for piece in command.collect_usage_pieces(inside) if piece != "[OPTIONS]"]
        options = [
            option
            for parameter in command.params
            if isinstance(parameter, click.Option)
            for option in (*parameter.opts, *parameter.secondary_opts)
        ]
        yield " ".join((*words, name, *pieces)), options


def test_every_command_stands_there_with_every_option() -> None:
    written = {names(row[0])[0]: names(row[1]) for row in rows("command")}
    said = dict(line for name, group in PROGRAMS.items() for line in commands(group, (name,), None))
    differ = [
        command for command in written.keys() | said.keys() if written.get(command) != said.get(command)
    ]
    assert not differ, f"docs/reference.md, under Commands: `make docs` writes the rows of {sorted(differ)}"


def test_every_exit_code_stands_there() -> None:
    written: dict[str, set[int]] = {}
    for program, code, _ in rows("program"):
        written.setdefault(program.strip("`"), set()).add(int(code))
    assert written == {
        "evalcli": set(map(int, Exit)),
        "evalhook": {0, evalhook.main.FAILED, evalhook.main.UNUSABLE},
        "evalsim": {0} | {kind.exit_code for kind in (DemoError, *subclasses(DemoError))},
    }


# API


@pytest.fixture(scope="module")
def handlers() -> dict[str, HTTPRouteHandler]:
    """Every handler of the service, by method and path."""
    found = {}
    for module in modules(evalhook):
        for handler in vars(module).values():
            if isinstance(handler, HTTPRouteHandler):
                methods = handler.http_methods - {"HEAD", "OPTIONS"}
                found |= {
                    f"{method} {re.sub(r':str}', '}', path)}": handler
                    for method in methods
                    for path in handler.paths
                }
    return found


def test_every_endpoint_stands_there(handlers: dict[str, HTTPRouteHandler]) -> None:
    assert len(handlers) > 10
    differ = set(first_names("call")) ^ set(handlers)
    assert not differ, (
        f"docs/reference.md, under HTTP API: `make docs` adds or removes the rows of {sorted(differ)}"
    )
    assert len(first_names("call")) == len(handlers)


def test_every_handler_is_served(handlers: dict[str, HTTPRouteHandler]) -> None:
    served = {id(handler) for handler in (*routes.ROUTES, *page_routes.ROUTES)}
    unserved = sorted(call for call, handler in handlers.items() if id(handler) not in served)
    assert not unserved, (
        f"name the handlers of {unserved} in ROUTES of evalhook's web/routes.py or page_routes.py"
    )


def test_an_endpoints_answer_and_refusals_are_those_that_it_describes(
    handlers: dict[str, HTTPRouteHandler],
) -> None:
    described = 0
    for call, token, answer, refusals in rows("call"):
        handler = handlers[names(call)[0]]
        assert int(answer[:3]) == handler.status_code or handler.paths == {"/"}
        if handler.responses:
            described += 1
            common = EVERY_CALL | (BEHIND_TOKEN if token == "yes" else set())
            assert {int(status) for status in re.findall(r"\d{3}", refusals)} | common == set(
                handler.responses
            ), f"docs/reference.md, the row of {call}: `make docs` writes its refusals from `responses`"
            assert bool(handler.security) == (token == "yes"), call
    assert described > 5


def test_requests_and_jobs_have_these_fields() -> None:
    assert first_names("field of `POST /evaluate`") == list(EvaluateRequest.__struct_fields__)
    _, _, section = PAGE.read_text("utf-8").partition("### The job")
    section, _, _ = section.partition("### Refusals")
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert [name for cell in cells for name in names(cell)] == list(paths(JobView))
    accepted = section.partition("The answer to `POST /evaluate` has ")[2]
    assert names(accepted) == list(Accepted.__struct_fields__)


def made_refusals() -> Iterator[Problem]:
    """One of each kind of refusal that the service can answer with."""
    made = {
        "str": "x",
        "int": 1,
        "float": 1.0,
        "CurrentJob": CurrentJob(job_id="x", skill="x", started_at="x"),
    }

    def arguments(function: Any) -> list[Any]:
        parameters = list(inspect.signature(function).parameters.values())
        return [made[str(p.annotation)] for p in parameters if p.default is p.empty]

    for kind in subclasses(Refusal):
        if kind.__module__ == errors.__name__:
            yield problems.of_refusal(kind(*arguments(kind)))
    for name, function in inspect.getmembers(problems, inspect.isfunction):
        if function.__annotations__.get("return") == "Problem" and not name.startswith(("of_", "_")):
            yield function(*arguments(function))
    for status in (400, 404, 405, 413, 415):
        yield problems.of_status(status, "x")


def test_every_refusal_stands_there() -> None:
    written = {(int(row[0]), names(row[1])[0]) for row in rows("status")}
    made = {(problem.status, problem.code) for problem in made_refusals()}
    assert written == made, (
        "docs/reference.md, the table under Refusals: add a row with status, code and meaning of "
        f"{sorted(made - written)}, remove {sorted(written - made)}"
    )


# Error codes


def test_every_code_of_an_error_stands_there() -> None:
    everything = [*modules(evalcore), *modules(evalcli), *modules(evalhook)]
    codes = {kind.code for kind in subclasses(EvaluatorError) if not kind.__module__.startswith("evalsim")}
    literal = {
        code
        for module in everything
        for code in re.findall(r'JobError\("(\w+)"', inspect.getsource(module) or "")
    }
    assert {"no_model_served", "internal"} <= literal
    assert set(table_after("Of a failed job (`error.code`)")) == codes | literal


def test_every_code_of_a_failed_call_stands_there() -> None:
    sources = map(inspect.getsource, modules(evalcore.clients))
    codes = {code for source in sources for code in re.findall(r'code="(\w+)"', source)}
    assert len(codes) > 15
    assert set(table_after("Of one call (`error.code` of a reply")) == codes


# Settings


def test_every_setting_that_the_operators_page_lists_is_one() -> None:
    _, _, section = (PAGE.parent / "operations.md").read_text("utf-8").partition("## Settings")
    listed = section.partition("For Caddy and compose alone")[0]
    cells = re.findall(r"^\| (`.*?) \|", listed, re.MULTILINE)
    # `EVALHOOK_DATA_SETS`, `..._URL` may share a row; the defaults and meanings name no setting.
    found, known = sorted(written(cells)), sorted(inspect_settings({}).shown)
    rows = sorted(set(found) ^ set(known))
    assert found == known, f"docs/operations.md, Settings: `make docs` adds or removes the rows of {rows}"


def written(cells: Iterable[str]) -> list[str]:
    return [name for cell in cells for name in re.findall(r"`([A-Z][A-Z_]+)`", cell)]
