"""How a result is put into a sentence: for the terminal, the pull request, the status page and the dashboard.

Every text is plain; `name` writes a model's name as the place needs it, escaped for Markdown for example.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

from evalcore.compare.verdict import Comparison, Outcome
from evalcore.formats.percent import percent
from evalcore.reports.ranking import RankedPool, Ranking
from evalcore.structs import JsonValue

MOST_NAMED: Final = 3
"""Models that a sentence names; of more it gives the number."""
LONGEST_SETTING: Final = 40
"""Characters of a parameter's value in a label."""
Namer = Callable[[str], str]
Shares = Literal["percent", "fraction"]
"""How shares are written: pull requests and pages have percent, the terminal's tables 0.875."""


def ranking_sentence(ranking: Ranking, name: Namer = str, *, shares: Shares = "percent") -> str:
    """Say which model is best, which are level, which are behind, and what the best costs.

    It follows the ranks alone: models whose range of ranks begins at 1 are "level", since the replies do not
    show which of them is better; one that stands there alone is "ahead"; every other is behind at least one.
    Of the best it is said which were served otherwise since, and which stand there for want of replies.
    Accuracy is written as the figures beside it are.
    """
    labels = pool_labels(ranking)
    ranked = [(labels[at], row) for at, row in enumerate(ranking.rows) if row.rank is not None]
    best = [(label, row) for label, row in ranked if row.rank is not None and row.rank.best == 1]
    below = [(label, row) for label, row in ranked if row.rank is not None and row.rank.best > 1]
    behind = [label for label, _ in below]
    replaced = [label for label, row in best if _is_replaced(row, ranking)]
    if not ranked:
        return "No run is complete, so that no model is ranked." if ranking.rows else "Nothing is evaluated."
    if len(ranked) == 1:
        said = f"{name(best[0][0])} alone is ranked"
    elif len(best) == 1:
        said = f"{name(best[0][0])} is ahead"
    else:
        said = f"{_first_named([label for label, _ in best], name)} are level on {_cases(ranking)}"
    others = ""
    if behind:
        others = f"; {_named(behind, name, 'the others')} {'is' if len(behind) == 1 else 'are'} behind"
    others += _too_few(best, below, name)
    if replaced:
        others += (
            f"; {_named(replaced, name)} {'is' if len(replaced) == 1 else 'are'} not what was served last"
        )
    cost = _cost(best, replaced, name)
    # The cost is said of the best, so it stands beside the only one; of several it names the cheapest, last.
    ends = [cost, others] if len(best) == 1 else [others, cost]
    return f"{said}{_accuracy(best, shares)}{''.join(ends)}."


def change_sentence(outcomes: Mapping[str, Outcome], previous: str, name: Namer = str) -> str:
    """Say which models got worse or better since the version `previous`; empty where none was compared."""
    compared = [one for one in outcomes.values() if isinstance(one, Comparison)]
    parts = [
        f"{_named([one.model for one in found], name)} {word}{_points(found)}"
        for verdict, word in (("regression", "got worse"), ("improvement", "got better"))
        if (found := sorted((o for o in compared if o.verdict == verdict), key=_largest_change))
    ]
    unchanged = [one.model for one in compared if one.verdict == "no evidence"]
    if unchanged:
        parts.append(f"no evidence of a change for {_named(unchanged, name, 'others' if parts else '')}")
    blind = [one.model for one in compared if one.verdict == "cannot alarm"]
    if blind:
        parts.append(f"too few cases or replies to tell for {_named(blind, name)}")
    unlike = [model for model, one in outcomes.items() if not isinstance(one, Comparison)]
    if unlike:
        parts.append(f"{_named(unlike, name)} cannot be compared")
    return f"Since {previous}: {'; '.join(parts)}." if parts else ""


def pool_labels(ranking: Ranking) -> list[str]:
    """Return a label for each row of a ranking: the model, and where it has several pools what differs."""
    counts = Counter(row.model for row in ranking.rows if row.status == "complete")
    by_model = {
        model: [_settings(row) for row in ranking.rows if row.model == model and row.status == "complete"]
        for model, count in counts.items()
        if count > 1
    }
    return [
        _label(row, by_model[row.model]) if row.status == "complete" and row.model in by_model else row.model
        for row in ranking.rows
    ]


def cost_of_replies(row: RankedPool) -> float | None:
    """Return what 1,000 replies of a pool cost in USD; None where a run of it has no price or no reply."""
    replies = sum(record.calls.ok + record.calls.parse_error for record in row.records)
    costs = [record.cost_usd for record in row.records if record.cost_usd is not None]
    # Of some runs the price is not known: over all their replies the sum of the others would be too low.
    if len(costs) < len(row.records) or not replies:
        return None
    return 1000 * math.fsum(costs) / replies


def _label(row: RankedPool, others: Sequence[Mapping[str, JsonValue]]) -> str:
    own = _settings(row)
    keys = sorted({key for other in others for key in other.keys() | own.keys()})
    apart = [key for key in keys if any(other.get(key) != own.get(key) for other in others)]
    said = [f"{key} {str(own.get(key, 'unset'))[:LONGEST_SETTING]}" for key in apart]
    return f"{row.model} ({', '.join(said)})" if said else row.model


def _settings(row: RankedPool) -> dict[str, JsonValue]:
    """What makes pools of one model count apart."""
    return {
        **row.params,
        "provider": row.provider,
        "output": row.structured_output,
        "server": row.server.version,
        "quantization": row.server.quantization,
    }


def _named(names: Sequence[str], name: Namer, everybody: str = "") -> str:
    """List names; of more than a few, say how many: "the 7 others", "7 others", "7 models"."""
    if len(names) > MOST_NAMED:
        return {"the others": f"the {len(names)} others", "others": f"{len(names)} others"}.get(
            everybody, f"{len(names)} models"
        )
    return _listed(name(each) for each in names)


def _first_named(names: Sequence[str], name: Namer) -> str:
    """List names, of many the first ones and how many more: who is best is what a reader is here for."""
    # "1 more" would take as much room as its name.
    shown = names if len(names) == MOST_NAMED + 1 else names[:MOST_NAMED]
    more = [f"{len(names) - len(shown)} more"] if len(names) > len(shown) else []
    return _listed([*map(name, shown), *more])


def _cases(ranking: Ranking) -> str:
    return "the one case" if ranking.cases == 1 else f"these {ranking.cases} cases"


def _accuracy(best: Sequence[tuple[str, RankedPool]], shares: Shares) -> str:
    known = [row.accuracy for _, row in best if row.accuracy is not None]
    # As they are shown: two that round to one figure are not written as a range.
    written = {percent(one).removesuffix(" %") if shares == "percent" else f"{one:.3f}" for one in known}
    figures = sorted(written, key=float)
    if not figures:
        return ""
    shown = figures[0] if len(figures) == 1 else f"{figures[0]} to {figures[-1]}"
    return f", accuracy {shown}{' %' if shares == 'percent' else ''}"


def _is_replaced(row: RankedPool, ranking: Ranking) -> bool:
    """Whether a model, asked alike, was served otherwise later: nobody can have this pool's answers now."""
    return any(
        other.model == row.model
        and other.status == "complete"
        and (other.provider, other.params, other.structured_output)
        == (row.provider, row.params, row.structured_output)
        and other.newest.finished_at > row.newest.finished_at
        for other in ranking.rows
    )


def _too_few(
    best: Sequence[tuple[str, RankedPool]], below: Sequence[tuple[str, RankedPool]], name: Namer
) -> str:
    """Say which of the best have a lower accuracy than one behind: a wide interval alone puts them there."""
    highest = max((row.accuracy or 0.0 for _, row in below), default=0.0)
    found = [label for label, row in best if row.accuracy is not None and row.accuracy < highest]
    return f"; of {_named(found, name)} there are too few replies to tell" if found else ""


def _cost(best: Sequence[tuple[str, RankedPool]], replaced: Sequence[str], name: Namer) -> str:
    """What the best costs; empty where that is not known of all that are level, or where nothing is paid.

    What was `replaced` by another server is not called the cheapest: nobody can have it.
    """
    one_of_many = len(best) > 1
    best = [(label, row) for label, row in best if label not in replaced]
    if not best or (one_of_many and len(best) == 1):
        return ""
    known = [(cost, label) for label, row in best if (cost := cost_of_replies(row)) is not None]
    if len(known) < len(best) or not any(cost for cost, _ in known):
        return ""
    cost, label = min(known)
    costs = "nothing" if cost == 0 else f"{_usd(cost)} USD per 1,000 replies"
    return f", at {costs}" if len(best) == 1 else f"; the cheapest of the best, {name(label)}, costs {costs}"


def _usd(amount: float) -> str:
    """Two places, or two digits of what is less than a cent."""
    return f"{amount:.2f}" if amount >= 0.01 else f"{amount:.1g}"  # noqa: PLR2004 - a cent


def _points(found: Sequence[Comparison]) -> str:
    changes = [f"{abs(100 * one.change):.1f}" for one in found]
    if len(found) > MOST_NAMED:
        return f" by up to {changes[0]} points"
    return f" by {_listed(changes)} points"


def _listed(texts: Iterable[str]) -> str:
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last


def _largest_change(outcome: Comparison) -> tuple[float, str]:
    return -abs(outcome.change), outcome.model
