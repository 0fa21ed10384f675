"""A simulated GitHub: REST calls over a real git smart-HTTP remote."""

from evalsim.github.app import SimulatedGitHub
from evalsim.github.faults import Fault
from evalsim.github.state import Repository, State

__all__ = ["Fault", "Repository", "SimulatedGitHub", "State"]
