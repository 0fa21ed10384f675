"""The simulated cloud: Anthropic, OpenAI and Google, each by its description, with refusals and faults."""

from evalsim.cloud.app import SimulatedCloud
from evalsim.cloud.config import CloudConfig, CloudFault, CloudModel

__all__ = ["CloudConfig", "CloudFault", "CloudModel", "SimulatedCloud"]
