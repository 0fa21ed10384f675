"""A prompt library with its year: the library copied, and in it versions, models and leaderboards."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from evalcore.errors import EvaluatorError
from evalcore.formats.versions import Version, parse_version
from evalcore.library.checkout import FolderCheckout
from evalcore.library.component import Component
from evalcore.library.loader import list_components, load_component
from evalcore.runs.leaderboard import encode_leaderboard, leaderboard_of
from evalcore.structs import JsonObject
from evalsim.history.report import write_report
from evalsim.history.world import MODELS, Release, SimComponent, SimModel
from evalsim.history.year import year_of

MOST_FIELDS: Final = 10
REPORTS: Final = 2
"""Runs of each component, the newest, of which there is a report."""
_HEADINGS: Final = re.compile(r"^#{2,3} +(\S.*)$", re.MULTILINE)
_VERSION: Final = re.compile(r"^version:.*$", re.MULTILINE)
_RELEASES: Final = (
    ((1, 0.0), (15, 0.04), (33, 0.05)),
    (),
    ((3, 0.0), (20, -0.08), (30, 0.02)),
    ((5, 0.0), (24, 0.03)),
    ((2, -0.02), (12, 0.0), (22, 0.02), (32, 0.03), (42, -0.04)),
    ((10, 0.0),),
)
"""Of one component after the other: the weeks of its versions, and what each adds. One has none at all."""
_BEYOND: Final = ("", "", "patch", "minor", "", "")
"""Whether a version stands in the library at the end that was never evaluated."""


def write_year(source: Path, target: Path) -> dict[str, int]:
    """Copy a library and give it a year's history; return how many runs each component has.

    Raises OSError where the folder is there already, or cannot be written.
    """
    # Copied without permissions: the source may be read-only.
    shutil.copytree(source, target, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns(".git"))
    target.chmod(0o755)
    for folder in target.rglob("*"):
        if folder.is_dir():
            folder.chmod(0o755)
    library = FolderCheckout(target)
    written = {}
    for at, slug in enumerate(list_components(library)):
        try:
            component = load_component(library, None, slug)
        except EvaluatorError:
            continue  # one that cannot be read has no runs
        year = component_year(component, at, _own_cases(target, slug))
        _write_version(target / "components" / slug / "prompt.md", year.present)
        records = year_of(year, MODELS)
        written[slug] = len(records)
        if records:
            data = encode_leaderboard(leaderboard_of(slug, records))
            (target / "components" / slug / "leaderboard.json").write_bytes(data)
            newest = [record for record in records if record.status == "complete"][-REPORTS:]
            for record in newest:
                write_report(target / "components" / slug, record, year.own_cases)
    models = target / ".evaluator" / "models.yaml"
    models.parent.mkdir(exist_ok=True)
    models.write_text(models_yaml(MODELS), encoding="utf-8")
    return written


def component_year(component: Component, at: int, own_cases: Sequence[str]) -> SimComponent:
    """Return what happens to the component of that number in the library."""
    first = parse_version(component.version) or Version(1)
    plan, beyond = _RELEASES[at % len(_RELEASES)], _BEYOND[at % len(_BEYOND)]
    versions = [first.replace(minor=first.minor + step, patch=0) for step in range(len(plan))]
    last = versions[-1] if versions else first
    present = {"patch": last.bump_patch, "minor": last.bump_minor}.get(beyond, lambda: last)()
    return SimComponent(
        slug=component.slug,
        category=component.category,
        prompt=component.prompt,
        fields=fields_of(component),
        own_cases=tuple(own_cases),
        releases=tuple(
            Release(week, str(version), effect)
            for (week, effect), version in zip(plan, versions, strict=True)
        ),
        present=str(present),
        replicates=10 if at % 3 == 0 else 5,
        # Not every model is asked everywhere.
        absent=(MODELS[at % len(MODELS)].id,) if at % 2 else (),
    )


def fields_of(component: Component) -> tuple[str, ...]:
    """Return fields as records name them: the schema's own, or the headings of a Markdown answer."""
    properties = _properties(component.schema or {})
    names = [
        f"{name}[]" if isinstance(value, dict) and value.get("type") == "array" else name
        for name, value in properties.items()
    ]
    found = names or [match[1].strip() for match in _HEADINGS.finditer(component.prompt)]
    return tuple(dict.fromkeys(found or ["text"]))[:MOST_FIELDS]


def _properties(schema: JsonObject) -> Mapping[str, object]:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def models_yaml(models: Sequence[SimModel]) -> str:
    """Write the models that are still evaluated as models.yaml."""
    lines = ["models:"]
    for model in models:
        if not model.is_configured:
            continue
        lines += [
            f"  - id: {model.id}",
            f"    provider: {model.provider}",
            "    structured_output: json_schema",
        ]
        lines += ["    params: {temperature: 0.1, max_tokens: 16384}"]
        if model.price is not None:
            lines += [f"    price: {{input: {model.price.input}, output: {model.price.output}}}"]
    return "\n".join(lines) + "\n"


def _own_cases(library: Path, slug: str) -> list[str]:
    folder = library / "components" / slug / "evals" / "cases"
    return sorted(case.name for case in folder.iterdir() if case.is_dir()) if folder.is_dir() else []


def _write_version(prompt: Path, version: str) -> None:
    text = prompt.read_text(encoding="utf-8")
    prompt.write_text(_VERSION.sub(f"version: {version}", text, count=1), encoding="utf-8")
