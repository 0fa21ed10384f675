"""`evalcli cases read`: what would be sent for each document, and storing it as text."""

from __future__ import annotations

import json

import pytest

from evalcore.runs.leaderboard import parse_leaderboard
from evalsim.documents import pdf
from evalsim.documents.notices import Notice
from evalsim.mindrouter import AnswerBook, Fault, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running
from evalsim.testing import write_component

READER = "qwen/qwen3.5-122b"
MODELS = (
    f"documents: {{reader: mindrouter, model: {READER}}}\nmodels:\n- {{id: {READER}, provider: mindrouter}}\n"
)
ONE, TWO = Notice(1), Notice(2)


@pytest.fixture
def library(tmp_path):
    """Two documents with a text layer, a broken one, and a text."""
    folder = tmp_path / "library"
    write_component(folder, schema={"type": "object"}, cases={"text": {"a": 1}})
    for name, content in {
        "one": pdf.text_pdf(ONE.pages(1)),
        "two": pdf.text_pdf(TWO.pages(1)),
        "bad": pdf.truncated(pdf.text_pdf(ONE.pages(1))),
    }.items():
        add(folder / f"components/memo/evals/cases/{name}", content)
    (folder / ".evaluator").mkdir()
    (folder / ".evaluator/models.yaml").write_text(MODELS)
    return folder


def add(case, content):
    case.mkdir(parents=True)
    (case / "input.pdf").write_bytes(content)
    (case / "expected.json").write_text('{"a": 1}')


@pytest.fixture
def sim():
    config = SimConfig(models=(SimModel(id=READER), SimModel(id="blind/text")))
    return SimulatedMindRouter(config, AnswerBook({}))


@pytest.fixture
def read(evalcli, library, sim):
    def run(*options, **environment):
        with running(sim) as url:
            settings = {"MINDROUTER_BASE_URL": url, "MINDROUTER_API_KEY": "mr2_key"} | environment
            return evalcli("cases", "read", "memo", "--prompt-library", library, *options, **settings)

    return run


def sent(sim):
    return sum(sim.gateway.documents.values())


def test_each_document_is_shown_as_it_would_be_sent_and_a_bad_one_with_its_reason(read, sim):
    ended = read()
    assert ended.code == 1
    assert "== one: input.pdf, 1 page" in ended.out
    assert ONE.expected["award_number"] in ended.out
    assert TWO.expected["award_number"] in ended.out
    assert "read by mindrouter 2.9.58" in ended.out
    assert "case bad is skipped" in ended.err
    assert "is cut short" in ended.err
    assert "text" not in ended.out.split("==")[0]
    assert sent(sim) == 2


def test_a_case_may_be_named_and_nothing_is_read_twice(read, sim):
    assert read("--case", "one").code == 0
    ended = read("--case", "one")
    assert ended.code == 0
    assert TWO.expected["award_number"] not in ended.out
    assert sent(sim) == 1


def test_what_is_written_is_the_case_that_an_evaluation_would_have_sent(read, library, evalcli, sim):
    with running(sim) as url:
        settings = {"MINDROUTER_BASE_URL": url, "MINDROUTER_API_KEY": "mr2_key"}
        line = ("evaluate", "memo", "--replicates", "1", "--prompt-library", library, "--allow-skipped")
        assert evalcli(*line, **settings).code == 0
    ended = read("--write", "--case", "one", "--case", "two")
    written = library / "components/memo/evals/cases/one/input.md"
    assert ended.code == 0
    assert str(written) in ended.out
    assert ONE.expected["award_number"] in written.read_text()
    with running(sim) as url:
        assert evalcli(*line, MINDROUTER_BASE_URL=url, MINDROUTER_API_KEY="mr2_key").code == 0
    first, second = parse_leaderboard(
        (library / "components/memo/leaderboard.json").read_bytes(), "leaderboard.json"
    ).runs
    # The figures count together: it is the same input, whoever has stored it.
    assert first["cases_sha256"] == second["cases_sha256"]
    assert {one["case"] for one in first["documents"]} == {"one", "two"}
    assert second["documents"] is None
    assert sent(sim) == 2


def test_where_all_inputs_are_texts_there_is_nothing_to_read(read, sim):
    ended = read("--case", "text")
    assert (ended.code, ended.out) == (0, "")
    assert "is a text already" in ended.err
    assert sent(sim) == 0


def test_a_machine_without_mindrouter_says_what_to_do(read):
    ended = read(MINDROUTER_BASE_URL=None)
    assert ended.code == 2
    assert "MINDROUTER_BASE_URL" in ended.err
    assert "evalcli cases read memo --write" in ended.err


def test_without_a_gateway_the_text_layer_is_read(read, library, sim):
    (library / "components/memo/evals/inputs.yaml").write_text("reader: text\n")
    ended = read("--case", "one", MINDROUTER_BASE_URL=None)
    assert ended.code == 0
    assert "read by text pypdf" in ended.out
    assert sent(sim) == 0


def test_what_is_sent_as_it_is_can_be_shown_and_not_stored(read, library):
    (library / "components/memo/evals/inputs.yaml").write_text("reader: none\n")
    assert "sent to the models as it is" in read("--case", "one").out
    ended = read("--write", "--case", "one")
    assert ended.code == 2
    assert "reads nothing that could be stored" in ended.err


def test_a_model_that_cannot_see_ends_it_with_a_line(read, library):
    (library / ".evaluator/models.yaml").write_text(MODELS.replace(READER, "blind/text"))
    ended = read("--case", "one")
    assert ended.code == 2
    assert "blind/text: the model cannot see pictures" in ended.err


def test_in_actions_a_confidential_document_is_not_shown(read, tmp_path):
    add(tmp_path / "evaluation-data-sets/memo/secret-name", pdf.text_pdf(Notice(7).pages(1)))
    beside = ("--data-sets", tmp_path / "evaluation-data-sets")
    ended = read("--case", "secret-name", *beside, GITHUB_ACTIONS="true")
    assert ended.code == 0
    for text in (ended.out, ended.err):
        assert "secret-name" not in text
        assert Notice(7).expected["award_number"] not in text
    here = read("--case", "secret-name", *beside)
    assert Notice(7).expected["award_number"] in here.out


def test_it_is_written_beside_a_document_of_the_data_sets(read, tmp_path):
    case = tmp_path / "evaluation-data-sets/memo/private"
    add(case, pdf.text_pdf(Notice(7).pages(1)))
    assert read("--write", "--case", "private", "--data-sets", case.parents[1]).code == 0
    assert Notice(7).expected["award_number"] in (case / "input.md").read_text()


def test_nothing_is_written_outside_of_the_library(read, library, tmp_path):
    """A case's folder that is a link out of the library is not read in the first place."""
    add(tmp_path / "elsewhere/linked", pdf.text_pdf(ONE.pages(1)))
    (library / "components/memo/evals/cases/linked").symlink_to(tmp_path / "elsewhere/linked")
    ended = read("--write", "--case", "linked")
    assert ended.code == 2
    assert not (tmp_path / "elsewhere/linked/input.md").exists()


def test_faults_of_the_gateway_are_waited_out_or_said(read, sim):
    sim.faults.add([Fault(kind="server_error", endpoint="ocr", times=3)])
    assert read("--case", "one").code == 0
    assert sent(sim) == 2


def test_a_dry_run_says_what_reading_costs_and_calls_nobody(evalcli, library, sim):
    with running(sim) as url:
        settings = {"MINDROUTER_BASE_URL": url, "MINDROUTER_API_KEY": "mr2_key"}
        line = ("evaluate", "memo", "--dry-run", "--replicates", "2", "--prompt-library", library)
        ended = evalcli(*line, **settings)
        as_json = json.loads(evalcli(*line, "--json", **settings).out)
    assert f"2 documents are read first by `mindrouter`: up to 6 calls of {READER} for 2 pages" in ended.out
    assert as_json["reading"] == {
        "reader": "mindrouter",
        "documents": 2,
        "pages": 2,
        "uncounted": 0,
        "calls": 6,
    }
    assert as_json["calls"] == 6  # of the models: three cases, twice
    assert [case["case"] for case in as_json["skipped_cases"]] == ["bad"]
    assert sent(sim) == 0
