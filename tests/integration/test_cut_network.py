"""MindRouter's network cut in mid-run, over real network namespaces: no number changes, no place is held on.

Quality is 1.0: whatever is below is the cut's doing. Time is hurried, the kernel's keep-alive times with it.
"""

from __future__ import annotations

import os
import subprocess

import msgspec
import pytest

from evalsim.chaos.cut_network import Outcome, command

CUTS = {5.0: 10.0, 15.0: 10.0, 60.0: 10.0, 300.0: 20.0}
"""Seconds of the cuts, and how much faster time passes."""


def require_namespaces() -> None:
    apart = ["--net"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--net"]
    try:
        subprocess.run(["unshare", *apart, "ip", "link"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        if os.environ.get("EVALUATOR_REQUIRE") == "all":
            pytest.fail(f"network namespaces are required here (EVALUATOR_REQUIRE=all): {error}")
        pytest.skip("needs network namespaces (unshare, ip)")


@pytest.mark.network
@pytest.mark.timeout(400)
def test_a_cut_network_changes_no_number_and_holds_no_place_for_long() -> None:
    require_namespaces()
    running = {
        cut: subprocess.Popen(
            command(cut, factor, seed=int(cut)), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for cut, factor in CUTS.items()
    }
    told = {cut: process.communicate(timeout=380) for cut, process in running.items()}
    for cut, (result, complaint) in told.items():
        assert running[cut].returncode == 0, complaint.decode()
        outcome = msgspec.json.decode(result, type=Outcome)
        assert (outcome.statuses, outcome.accuracies) == (("complete",) * 2, (1.0, 1.0)), outcome
        assert outcome.failed == 0
        assert outcome.held <= 60, outcome
