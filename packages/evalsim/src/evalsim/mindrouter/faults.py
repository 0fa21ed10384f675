"""Which call gets which fault."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from evalsim.mindrouter.config import OF_OCR, Fault


class _Counted:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.seen = 0
        self.shown = 0

    def is_due(self) -> bool:
        """Count a matching call; say whether it gets the fault."""
        if self.fault.times is not None and self.shown >= self.fault.times:
            return False
        # Not counted once it was shown often enough: another fault of the same calls has its own count.
        self.seen += 1
        if self.seen % self.fault.every:
            return False
        self.shown += 1
        return True


class FaultPlan:
    """The faults in force, in order; a call gets the first that is due."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = [_Counted(fault) for fault in faults]

    def add(self, faults: Iterable[Fault]) -> None:
        """Put more faults in force."""
        self._faults.extend(_Counted(fault) for fault in faults)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._faults.clear()

    def take(self, model_id: str, endpoint: Literal["chat", "ocr"] = "chat") -> Fault | None:
        """The fault of the next call to a model, if any."""
        for counted in self._faults:
            fault = counted.fault
            if fault.model not in {None, model_id} or fault.endpoint not in {None, endpoint}:
                continue
            if endpoint == "ocr" and fault.kind not in OF_OCR:
                continue
            if counted.is_due():
                return fault
        return None
