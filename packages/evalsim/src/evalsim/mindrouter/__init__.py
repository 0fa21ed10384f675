"""A simulated MindRouter: answers as the recordings of release 2.9.58 do, models and faults included."""

from __future__ import annotations

from evalsim.mindrouter.answers import AnswerBook, Expected
from evalsim.mindrouter.app import SimulatedMindRouter
from evalsim.mindrouter.config import Fault, FaultKind, SimConfig, SimModel, default_config

__all__ = [
    "AnswerBook",
    "Expected",
    "Fault",
    "FaultKind",
    "SimConfig",
    "SimModel",
    "SimulatedMindRouter",
    "default_config",
]
