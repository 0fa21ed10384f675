"""What each figure means, in two sentences: shown wherever the figure stands, and nowhere written again."""

from __future__ import annotations

from typing import Final

from evalcore.structs import Frozen


class FigureMeaning(Frozen, frozen=True):
    """A figure, explained."""

    name: str
    text: str
    """Two sentences of plain text."""
    section: str = ""
    """The heading in docs/scoring.md that has the whole of it; empty where it says no more."""


MEANINGS: Final[dict[str, FigureMeaning]] = {
    "rank": FigureMeaning(
        "Rank",
        "A range, such as 1–3: the best and the worst place that the replies leave open for these cases. "
        "Models whose range begins at 1 are level, since no difference between them is shown.",
        "Who is better",
    ),
    "accuracy": FigureMeaning(
        "Accuracy",
        "How much of an answer is right: the share of its dates, amounts, names and other leaves that "
        "equal the expected ones, mean over replies and cases. Both what is missed and what is invented "
        "counts against it.",
        "Accuracy, in plain words",
    ),
    "interval": FigureMeaning(
        "95 % interval",
        "The range that holds the accuracy which endless replies to these same cases would give, in 19 of "
        "20 such ranges, if nothing drifts while a run is under way. It says how sure the figure is for "
        "these cases, and nothing of cases that are not among them.",
        "How sure a figure is",
    ),
    "exact": FigureMeaning(
        "Right throughout",
        "The share of replies without a single wrong leaf, wording of prose aside. It is far below the "
        "accuracy where answers are long, since one slip in a hundred leaves is enough.",
        "How often all is right",
    ),
    "all_right": FigureMeaning(
        "All replies right",
        "The chance that several replies to one case are all right throughout, also called pass^k. It "
        "answers whether a model can be relied on without looking at each answer.",
        "How often all is right",
    ),
    "reproducibility": FigureMeaning(
        "Reproducibility",
        "How far the answers to one and the same input agree, right or wrong: 100 % is always the same "
        "answer, even where it is always the empty one. Some agreement is chance, the more the longer the "
        "lists are, so it counts beside accuracy and never instead.",
        "Reproducibility",
    ),
    "schema_valid": FigureMeaning(
        "Schema-valid",
        "The share of replies that the component's JSON Schema accepts, so that a program can take them. "
        "It says nothing of whether what they state is right.",
    ),
    "failed": FigureMeaning(
        "Calls failed",
        "Replies that could not be read count as wrong, and are the model's fault; calls that never gave "
        "a reply are the infrastructure's, and are left out. A run with over 10 % of the latter is "
        "partial and not ranked.",
    ),
    "cost": FigureMeaning(
        "Cost",
        "What 1,000 replies cost in USD by the prices in models.yaml, for prompts and answers of these "
        "cases. A dash means that no price is known, and 0 that none is paid.",
    ),
    "latency": FigureMeaning(
        "Time",
        "How long a reply takes: half are there within the first time, 95 of 100 within the second. It "
        "depends on the load of the server at the time of the newest run.",
    ),
    "noise": FigureMeaning(
        "Noise",
        "How far one reply to this case lies from its model's mean, as a standard deviation in percentage "
        "points. A noisy case needs more replies before it tells models apart.",
        "How sure a figure is",
    ),
    "verdict": FigureMeaning(
        "Change",
        "Whether a difference to the version before is more than chance would make, over the cases that "
        "both have. What is no evidence of a change is shown quietly, whichever way it points.",
        "Has anything changed?",
    ),
    "drifting": FigureMeaning(
        "Drifting",
        "The scores trend with time while the run was under way, so that something changed meanwhile. Its "
        "interval is too narrow, and it is best run again.",
        "How sure a figure is",
    ),
    "missed": FigureMeaning(
        "Missed",
        "Of what was expected in a field, the share that is not there or wrong. It is what recall lacks "
        "to 100 %.",
        "Precision and recall",
    ),
    "invented": FigureMeaning(
        "Invented",
        "Of what was answered in a field, the share that nobody expected or that is wrong. It is what "
        "precision lacks to 100 %.",
        "Precision and recall",
    ),
    "freshness": FigureMeaning(
        "Freshness",
        "Whether a figure is of the version that the library has now. A new minor or major version asks "
        "for a new evaluation, since a prompt that changed is another prompt.",
    ),
}
