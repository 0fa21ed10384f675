"""From the environment to a running service."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

from evalcore.errors import ConfigurationError
from evalhook.app import create_app
from evalhook.secret import Scrubber
from evalhook.serving import serve
from evalhook.settings import Settings, read_settings
from evalhook.watching.events import EventHub
from evalhook.watching.job_logs import JobLogs
from evalhook.watching.logs import configure_logging, log_crashes


def start(environ: Mapping[str, str]) -> None:
    """Serve until told to stop; raises ConfigurationError where a setting is missing or wrong."""
    settings = read_settings(environ)
    require_clones(settings)
    require_metrics_address(settings)
    scrub = Scrubber(settings.secrets)
    configure_logging(scrub, job_logs=JobLogs(settings.jobs_dir))
    log_crashes()
    hub = EventHub()
    serve(create_app(settings, scrub=scrub, hub=hub), settings, stopping=hub.close)


def require_clones(settings: Settings) -> None:
    """Refuse a clone that is not there and has no URL to be made from: waiting would not bring it."""
    named = (
        ("EVALHOOK_PROMPT_LIBRARY", settings.prompt_library, settings.prompt_library_url),
        ("EVALHOOK_DATA_SETS", settings.data_sets, settings.data_sets_url),
    )
    for name, path, url in named:
        if path is not None and url is None and not Path(path).is_dir():
            hint = f"clone it there, or set {name}_URL"
            raise ConfigurationError("there is no such folder", where=f"{name} {path}", hint=hint)


def require_metrics_address(settings: Settings) -> None:
    """Refuse a taken address for the metrics now: later it would be told as the server's own."""
    if settings.metrics_bind is None:
        return
    host, port = settings.metrics_bind
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        where = f"EVALHOOK_METRICS_BIND {host}:{port}"
        raise ConfigurationError("cannot listen there", where=where, hint="is the port taken?") from error
