"""What the demo writes: plain lines without a terminal, and text from outside that is never markup."""

from __future__ import annotations

import io

from rich.console import Console

from evalsim.demo.screen import Screen


def plain_screen() -> tuple[Screen, io.StringIO]:
    output = io.StringIO()
    return Screen(Console(file=output, highlight=False, width=80)), output


def terminal_screen() -> tuple[Screen, io.StringIO]:
    output = io.StringIO()
    return Screen(Console(file=output, highlight=False, width=80, force_terminal=True)), output


def test_without_a_terminal_there_are_plain_lines():
    screen, output = plain_screen()
    screen.step("The merge", "What happens.")
    screen.fact("title", "eval(x): 1.0.0, 4 models")
    screen.document("A title", "## Heading\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    with screen.progress("calls", 100) as show:
        for done in range(101):
            show(done, 100, 2)
    text = output.getvalue()
    assert "\x1b" not in text
    assert "   | ## Heading" in text
    assert [line.split(": ")[1] for line in text.splitlines() if "calls" in line and "errors" in line] == [
        f"{done} of 100 calls, 2 errors" for done in (0, 25, 50, 75, 100)
    ]


def test_columns_with_nothing_in_them_are_left_out():
    screen, output = plain_screen()
    screen.table(("model", "95 %", "p50"), [("a", "-", "7 ms"), ("bb", "-", "120 ms")], left=("model",))
    assert output.getvalue() == "model     p50\na        7 ms\nbb     120 ms\n"


def test_long_lines_are_not_broken_without_a_terminal():
    screen, output = plain_screen()
    screen.fact("body", "x" * 250)
    assert "x" * 250 in output.getvalue()


def test_what_comes_from_outside_is_text_and_never_markup():
    screen, output = terminal_screen()
    screen.fact("title", "[red]not red[/red] \x1b[2J")
    screen.table(("model",), [("[bold]x[/bold]",)], left=())
    screen.document("t", "a\x1b]0;owned\x07b")
    text = output.getvalue()
    assert "[red]not red[/red]" in text
    assert "[bold]x[/bold]" in text
    assert "\x1b[2J" not in text
    assert "\x1b]0" not in text


def test_on_a_terminal_the_pull_request_is_rendered():
    screen, output = terminal_screen()
    screen.document("A title", "## Results\n\n| model | accuracy |\n|---|---|\n| m | 0.9 |")
    assert "|---|" not in output.getvalue()
    assert "accuracy" in output.getvalue()


def test_a_wide_table_is_broken_and_not_cut_on_a_narrow_terminal():
    screen, output = terminal_screen()
    name = "some-organization/some-very-long-model-name"
    heads, rule = " | ".join(["reproducibility"] * 6), "|".join(["---"] * 6)
    screen.document("t", f"| {heads} |\n|{rule}|\n| {name} |" + " 1 |" * 5)
    assert "\N{HORIZONTAL ELLIPSIS}" not in output.getvalue()
