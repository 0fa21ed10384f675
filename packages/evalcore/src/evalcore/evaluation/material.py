"""Reading what an evaluation is made of: a component with its cases, its scoring policy checked.

The library reads files and knows nothing of scoring; scoring knows policies and reads no files. Here,
above both, a policy that cannot be used is refused before anything is called.
"""

from __future__ import annotations

from collections.abc import Iterable

from evalcore.errors import ComponentError, InputError, Problems
from evalcore.evaluation.schema_check import check_schema
from evalcore.library.cases import load_cases
from evalcore.library.checkout import Checkout
from evalcore.library.component import Case, Component, SkippedCase
from evalcore.library.loader import load_component, read_inputs
from evalcore.library.reading import ReadingEntry
from evalcore.scoring.rules.field_rules import plan_fields
from evalcore.scoring.rules.policy import parse_policy
from evalcore.structs import Frozen


def require_input_text(component: Component, cases: Iterable[Case]) -> None:
    """Raise ComponentError where the policy compares with the input, and that of a case has no text.

    Such are documents that are sent to models as they are, and those that are not read yet.
    """
    without = [case for case in cases if case.is_sent_itself or case.is_unread]
    if component.policy is None or not without:
        return
    policy = parse_policy(component.policy, component.policy_where or "scoring.yaml")
    for entry in policy.values():
        if entry.rule is not None and entry.rule.compare == "contained_in_input":
            raise ComponentError(
                f"compares with the input's text, and case {without[0].name} has a document in its place",
                where=entry.where,
                hint=f"store its text with `evalcli cases read {component.slug} --write`",
            )


class Material(Frozen, frozen=True):
    """A component with its cases, as a commit or a folder holds them."""

    component: Component
    cases: tuple[Case, ...]
    """Sorted by name."""
    skipped_cases: tuple[SkippedCase, ...]
    inputs: ReadingEntry
    """How its documents are read, as far as its inputs.yaml says."""


def load_material(library: Checkout, data_sets: Checkout | None, slug: str) -> Material:
    """Read a component and its cases; `data_sets` is None where there are none beside the library.

    Documents among their inputs are named and hashed, and read by nobody yet.

    Raises UnknownComponent, ComponentError for a prompt, schema, policy or inputs.yaml that cannot be used
    (or a policy that names a field which neither the schema nor any expected answer has), CaseError where
    no case can be used.
    """
    component = load_component(library, data_sets, slug, check_schema)
    problems = Problems(ComponentError)
    if component.policy is not None:
        with problems:
            parse_policy(component.policy, component.policy_where or "scoring.yaml")
    try:
        cases, skipped = load_cases(library, data_sets, component)
    except InputError:
        # The policy's own mistake is the one to mend, whatever is wrong with the cases.
        problems.end()
        raise
    # Once more beside the cases: only now are all fields known that it may name.
    plan_fields(component, cases)
    return Material(
        component=component, cases=cases, skipped_cases=skipped, inputs=read_inputs(library, slug)
    )
