"""What is wrong with a component, as far as that can be known without a call.

Everything that can be read by itself is, so that one mistake does not hide the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from evalcore.errors import CheckoutError, InputError
from evalcore.evaluation.document_check import document_findings
from evalcore.evaluation.finding import Finding, findings_of
from evalcore.evaluation.probe import schema_findings
from evalcore.evaluation.schema_check import check_schema
from evalcore.formats.strict_json import parse_json, sha256_hex
from evalcore.formats.versions import parse_version
from evalcore.library.cases import NoUsableCase, case_folders, load_cases
from evalcore.library.catalog import CATALOG_PATH, REMAKE_CATALOG
from evalcore.library.checkout import Checkout, read_text
from evalcore.library.component import DATA_SETS, Case, Component, SkippedCase
from evalcore.library.front_matter import PromptFile, parse_prompt_file
from evalcore.library.loader import (
    COMPONENTS,
    PolicyText,
    make_component,
    read_catalog_entry,
    read_contract,
    read_inputs,
    read_policy,
    read_prompt,
)
from evalcore.library.models import ModelsFile
from evalcore.library.reading import ReadingSettings
from evalcore.library.schema import TooMuchWork, make_validator
from evalcore.near_names import did_you_mean
from evalcore.runs.record import RunRecord
from evalcore.scoring.rules.field_rules import WORDING_CATEGORIES, plan_fields
from evalcore.scoring.rules.policy import Policy, parse_policy

Read = TypeVar("Read")

TAXONOMY: Final = "taxonomy.md"
"""Where a prompt library lists its categories."""
_CATEGORY: Final = re.compile(r"[-*] `([^`]+)`")
# A policy under such a name is read by nobody: the figures are by the default rules then, without a word.
_MISPLACED: Final = ("scoring.yml", "policy.yaml", "policy.yml")
# Stands for a prompt.md that cannot be used, so that the rest of its component is checked all the same.
_UNREAD: Final = PromptFile(name="", version="", category=None, prompt="")


def check_component(
    library: Checkout, data_sets: Checkout | None, slug: str, models_file: ModelsFile | None = None
) -> list[Finding]:
    """Check prompt, catalog entry, schema, policy, cases and their documents of a component that is there.

    With the models, also what their providers would have to change in its schema.
    """
    found: list[Finding] = []

    def tried(read: Callable[[], Read]) -> Read | None:
        try:
            return read()
        except InputError as error:
            # A policy is read by itself, and again beside the cases.
            found.extend(one for one in findings_of(error, slug) if one not in found)
            return None

    prompt = tried(lambda: read_prompt(library, slug))
    if prompt is not None:
        found += [*_category(library, slug, prompt), *_catalog_version(library, slug, prompt)]
    contract = tried(lambda: read_contract(library, slug, check_schema))
    policy = tried(lambda: read_policy(library, data_sets, slug)) or (None, None)
    tried(lambda: _parsed_policy(policy))
    found += misplaced_policies(library, data_sets, slug)
    if contract is None:
        return found  # of what kind the answers are is not known, so that no case can be judged
    component = make_component(slug, prompt or _UNREAD, contract, policy)
    if models_file is not None:
        found += schema_findings(component, models_file)
    inputs = tried(lambda: read_inputs(library, slug))
    # Cases in a link out of the checkout are this component's mistake: others are checked all the same.
    loaded = tried(lambda: _cases(library, data_sets, component, found))
    if loaded is None:
        return found
    cases, skipped = loaded
    found += [_skipped(slug, case) for case in skipped]
    documents = models_file.documents if models_file is not None else ReadingSettings()
    reading = documents if inputs is None else inputs.over(documents)
    found += document_findings(library, data_sets, slug, cases, reading)
    found += contradictions(library, data_sets, component, cases)
    found += _stale(library, data_sets, component, cases)
    # Whether a policy names a field that nobody has is known only beside the cases' expected answers.
    if cases and component.policy is not None:
        tried(lambda: plan_fields(component, cases))
    return found


def contradictions(
    library: Checkout, data_sets: Checkout | None, component: Component, cases: Sequence[Case]
) -> Iterator[Finding]:
    """Yield the expected answers that contradict the component's schema: a reply like it would too."""
    if component.schema is None or not cases:
        return
    validator = make_validator(component.schema)
    folders = case_folders(library, data_sets, component.slug)
    for case in cases:
        where = f"{folders[case.name]}/expected.json"
        hint = "mend the expected answer or the schema"
        try:
            problem = validator.first_problem(parse_json(case.expected))
        except TooMuchWork:
            what = "comparing it with the schema would take too long, so whether it obeys is not known"
            yield Finding("warning", component.slug, where, what, hint)
            continue
        if problem is not None:
            what = f"contradicts the schema at `{problem.path}`: {problem.message}"
            yield Finding("warning", component.slug, where, what, hint)


def misplaced_policies(library: Checkout, data_sets: Checkout | None, slug: str) -> Iterator[Finding]:
    """Yield scoring policies that lie where none is read, or under a name that is not read."""
    own, right = f"{COMPONENTS}/{slug}", f"{COMPONENTS}/{slug}/evals/scoring.yaml"
    wrong = [f"{own}/scoring.yaml", f"{own}/evals/cases/scoring.yaml"]
    wrong += [f"{own}/{folder}{name}" for folder in ("", "evals/") for name in _MISPLACED]
    for path in wrong:
        if library.has(path):
            yield _misplaced(slug, path, right)
    if data_sets is not None:
        beside = [f"{slug}/{name}" for name in _MISPLACED]
        for path in (*beside, f"{slug}/evals/scoring.yaml", f"{slug}/cases/scoring.yaml"):
            if data_sets.has(path):
                yield _misplaced(slug, f"{DATA_SETS}/{path}", f"{DATA_SETS}/{slug}/scoring.yaml")


def changed_text(
    component: str, prompt: PromptFile, records: Iterable[RunRecord], earlier: Iterable[tuple[str, str]]
) -> Iterator[Finding]:
    """Yield that a prompt's text has changed and its version has not, once.

    `earlier` are commits with what prompt.md was there, the newest first; those of other versions, and
    what precedes them, do not count.
    """
    evidence = _other_text(prompt, records, earlier)
    if evidence is not None:
        yield Finding(
            "warning",
            component,
            f"{COMPONENTS}/{component}/prompt.md",
            f"the prompt has changed since {evidence}, and its version is still {prompt.version}",
            "raise the version, so that results of the two texts stay apart",
        )


def _other_text(
    prompt: PromptFile, records: Iterable[RunRecord], earlier: Iterable[tuple[str, str]]
) -> str | None:
    sha256 = sha256_hex(prompt.prompt.encode())
    runs = [record for record in records if record.component_version == prompt.version]
    # One run of the present text is enough: the others are of before it was changed back.
    if runs and all(record.prompt_sha256 != sha256 for record in runs):
        newest = max(runs, key=lambda record: record.finished_at)
        return f"it was evaluated ({newest.finished_at[:10]}, run {newest.run_id})"
    for commit, text in earlier:
        try:
            before = parse_prompt_file(text, commit)
        except InputError:
            return None
        if before.version != prompt.version:
            return None
        if before.prompt != prompt.prompt:
            return f"commit {commit[:12]}"
    return None


def _parsed_policy(policy: PolicyText) -> Policy:
    text, where = policy
    return {} if text is None else parse_policy(text, where or "scoring.yaml")


def _category(library: Checkout, slug: str, prompt: PromptFile) -> Iterator[Finding]:
    if prompt.category is None:
        return
    listed = _listed_categories(library)
    known = listed or sorted(WORDING_CATEGORIES)
    near = did_you_mean(prompt.category, known)
    # Where the library lists none, only what is nearly one that scoring knows can be a mistake.
    if prompt.category in known or not (listed or near):
        return
    yield Finding(
        "warning",
        slug,
        f"{COMPONENTS}/{slug}/prompt.md",
        f"the category `{prompt.category[:60]}` is unknown",
        near or f"use one of {', '.join(known)} ({TAXONOMY})",
    )


def _listed_categories(library: Checkout) -> list[str]:
    try:
        lines = read_text(library, TAXONOMY).splitlines() if library.has(TAXONOMY) else []
    except CheckoutError:
        return []
    at = next((number for number, line in enumerate(lines) if line.strip() == "## Categories"), len(lines))
    categories: list[str] = []
    for line in lines[at + 1 :]:
        if line.startswith("#"):
            break
        found = _CATEGORY.match(line.strip())
        categories += [found[1]] if found else []
    return categories


def _catalog_version(library: Checkout, slug: str, prompt: PromptFile) -> Iterator[Finding]:
    try:
        entry = read_catalog_entry(library, slug)
    except InputError:
        return  # which reading the contract says already
    if entry is not None and entry.version is not None and entry.version != prompt.version:
        yield Finding(
            "warning",
            slug,
            f"{CATALOG_PATH} ({slug})",
            f"says version {entry.version[:40]}, and prompt.md {prompt.version}",
            REMAKE_CATALOG,
        )


def _cases(
    library: Checkout, data_sets: Checkout | None, component: Component, found: list[Finding]
) -> tuple[tuple[Case, ...], tuple[SkippedCase, ...]]:
    try:
        return load_cases(library, data_sets, component)
    except NoUsableCase as error:
        what = "has no case that can be used" if error.skipped else error.what
        hint = "finish one, to evaluate it" if error.skipped else error.hint
        found.append(Finding("warning", component.slug, error.where, what, hint))
        return (), error.skipped


def _skipped(slug: str, case: SkippedCase) -> Finding:
    # A reason begins with the file that it is about.
    where, _, what = case.reason.partition(": ")
    if case.broken:
        return Finding("error", slug, where, what, "mend it: the case is left out")
    return Finding("warning", slug, where, what, "the case is left out until then")


def _stale(
    library: Checkout, data_sets: Checkout | None, component: Component, cases: Sequence[Case]
) -> Iterator[Finding]:
    current = parse_version(component.version)
    folders = case_folders(library, data_sets, component.slug)
    for case in cases:
        validated = parse_version(case.validated_against_version or "", is_short_allowed=True)
        if current is not None and validated is not None and validated < current:
            yield Finding(
                "warning",
                component.slug,
                f"{folders[case.name]}/metadata.yaml",
                f"validated against version {case.validated_against_version}, and the prompt is"
                f" {component.version}",
                "look whether the expected answer still holds, and say so there",
            )


def _misplaced(slug: str, path: str, right: str) -> Finding:
    return Finding("error", slug, path, "is no scoring policy that is read", f"move it to {right}")
