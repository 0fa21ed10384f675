"""`evalcli rescore`: a run's record again, from its stored replies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from evalcli.leaderboards.rescoring import Rescored
from evalcli.terminal.text import figure, shown
from evalcore.formats.counts import counted
from evalcore.runs.folder import RECORD
from evalcore.runs.record import RunRecord

OTHER_POLICY: Final = "{} has another scoring policy now; with `--policy current` it is scored by that one"
"""Said where runs were scored by their own policy, and nobody asked for the present one."""

_MADE: Final = {"vm": "on the service's VM", "actions": "in GitHub Actions", "local": "on somebody's machine"}


def missing_sentence(absent: Iterable[RunRecord], runs_dir: Path, ranking: str) -> str | None:
    """Say which runs a ranking lacks since their replies are not at hand, and what helps; None for none."""
    # A partial run stands in no ranking anyway.
    runs = [record for record in absent if record.status == "complete"]
    if not runs:
        return None
    models = ", ".join(sorted({record.model for record in runs}))
    made = Counter(_MADE[record.origin] for record in runs)
    where = ", ".join(f"{place} ({count})" for place, count in sorted(made.items()))
    return (
        f"the ranking {ranking} lacks {counted(len(runs), 'complete run')} of {models}: put the folders made"
        f" {where} into {runs_dir} and run this again, or evaluate anew"
    )


def sentence(item: Rescored) -> str:
    """Say what scoring a run again gave."""
    version = item.record.scoring_version
    if item.verdict == "identical":
        what = f"identical, byte for byte, by scoring version {version}"
    elif item.verdict == "differs":
        what = f"differs from what scoring version {version} makes of the replies; it is left as it stands"
    elif item.verdict == "altered":
        what = (
            f"not what it was when the run was scored: {shown('; '.join(item.altered))}; nothing is written"
        )
        return f"{item.path.parent}: {what}"
    elif item.verdict == "first" or item.before is None:
        what = f"scored for the first time, by scoring version {version}"
    else:
        old, new = figure(item.before.accuracy.mean), figure(item.record.accuracy.mean)
        if item.before.policy_sha256 == item.record.policy_sha256:
            by = f"version {version} instead of {item.before.scoring_version}"
        else:
            by = "no policy" if item.record.policy_sha256 is None else "the component's present policy"
        known = "" if item.verdict == "new" else " (as it was there already)"
        figures = f"{item.record.model}, accuracy {new} instead of {old}"
        what = f"scored by {by}{known}: {figures}; {RECORD} stays"
    return f"{item.path}: {what}"
