"""What is published of cases, by the service's settings and the key in its state directory."""

from __future__ import annotations

from evalcore.case_privacy import CasePrivacy, read_key
from evalhook.settings import Settings


def open_case_privacy(settings: Settings) -> CasePrivacy:
    """Make it; raises StorageError where the key of the hashes cannot be used."""
    return CasePrivacy(settings.publish_cases, read_key(settings.state_dir / "case-names.key"))
