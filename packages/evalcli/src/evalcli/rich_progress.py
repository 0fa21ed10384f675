"""Live progress on a terminal: one bar per model, with its rate, time left and errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import rich.progress
from rich.console import Console
from rich.text import Text

from evalcli.output import shown
from evalcli.progress import Progress
from evalcli.tally import Tally, duration, long_waits, time_left
from evalcore.plan import RunPlan


class RichProgress(Progress):
    """Bars at the foot of the terminal; each thing that happens is a line above them."""

    def __init__(self, clock: Callable[[], float], console: Console) -> None:
        super().__init__(clock)
        self._console = console
        self._tasks: dict[str, rich.progress.TaskID] = {}
        self._waits: rich.progress.TaskID | None = None
        self._bars = rich.progress.Progress(
            # Fields are text: without `markup=False` a model's name could hold markup.
            rich.progress.TextColumn("{task.description}", markup=False),
            rich.progress.BarColumn(bar_width=24),
            rich.progress.TextColumn("{task.fields[state]}", markup=False),
            console=console,
            auto_refresh=False,
        )
        self._bars.start()

    def stop(self) -> None:
        """Draw the bars as they ended, then leave the terminal to the results."""
        self.tick()
        self._bars.stop()

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        """Begin a model's bar."""
        super().run_started(plan, run_dir, kept)
        model = plan.model.id
        self._tasks[model] = self._bars.add_task(shown(model, 48), total=plan.calls, completed=kept, state="")
        self.tick()

    def tick(self) -> None:
        """Redraw the bars."""
        now = self.clock()
        for model, task in self._tasks.items():
            tally = self.tallies[model]
            self._bars.update(task, completed=tally.done, state=_state(tally, now))
        waits = long_waits(list(self.tallies.values()), now)
        if waits and self._waits is None:
            self._waits = self._bars.add_task("", total=None, state="")
        if self._waits is not None:
            self._bars.update(self._waits, state=shown(waits), visible=bool(waits))
        self._bars.refresh()

    def _event(self, text: str) -> None:
        self._console.print(Text(shown(text)))


def _state(tally: Tally, now: float) -> str:
    left = duration(time_left([tally], now))
    return f"{tally.done}/{tally.total}  {tally.errors} errors  {tally.rate(now):.1f}/s  {left} left"
