"""The answer that a run's reply holds, as the component's own schema means it."""

from __future__ import annotations

from evalcore.library.adaptation import undo_adaptation
from evalcore.library.cases import is_of_kind
from evalcore.runs.plan import RunPlan
from evalcore.scoring.answers import Parsed, Unparsed, parse_answer


def read_answer(plan: RunPlan, text: str | None) -> Parsed | Unparsed:
    """Parse a reply's text, and take back what the adapted schema made the model write."""
    adapted, schema, output = plan.adapted, plan.component.schema, plan.component.output
    if adapted is None or schema is None:
        return parse_answer(text, output)
    # a wrapped answer is an object, whatever stands in it
    read = parse_answer(text, "json" if adapted.is_wrapped else output)
    if isinstance(read, Unparsed):
        return read
    # Before the kind is checked: wrapped, a list is an object.
    value = undo_adaptation(read.value, schema, adapted)
    if not is_of_kind(value, output):
        return Unparsed(reason=f"the reply does not hold a {output.replace('_', ' ')}")
    return Parsed(value=value)
