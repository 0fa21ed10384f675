"""`evalcli check`: each mistake that can be known without a call, by real files and real git."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.formats.strict_json import sha256_hex
from evalsim.library import as_git
from evalsim.testing import git, make_record, write_leaderboard

Evalcli = Callable[..., Any]

PROMPT = "---\nname: memo\nversion: {version}\ncategory: {category}\n---\n## Prompt\n{text}\n"
SCHEMA = {
    "type": "object",
    "properties": {"decision": {"enum": ["yes", "no"]}, "items": {"items": {"type": "integer"}}},
}
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n"


class Library:
    """A prompt library on the disk, in which tests put things wrong."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.prompt()
        self.write("components/memo/schema.json", json.dumps(SCHEMA))
        self.case("one")
        self.write(".evaluator/models.yaml", "models:\n  - {id: a, provider: openai}\n")

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def prompt(self, version: str = "1.1.0", category: str = "review", text: str = "Decide.") -> None:
        self.write("components/memo/prompt.md", PROMPT.format(version=version, category=category, text=text))

    def case(self, name: str, expected: str = '{"decision": "yes"}', **files: str) -> None:
        folder = f"components/memo/evals/cases/{name}"
        for file, text in {"input.md": "?", "expected.json": expected, **files}.items():
            self.write(f"{folder}/{file}", text)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


@pytest.fixture
def check(evalcli: Evalcli, library: Library) -> Callable[..., Any]:
    def run(*arguments: str, **environment: str) -> Any:
        return evalcli("check", *arguments, "--prompt-library", library.root, **environment)

    return run


def test_a_library_without_mistakes_is_exit_code_0(check: Callable[..., Any]) -> None:
    ended = check("--strict")
    assert (ended.code, ended.out, ended.err) == (0, "1 component: 0 errors, 0 warnings\n", "")


def test_all_that_is_wrong_in_a_file_is_a_finding_each_before_a_call_too(
    check: Callable[..., Any], evalcli: Evalcli, library: Library
) -> None:
    policy = "fields:\n  decison: exact\n  items: {compare: exactly}\n"
    library.write("components/memo/evals/scoring.yaml", policy)
    library.write(
        ".evaluator/models.yaml", "models:\n  - {id: a, provider: opnai}\n  - {id: b, proivder: openai}\n"
    )
    told = [
        ".evaluator/models.yaml:2: the provider `opnai` is unknown",
        ".evaluator/models.yaml:3: the key is unknown: `proivder`",
        ".evaluator/models.yaml:3: a key is missing: `provider`",
        "components/memo/evals/scoring.yaml:2: there is no field `decison`",
        "components/memo/evals/scoring.yaml:3: unknown comparator `exactly`",
    ]
    out = check().out.splitlines()
    assert [line for line in out if "error" in line and ".yaml" in line] == [
        line for line in out if any(line.startswith(f"error: {one}") for one in told)
    ]
    assert "5 errors" in out[-1]
    library.write(".evaluator/models.yaml", "models:\n  - {id: a, provider: openai}\n")
    refused = evalcli("evaluate", "memo", "--prompt-library", library.root, OPENAI_API_KEY="key")
    assert refused.code == 2
    assert [line.partition("; ")[0] for line in refused.err.splitlines()] == [
        f"evalcli: {told[3]} in the schema nor in any expected answer",
        f"evalcli: {told[4]}",
    ]


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("components/memo/prompt.md", "# Memo\n", "components/memo/prompt.md:1: has no front matter"),
        ("component_catalog.json", "{", "component_catalog.json: is not JSON"),
        (
            "components/memo/schema.json",
            '{"type": 7}',
            "components/memo/schema.json: is not a valid JSON Schema",
        ),
        ("components/memo/evals/scoring.yaml", "fields:\n  decisoin: text\n", "did you mean `decision`?"),
        ("components/memo/evals/scoring.yml", "fields: {}", "move it to components/memo/evals/scoring.yaml"),
        ("components/memo/scoring.yaml", "fields: {}", "move it to components/memo/evals/scoring.yaml"),
        (".evaluator/models.yaml", "models:\n  - {id: a}\n", ".evaluator/models.yaml:2: "),
        ("components/memo/leaderboard.json", "[]", "memo/leaderboard.json: the leaderboard is not a JSON"),
        ("components/memo/evals/cases/one/expected.json", "{", "cases/one/expected.json: is not JSON"),
        ("components/memo/evals/cases/one/expected.json", "[]", "expected.json: is no json"),
        ("components/memo/evals/cases/one/input.md", POINTER, "one/input.md: is a Git LFS pointer"),
    ],
)
def test_what_an_evaluation_would_refuse_or_leave_out_is_an_error(
    check: Callable[..., Any], library: Library, path: str, text: str, line: str
) -> None:
    library.case("two")
    if "is no json" in line:
        catalog = {"components": [{"slug": "memo", "contracts": {"output": {"format": "json_object"}}}]}
        library.write("component_catalog.json", json.dumps(catalog))
    library.write(path, text)
    ended = check()
    assert ended.code == 1
    assert line in ended.out
    assert ended.out.startswith("error: ")


def test_one_mistake_does_not_hide_the_next(check: Callable[..., Any], library: Library) -> None:
    library.write("components/memo/prompt.md", "# Memo\n")
    library.write("components/memo/evals/scoring.yaml", "fields:\n  nothing.here: text\n")
    library.case("two", "{")
    ended = check()
    for part in ("prompt.md:1", "scoring.yaml:2", "cases/two/expected.json"):
        assert part in ended.out
    assert "3 errors" in ended.out


def _stub(library: Library) -> None:
    library.write("components/memo/evals/cases/two/input.md", "?")


def _contradiction(library: Library) -> None:
    library.case("two", '{"decision": "no", "items": [1, "x"]}')


def _unknown_category(library: Library) -> None:
    library.write(
        "taxonomy.md", "## Categories\n\n- `review`: x\n- `code`: y\n\n## Domains\n\n- `reveiw`: z\n"
    )
    library.prompt(category="reveiw")


def _near_category(library: Library) -> None:
    library.prompt(category="draftng")


def _stale(library: Library) -> None:
    library.case("two", **{"metadata.yaml": "validated_against_version: 1.0.0\n"})


def _old_catalog(library: Library) -> None:
    library.write(
        "component_catalog.json", json.dumps({"components": [{"slug": "memo", "version": "1.0.0"}]})
    )


def _absent_component(library: Library) -> None:
    library.write(
        "component_catalog.json", json.dumps({"components": [{"slug": "gone"}, {"slug": "also-gone"}]})
    )


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (_stub, "cases/two: has no expected answer (expected.json); the case is left out"),
        (_contradiction, 'cases/two/expected.json: contradicts the schema at `items[1]`: "x" is not'),
        (_unknown_category, "prompt.md: the category `reveiw` is unknown; did you mean `review`?"),
        (_near_category, "the category `draftng` is unknown; did you mean `drafting`?"),
        (_stale, "two/metadata.yaml: validated against version 1.0.0, and the prompt is 1.1.0"),
        (_old_catalog, "component_catalog.json (memo): says version 1.0.0, and prompt.md 1.1.0"),
        (_absent_component, "component_catalog.json: names what is not in components/: `gone`, `also-gone`"),
    ],
)
def test_what_is_evaluated_all_the_same_is_a_warning(
    check: Callable[..., Any], library: Library, spoil: Callable[[Library], None], line: str
) -> None:
    spoil(library)
    ended = check()
    assert (ended.code, ended.out.startswith("warning: ")) == (0, True)
    assert line in ended.out
    assert check("--strict").code == 1


def test_a_text_that_changed_under_its_version_is_found_in_history(
    check: Callable[..., Any], library: Library
) -> None:
    as_git(library.root)
    assert "the prompt has changed" not in check().out
    library.prompt(text="Decide well.")
    assert "the prompt has changed since commit " in check().out
    git(library.root, "commit", "--all", "--message", "text")
    assert "the prompt has changed since commit " in check().out
    library.prompt(version="1.2.0", text="Decide very well.")
    assert "the prompt has changed" not in check().out


def test_a_text_that_changed_under_its_version_is_found_in_the_leaderboard(
    check: Callable[..., Any], library: Library, make_record: Callable[..., Any]
) -> None:
    path = library.root / "components/memo/leaderboard.json"
    write_leaderboard(path, make_record(component_version="1.1.0"))
    assert "has changed since it was evaluated (2026-01-05, run " in check().out
    write_leaderboard(path, make_record(component_version="1.0.0"))
    assert "has changed" not in check().out


def test_figures_by_another_policy_are_named_until_one_is_by_the_present_one(
    check: Callable[..., Any], library: Library, make_record: Callable[..., Any]
) -> None:
    path = library.root / "components/memo/leaderboard.json"
    first = make_record(component_version="1.1.0")
    write_leaderboard(path, first)
    said = (
        "by another scoring policy than the present one; `evalcli leaderboard rescore memo --policy current`"
    )
    assert said not in check().out
    text = "fields:\n  items: {ordered: true}\n"
    (library.root / "components/memo/evals/scoring.yaml").write_text(text)
    ended = check()
    assert (ended.code, said in ended.out) == (0, True)
    again = make_record(
        2, component_version="1.1.0", rescored_from=first.run_id, policy_sha256=sha256_hex(text.encode())
    )
    write_leaderboard(path, first, again)
    assert said not in check().out


def test_json_has_the_findings_and_how_many_they_are(check: Callable[..., Any], library: Library) -> None:
    library.case("two", "{")
    ended = check("memo", "--json")
    found = json.loads(ended.out)
    assert (ended.code, found["components"], found["errors"], found["warnings"]) == (1, ["memo"], 1, 0)
    (finding,) = found["findings"]
    assert finding["where"] == "components/memo/evals/cases/two/expected.json"
    assert (finding["severity"], finding["component"]) == ("error", "memo")


def test_an_unknown_component_and_another_folder_are_exit_code_2(
    evalcli: Evalcli, check: Callable[..., Any], tmp_path: Path
) -> None:
    ended = check("mmeo")
    assert (ended.code, ended.out) == (2, "")
    assert "did you mean `memo`?" in ended.err
    ended = evalcli("check", "--prompt-library", tmp_path)
    assert ended.code == 2
    assert "is not a prompt library" in ended.err


def test_actions_do_not_show_what_is_wrong_with_cases_of_the_data_sets(
    check: Callable[..., Any], library: Library
) -> None:
    data_sets = library.root.parent / "evaluation-data-sets"
    (data_sets / "memo" / "zebra").mkdir(parents=True)
    (data_sets / "memo" / "zebra" / "input.md").write_text("?")
    (data_sets / "memo" / "zebra" / "expected.json").write_text("{zebra")
    assert "zebra" in check().out
    ended = check(GITHUB_ACTIONS="true")
    assert ended.code == 1
    assert "zebra" not in ended.out
    assert "1 finding about memo" in ended.out


def test_a_folder_whose_name_no_component_can_have_is_an_error(
    check: Callable[..., Any], evalcli: Evalcli, library: Library
) -> None:
    library.write("components/My_Memo/prompt.md", PROMPT.format(version="1.0.0", category="a", text="b"))
    told = "components/My_Memo: is not a component's name, so nothing reads what is there; rename it"
    assert (check().code, told in check().out) == (1, True)
    empty = library.root.parent / "empty"
    (library.root / "components/My_Memo").rename(empty.parent / "My_Memo")
    (empty / "components").mkdir(parents=True)
    (empty.parent / "My_Memo").rename(empty / "components" / "My_Memo")
    ended = evalcli("list", "--prompt-library", empty)
    assert (ended.code, "components/My_Memo is not a component's name" in ended.err) == (2, True)


def test_findings_of_one_file_stand_together_and_no_advice_rests_on_a_policy_that_is_wrong(
    check: Callable[..., Any], library: Library
) -> None:
    run = make_record(1, component_version="1.1.0", prompt_sha256=sha256_hex(b"Decide."))
    write_leaderboard(library.root / "components/memo/leaderboard.json", run)
    library.write("components/memo/evals/scoring.yaml", "fields:\n  decison: exact\n  items: {wieght: 1}\n")
    library.case("broken", expected="{")
    lines = check().out.splitlines()
    places = [at for at, line in enumerate(lines) if "scoring.yaml" in line]
    assert places == list(range(places[0], places[0] + 2))
    assert not any("another scoring policy" in line for line in lines)
