"""Make the README's two pictures: the dashboard's first page, and a results pull request.

Both are of the sample library with its made-up year of results: but for the browser's fonts they are the same
every time. Needs Chromium. Writes docs/pictures/dashboard.png and docs/pictures/pull-request.png.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from evalcore.publishing.messages import commit_subject, pull_request_body
from evalcore.publishing.pull_request import PullRequestOptions, Results
from evalcore.runs.leaderboard import known_records, leaderboard_of, parse_leaderboard
from evalsim.github.pages import pull_page
from evalsim.github.state import Pull

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PICTURES = ROOT / "docs" / "pictures"
SKILL = "deadline-calendar"
LARGEST = 200_000
"""Bytes of a picture."""
COLOURS = 128


def main() -> int:
    """Write both pictures; 1 where Chromium is not there or a picture is too large."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("make pictures: needs Chromium: install it", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        library, site = Path(folder) / "library", Path(folder) / "site"
        subprocess.run([BIN / "evalsim", "history", library], check=True, stderr=subprocess.DEVNULL)
        subprocess.run([BIN / "evalcli", "dashboard", "--prompt-library", library, "--out", site], check=True)
        page = Path(folder) / "pull-request.html"
        page.write_text(pull_request(library), "utf-8")
        pages = {"dashboard": (site / "index.html", 1180, 800), "pull-request": (page, 1280, 640)}
        sizes = [picture(browser, name, *what) for name, what in pages.items()]
    return 1 if max(sizes) > LARGEST else 0


def pull_request(library: Path) -> str:
    """Return a page with the pull request of the newest version of a component, as GitHub lays one out."""
    path = library / "components" / SKILL / "leaderboard.json"
    records = known_records(parse_leaderboard(path.read_bytes(), str(path)))
    newest = max(records, key=lambda record: record.finished_at)
    mine = [record for record in records if record.job_id == newest.job_id]
    earlier = [record for record in records if record.finished_at < min(each.started_at for each in mine)]
    results = Results(
        job_id=newest.job_id,
        slug=SKILL,
        version=newest.component_version,
        prompt_commit=newest.prompt_commit or "",
        replicates=newest.replicates,
        records=mine,
        skipped_models={},
        skipped_cases=newest.skipped_cases,
        earlier=leaderboard_of(SKILL, earlier),
        options=PullRequestOptions(dashboard_url="https://university.example/evaluations"),
    )
    return pull_page(
        Pull(
            number=41,
            title=commit_subject(results),
            body=pull_request_body(results),
            head=f"eval-results/{SKILL}-{(newest.prompt_commit or '')[:12]}",
            base="main",
            user="evaluator[bot]",
            created_at=newest.finished_at,
            updated_at=newest.finished_at,
            labels=["eval-results"],
        )
    )


def picture(browser: str, name: str, page: Path, width: int, height: int) -> int:
    """Take a picture of a page and return its size in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder) / "taken.png"
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-device-scale-factor=1.5",
        ]
        subprocess.run(
            [browser, *flags, f"--window-size={width},{height}", f"--screenshot={taken}", page.as_uri()],
            check=True,
            capture_output=True,
        )
        image = Image.open(io.BytesIO(taken.read_bytes())).convert("RGB").quantize(COLOURS)
    target = PICTURES / f"{name}.png"
    image.save(target, optimize=True)
    size = target.stat().st_size
    print(f"{target.relative_to(ROOT)}: {size // 1000} kB (at most {LARGEST // 1000})")
    return size


if __name__ == "__main__":
    sys.exit(main())
