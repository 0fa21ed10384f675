"""`evalcli score`: one answer scored by hand, and the rules explained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec
from click.shell_completion import CompletionItem

from evalcli.commands.arguments import DATA_SETS, PROMPT_LIBRARY, SKILL
from evalcli.exits import PROGRAM, Exit, refuse
from evalcli.leaderboards.places import data_sets_of, require_library
from evalcli.reports.score_tree import difference_lines
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import print_bytes, warn
from evalcli.terminal.tables import print_lines, print_table
from evalcli.terminal.text import Span, Table, line
from evalcore.clients.dialect import UNREADABLE
from evalcore.clients.reply import Reply
from evalcore.decoding import decode_json
from evalcore.errors import CaseError, CheckoutError
from evalcore.evaluation.material import load_material, require_input_text
from evalcore.formats.strict_json import encode_canonical, rounded
from evalcore.library.checkout import FolderCheckout
from evalcore.library.component import Case, Component, SkippedCase
from evalcore.near_names import did_you_mean
from evalcore.runs.compression import COMPRESSED, REPLIES
from evalcore.runs.record import WORDING
from evalcore.scoring.answers import Parsed, parse_answer
from evalcore.scoring.difference import diff
from evalcore.scoring.explain import LeafRule, explain, weight_warnings
from evalcore.scoring.rules.field_rules import WORDING_CATEGORIES
from evalcore.scoring.scorer import plan_fields, scorer_of
from evalcore.structs import Frozen, JsonObject, JsonValue

MAX_ANSWER: Final = 64 * 1024 * 1024


class Scored(Frozen, frozen=True):
    """A component with its cases."""

    component: Component
    cases: tuple[Case, ...]
    skipped: tuple[SkippedCase, ...]

    def case(self, name: str) -> Case:
        """Return a case by its name; raises CaseError where there is none."""
        for case in self.cases:
            if case.name == name:
                return case
        for skipped in self.skipped:
            if skipped.case == name:
                what = f"case {name} cannot be used: {skipped.reason}"
                raise CaseError(what, where=self.component.slug, hint="mend it, or finish it")
        raise CaseError(
            f"there is no usable case {name!r:.110}",
            where=self.component.slug,
            hint=did_you_mean(name, [case.name for case in self.cases]) or self.names,
        )

    @property
    def names(self) -> str:
        """The cases that there are, in words."""
        return f"its cases: {', '.join(case.name for case in self.cases[:10])}"


class ScoreGroup(click.Group):
    """A group whose first command is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `answer` in front of anything that is neither a command nor a request for help."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            # `score COMPONENT` needs --case: without it, what is near a command was meant for one.
            has_case = any(argument.split("=")[0] == "--case" for argument in args)
            if not has_case and not ctx.resilient_parsing and (near := did_you_mean(args[0], self.commands)):
                refuse(f"`{args[0][:110]}` is no command, and a component needs --case", hint=near)
            args = ["answer", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer components beside the commands, since one may stand in the place of `answer`."""
        (argument,) = (one for one in answer.params if one.name == "component")
        return [*super().shell_complete(ctx, incomplete), *argument.shell_complete(ctx, incomplete)]


@click.group(
    name="score",
    cls=ScoreGroup,
    options_metavar="",
    subcommand_metavar="COMPONENT --case NAME ANSWER_FILE | explain COMPONENT",
)
def command() -> None:
    """Score one answer by hand, or explain the scoring rules of a component.

    `score COMPONENT ...` is short for `score answer COMPONENT ...`, which also takes a component
    that is called `explain` or `answer`.
    """


@command.command()
@click.argument("component", metavar="COMPONENT", type=SKILL, shell_complete=completed_by("components"))
@click.argument("answer_file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--case",
    "case_name",
    metavar="NAME",
    shell_complete=completed_by("cases"),
    help="The case that is answered; to be named.",
)
@PROMPT_LIBRARY
@DATA_SETS
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def answer(
    component: str,
    answer_file: str,
    case_name: str | None,
    prompt_library: Path,
    data_sets: Path | None,
    *,
    as_json: bool,
) -> int:
    """Score a reply to a case, from a file.

    ANSWER_FILE is read as a model's reply is, `-` from standard input. Shows what matched, what is wrong,
    missed and invented, by which rule and weight. Exit code 1 where there is no answer of the format that
    is asked for: such a reply scores 0.
    """
    _refuse_run_files(answer_file)
    read = _read(component, prompt_library, data_sets)
    if case_name is None:
        refuse("the case is not named", hint=f"add --case NAME; {read.names}")
    case = read.case(case_name)
    require_input_text(read.component, [case])
    parsed = parse_answer(_text_of(answer_file), read.component.output)
    if not isinstance(parsed, Parsed):
        _print_unparsed(component, case_name, parsed.reason, as_json=as_json)
        return Exit.INCOMPLETE
    difference = diff(scorer_of(read.component, case, plan_fields(read.component, read.cases)), parsed.value)
    if as_json:
        written: JsonObject = decode_json(msgspec.json.encode(difference), JsonValue)
        print_bytes(encode_canonical(rounded({"component": component, "case": case_name, **written})))
    else:
        title = f"{component}, case {case_name}"
        is_wording = read.component.category in WORDING_CATEGORIES
        print_lines(difference_lines(f"{title}; {WORDING}" if is_wording else title, difference))
    return Exit.DONE


@command.command(name="explain")
@click.argument("component", metavar="COMPONENT", type=SKILL, shell_complete=completed_by("components"))
@click.option(
    "--case", "case_name", metavar="NAME", shell_complete=completed_by("cases"), help="This case alone."
)
@PROMPT_LIBRARY
@DATA_SETS
@click.option("--json", "as_json", is_flag=True, help="A JSON array on standard output.")
def explain_command(
    component: str, case_name: str | None, prompt_library: Path, data_sets: Path | None, *, as_json: bool
) -> int:
    """Say which rule applies to every leaf, and why.

    For each leaf of every case's expected answer: the rule, its weight, and where the rule comes from.
    A list that holds over half of a case's weight, and a key field that weighs under 2 %, are warned of.
    """
    read = _read(component, prompt_library, data_sets)
    wanted = {case.name for case in (read.cases if case_name is None else (read.case(case_name),))}
    # All cases are read whatever is shown: whether a field is prose is decided by all of them together.
    rules = [rule for rule in explain(read.component, read.cases) if rule.case in wanted]
    for warning in weight_warnings(rules):
        warn(warning)
    if as_json:
        written: list[JsonValue] = decode_json(msgspec.json.encode(rules), JsonValue)
        print_bytes(encode_canonical(rounded(written)))
        return Exit.DONE
    for case in read.cases:
        if case.name in wanted:
            print_table(rules_table(case.name, [rule for rule in rules if rule.case == case.name]))
    return Exit.DONE


def rules_table(case: str, rules: Sequence[LeafRule]) -> Table:
    """Lay a case's rules out for reading."""
    return Table(
        title=f"case {case}",
        headings=("field", "expected", "rule", "weight", "why"),
        rows=tuple(
            (rule.path, _short(rule.expected), rule.rule, f"{rule.weight:.3g}", rule.why) for rule in rules
        ),
        numeric=frozenset({"weight"}),
    )


def _read(slug: str, prompt_library: Path, data_sets: Path | None) -> Scored:
    require_library(prompt_library)
    library = FolderCheckout(prompt_library)
    material = load_material(library, data_sets_of(prompt_library, data_sets), slug)
    return Scored(component=material.component, cases=material.cases, skipped=material.skipped_cases)


def _text_of(path: str) -> str:
    where = "standard input" if path == "-" else path
    try:
        with click.open_file(path, "rb") as file:
            data: bytes = file.read(MAX_ANSWER + 1)
        if len(data) > MAX_ANSWER:
            raise CheckoutError("is too large", where=where, hint=f"at most {MAX_ANSWER} bytes are read")
        return data.decode()
    except UnicodeDecodeError as error:
        raise CheckoutError("is not UTF-8", where=where, hint="save it as UTF-8") from error
    except OSError as error:
        raise CheckoutError(f"cannot be read ({error.strerror})", where=where, hint="name a file") from error


def _refuse_run_files(path: str) -> None:
    """Refuse the stored replies of a run, which would score as an answer that is all wrong."""
    file = Path(path)
    if path == "-" or not (file.name in {REPLIES, COMPRESSED} or _begins_with_a_reply(file)):
        return
    refuse(
        f"{path} holds the replies of a run, not one answer",
        hint=f"`{PROGRAM} show {file.parent} --case NAME` shows them scored",
    )


def _begins_with_a_reply(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            decode_json(opened.readline(MAX_ANSWER), Reply)
    except (OSError, *UNREADABLE):
        return False  # said where the file is read
    return True


def _print_unparsed(component: str, case: str, reason: str, *, as_json: bool) -> None:
    if as_json:
        print_bytes(
            encode_canonical(
                {"component": component, "case": case, "unparsed": reason, "score": {"accuracy": 0.0}}
            )
        )
        return
    print_lines(
        [
            line(Span(f"{component}, case {case}", "strong")),
            line("accuracy 0.000: ", Span("unparsable", "bad"), f": {reason}"),
        ]
    )


def _short(text: str, limit: int = 40) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
