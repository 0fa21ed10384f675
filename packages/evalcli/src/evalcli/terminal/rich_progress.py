"""The progress of an evaluation as live bars, for a terminal alone: rich takes long to load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import rich.progress
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from evalcli.terminal.progress import ProgressObserver, long_waits, model_waits, reading_shown, state_shown
from evalcli.terminal.text import shown, width_of
from evalcore.runs.plan import RunPlan

BAR_WIDTH: Final = 24
LEAST_BAR: Final = 6
"""Columns of a bar; narrower, it says nothing that the figures beside it do not."""
BETWEEN: Final = 2
"""Columns between the parts of a bar's line, together."""


class _Bars(rich.progress.Progress):
    """A bar for each model, and below them what is waited for.

    The bars give way to names and figures. Where those do not stand beside each other whole, the figures
    stand below the name.
    """

    waits = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        """Lay bars and waits out for the terminal's present width."""
        # rich asks once before it has a console; there are no tasks then.
        room = self.console.width - self._width_of_texts() if self.tasks else 0
        if room >= LEAST_BAR:
            # Set for each drawing, since a window may have been made narrower meanwhile.
            self._bar.bar_width = min(BAR_WIDTH, room)
            yield self.make_tasks_table(self.tasks)
        else:
            for task in self.tasks:
                yield Text(task.description, overflow="fold")
                yield Padding(Text(task.fields["state"], overflow="fold"), (0, 0, 0, 4))
        if self.waits:
            yield Text(self.waits, overflow="fold")

    @property
    def _bar(self) -> rich.progress.BarColumn:
        (bar,) = (column for column in self.columns if isinstance(column, rich.progress.BarColumn))
        return bar

    def _width_of_texts(self) -> int:
        name = max(width_of(task.description) for task in self.tasks)
        state = max(width_of(task.fields["state"]) for task in self.tasks)
        return name + state + BETWEEN


class RichProgress(ProgressObserver):
    """Bars at the foot of the terminal; each thing that happens is a line above them."""

    def __init__(self, clock: Callable[[], float], console: Console) -> None:
        super().__init__(clock)
        self._console = console
        self._tasks: dict[str, rich.progress.TaskID] = {}
        self._bars = _Bars(
            # Fields are text: without `markup=False` a model's name could hold markup.
            rich.progress.TextColumn("{task.description}", markup=False),
            rich.progress.BarColumn(bar_width=BAR_WIDTH),
            rich.progress.TextColumn("{task.fields[state]}", markup=False),
            console=console,
            # No thread of rich's: it would draw from another one while an observer counts.
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
        self._tasks[model] = self._bars.add_task(shown(model), total=plan.calls, completed=kept, state="")
        self.tick()

    def tick(self) -> None:
        """Redraw the bars."""
        now = self.clock()
        for model, task in self._tasks.items():
            count = self.counts[model]
            self._bars.update(task, completed=count.done, state=state_shown(count, now))
        reading = "" if self.documents is None else reading_shown(self.documents)
        texts = reading, long_waits(list(self.counts.values()), now), model_waits(self.awaited, now)
        self._bars.waits = shown("; ".join(text for text in texts if text))
        self._bars.refresh()

    def _event(self, text: str) -> None:
        self.tick()  # below the line the bars stand as they were drawn last
        self._console.print(Text(shown(text)))


def progress_bars(clock: Callable[[], float]) -> RichProgress:
    """Return the bars for the terminal that standard error is."""
    return RichProgress(clock, Console(stderr=True))
