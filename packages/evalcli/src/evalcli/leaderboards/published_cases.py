"""What of cases `evaluate` shows and adds to a leaderboard: EVALHOOK_PUBLISH_CASES, as the service has it.

Where it is unset, all of them by name, but in GitHub Actions, whose logs and leaderboards others read:
there the data sets' cases are hashed, as by the service: under its own key where EVAL_CASE_NAMES_KEY is it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

import msgspec

from evalcore.errors import ConfigurationError
from evalcore.evaluation.finding import Finding
from evalcore.formats.counts import counted
from evalcore.library.component import DATA_SETS, SkippedCase, broken_cases_sentence
from evalcore.runs.case_privacy import WHY, CasePrivacy, PublishCases, key_of, read_key
from evalcore.runs.plan import JobPlan, Origin, RunPlan
from evalcore.runs.record import RunRecord
from evalcore.secret import Secret
from evalcore.structs import Frozen

SETTING: Final = "EVALHOOK_PUBLISH_CASES"
UNNAMED: Final = "a case of the data sets"
WHY_FOUND: Final = "`evalcli check` beside the data sets says which"
KEY: Final = "case-names.key"
"""Of the hashes; in the folder of runs, since it is as confidential as they are."""
NAMES_KEY: Final = "EVAL_CASE_NAMES_KEY"


class PublishedCases(Frozen, frozen=True):
    """What is published of cases; `setting` None: of the library's the names, of others their hashes."""

    setting: PublishCases | None
    names_key: Secret | None = None
    """The service's key, as text."""
    is_public: bool = False
    """Whether hashes under another key than the service's are marked, as in Actions and in pull requests."""

    def record(self, record: RunRecord, plan: JobPlan | RunPlan, runs_dir: Path) -> RunRecord:
        """Return a run's record as it may be shown; raises StorageError."""
        privacy = self.privacy(runs_dir)
        return record if privacy is None else privacy.record(record, plan.component, plan.cases)

    def privacy(self, runs_dir: Path) -> CasePrivacy | None:
        """Return what takes out of records what may not be shown; None where all may. Raises StorageError."""
        if self.setting == "names":
            return None
        key, is_paired = self._key(runs_dir)
        return CasePrivacy(self.setting, key, is_paired=is_paired)

    def _key(self, runs_dir: Path) -> tuple[bytes, bool]:
        """Return the key of the hashes, and whether they pair with the service's."""
        if self.names_key is not None:
            return key_of(self.names_key.reveal(), NAMES_KEY), True
        # The service keeps its key beside its folder of runs.
        if (runs_dir.parent / KEY).exists():
            return read_key(runs_dir.parent / KEY), True
        return read_key(runs_dir / KEY), not self.is_public

    def warnings(self, skipped: Sequence[SkippedCase]) -> list[str]:
        """Say which cases are left out."""
        shown = [case for case in skipped if self._names(case)]
        said = [f"case {case.case} is skipped: {case.reason}" for case in shown]
        hidden = len(skipped) - len(shown)
        return [*said, f"{counted(hidden, 'case')} cannot be used; {WHY}"] if hidden else said

    def broken_sentence(self, skipped: Sequence[SkippedCase]) -> str | None:
        """Say which cases are broken, those of the data sets by name only where that may be shown."""
        shown = (
            case if self._names(case) else msgspec.structs.replace(case, case=UNNAMED) for case in skipped
        )
        return broken_cases_sentence(shown)

    def findings(self, findings: Sequence[Finding]) -> list[Finding]:
        """Return findings as they may be shown: of the data sets' cases, perhaps only how many there are."""
        # Only their number: a finding quotes the file that it is about.
        hidden = [
            one for one in findings if self.setting != "names" and one.where.startswith(f"{DATA_SETS}/")
        ]
        counts = Counter((one.severity, one.component) for one in hidden)
        summed = [
            Finding(
                severity, component, DATA_SETS, f"{counted(count, 'finding')} about {component}", WHY_FOUND
            )
            for (severity, component), count in counts.items()
        ]
        return [*(one for one in findings if one not in hidden), *summed]

    def _names(self, case: SkippedCase) -> bool:
        return self.setting == "names" or (self.setting is None and case.source == "library")


def published_cases(
    environ: Mapping[str, str], *, made: Origin | None = None, is_dry_run: bool = False
) -> PublishedCases:
    """Read the setting for runs `made` there, or here; raises ConfigurationError.

    A dry run publishes nothing, and shows names.
    """
    text = environ.get(SETTING, "").strip()
    if text and text not in get_args(PublishCases):
        what = "is not a way to publish cases"
        raise ConfigurationError(what, where=SETTING, hint="use names, hashed or none")
    # By where a run was made, not where this runs: the service's runs hide their names, and scoring them
    # again at home would write them down.
    is_public = (made or origin(environ)) != "local"
    setting = next((known for known in get_args(PublishCases) if known == text), None)
    if is_dry_run or (setting is None and not is_public):
        return PublishedCases("names")
    key = environ.get(NAMES_KEY, "").strip()
    if key:
        key_of(key, NAMES_KEY)  # a wrong one is found before anything is spent
    return PublishedCases(setting, Secret(key) if key else None, is_public)


def origin(environ: Mapping[str, str]) -> Origin:
    """Say where this runs: in GitHub Actions, or on somebody's machine."""
    return "actions" if environ.get("GITHUB_ACTIONS") == "true" else "local"
