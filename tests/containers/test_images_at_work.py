"""The images leave out what nothing in them loads: here everything in them is loaded, and does its work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.containers.engine import LABEL, remove_project
from tests.containers.images import Images

from evalsim.documents import images as pictures
from evalsim.documents import pdf, word
from evalsim.documents.notices import Notice
from evalsim.library import as_git, write_sample_data_sets, write_sample_library

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

CONFINED = ["run", "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none"]
SKILL, MODEL = "expense-memo", "openai/gpt-oss-120b"
IMPORTED = """
import importlib, json, pkgutil, sys
found = []
for package in sys.argv[1:]:
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        importlib.import_module(module.name)
        found.append(module.name)
print(json.dumps(found))
"""
LOOKED_AT = """
import asyncio, json, pathlib
from evalcore.documents.inspection import inspect_document, text_layer
from evalcore.library.component import Document
found = {}
for path in pathlib.Path("/documents").iterdir():
    data = path.read_bytes()
    document = Document(name=path.name, sha256="0" * 64, size=len(data), path=path.name)
    seen = asyncio.run(inspect_document(document, data, dpi=200))
    text = asyncio.run(text_layer(document, data)) if path.stem in {"typed", "locked"} else None
    found[path.name] = [seen.problem, seen.pages, getattr(text, "text", None)]
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("name", "packages"), [("hook", "evalcore evalhook"), ("runner", "evalcore evalcli")]
)
def test_every_module_of_ours_finds_what_it_imports(
    docker: Any, images: Images, name: str, packages: str
) -> None:
    image: str = getattr(images, name)
    told = docker(*CONFINED, "--entrypoint", "python3", image, "-c", IMPORTED, *packages.split(), seconds=120)
    assert {f"{package}.main" for package in packages.split()[1:]} < set(json.loads(told))


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    pages, page = Notice(1).pages(2), Notice(2).page()
    made = {
        "typed.pdf": pdf.text_pdf(pages),
        "scanned.pdf": pdf.scanned_pdf(pages),
        "locked.pdf": pdf.encrypted_pdf(pages, "secret"),
        "typed.docx": word.docx(page),
        "photograph.png": pictures.png(page),
        "snapshot.jpg": pictures.jpeg(page),
        "fax.tiff": pictures.tiff(pages),
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    folder.chmod(0o755)
    return folder


@pytest.mark.parametrize("name", ["hook", "runner"])
def test_documents_of_every_kind_are_read(docker: Any, images: Images, documents: Path, name: str) -> None:
    mounted = ["--volume", f"{documents}:/documents:ro", "--entrypoint", "python3"]
    found = json.loads(docker(*CONFINED, *mounted, getattr(images, name), "-c", LOOKED_AT, seconds=300))
    problem, pages, _ = found.pop("locked.pdf")
    assert (problem, pages) == ("is encrypted: take its password off", None)
    assert {name: seen[:2] for name, seen in found.items()} == {
        "typed.pdf": [None, 2],
        "scanned.pdf": [None, 2],
        "typed.docx": [None, None],
        "photograph.png": [None, 1],
        "snapshot.jpg": [None, 1],
        "fax.tiff": [None, 2],
    }
    assert Notice(1).expected["award_number"] in found["typed.pdf"][2]
    assert Notice(2).expected["award_number"] in found["typed.docx"][2]


@pytest.fixture(scope="module")
def run(
    docker: Any, images: Images, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """Run a script in the runner image, in the sample library, beside a simulated MindRouter."""
    project = images.project("at-work")
    folder = tmp_path_factory.mktemp("libraries")
    write_sample_library(folder / "prompt-library")
    as_git(folder / "prompt-library")
    write_sample_data_sets(folder / "evaluation-data-sets")
    folder.chmod(0o755)
    begun = ["run", "--detach", "--label", f"{LABEL}={project}", "--network", f"{project}-network"]
    begun += ["--volume", f"{folder}:/given:ro"]
    answers = ["--answers=/given/prompt-library", "--answers=/given/evaluation-data-sets"]
    settings = [
        "--env",
        f"MINDROUTER_BASE_URL=http://{project}-mindrouter:8000",
        "--env",
        "MINDROUTER_API_KEY=k",
    ]
    confined = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--workdir", "/tmp"]
    try:
        docker("network", "create", "--internal", "--label", f"{LABEL}={project}", f"{project}-network")
        served = ["--name", f"{project}-mindrouter", images.simulator, "mindrouter", *answers]
        docker(*begun, *served, "--host=0.0.0.0", "--port=8000")
        docker(
            *begun, "--name", f"{project}-runner", *settings, *confined, images.runner, "sleep", "infinity"
        )

        def script(text: str) -> str:
            done: str = docker(
                "exec", f"{project}-runner", "bash", "-euo", "pipefail", "-c", text, seconds=300
            )
            return done

        script("cp -r /given/. /tmp && curl --silent --retry 60 --retry-connrefused --retry-delay 1"
               ' --output /dev/null "$MINDROUTER_BASE_URL/health"')  # fmt: skip
        yield lambda text: script(f"cd /tmp/prompt-library; {text}")
    finally:
        remove_project(project)


@pytest.fixture(scope="module")
def evaluated(run: Callable[[str], str]) -> str:
    """What was said of an evaluation on all models of the library."""
    return run(f"evalcli evaluate {SKILL} --replicates 2")


def test_an_evaluation_is_recorded_shown_and_compared(run: Callable[[str], str], evaluated: str) -> None:
    assert MODEL in evaluated
    board = f"components/{SKILL}/leaderboard.json"
    for command in (
        f"leaderboard show {SKILL}",
        f"runs {SKILL}",
        f"show {SKILL}/{MODEL}",
        f"compare {board} {board}",
        "models list",
    ):
        assert MODEL in run(f"evalcli {command}"), command
    assert SKILL in run("evalcli list")
    assert "case conference-dinner" in run(f"evalcli score explain {SKILL}")
    assert "identical" in run(f"evalcli rescore {SKILL}/{MODEL}")


@pytest.mark.usefixtures("evaluated")
def test_its_report_has_charts_as_pictures(run: Callable[[str], str]) -> None:
    run(f"evalcli report --out /tmp/reports {SKILL}/{MODEL}")
    begins = run(
        "for chart in /tmp/reports/*/charts/*.png; do head -c 8 $chart | od -An -tx1; done"
    ).splitlines()
    assert {line.strip() for line in begins} == {"89 50 4e 47 0d 0a 1a 0a"}
    assert "<html" in run("evalcli dashboard --out /tmp/site >&2; cat /tmp/site/index.html")


def test_a_campaign_on_one_machine_is_kept_in_sqlite(run: Callable[[str], str]) -> None:
    campaign = {"name": "spring", "models": [MODEL], "components": [SKILL], "replicates": 2}
    run(f"echo '{json.dumps(campaign)}' >/tmp/spring.yaml; evalcli campaign run /tmp/spring.yaml")
    told = json.loads(run("test -s .evaluator/runs/campaigns.sqlite; evalcli campaign status --json spring"))
    assert told["counts"] == {"complete": 1}
