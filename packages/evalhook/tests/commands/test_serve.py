"""Before serving: what would only fail later is refused at once, by the setting's name."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from evalcore.errors import ConfigurationError
from evalhook.commands.serve import require_clones, require_metrics_address, server_config
from evalhook.config.settings import read_settings
from evalhook.security.connections import LimitedProtocol

Environment = Callable[..., dict[str, str]]


def test_an_absent_clone_without_a_url_is_refused(environment: Environment, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        require_clones(read_settings(environment()))
    assert "EVALHOOK_PROMPT_LIBRARY" in refused.value.line
    assert "EVALHOOK_PROMPT_LIBRARY_URL" in refused.value.hint
    require_clones(read_settings(environment(EVALHOOK_PROMPT_LIBRARY_URL=f"file://{tmp_path}/remote")))
    (tmp_path / "library").mkdir()
    require_clones(read_settings(environment()))
    with pytest.raises(ConfigurationError, match="EVALHOOK_DATA_SETS"):
        require_clones(read_settings(environment(EVALHOOK_DATA_SETS=str(tmp_path / "nothing"))))


def test_a_taken_address_for_metrics_is_refused(environment: Environment) -> None:
    require_metrics_address(read_settings(environment()))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigurationError) as refused:
            require_metrics_address(read_settings(environment(EVALHOOK_METRICS_BIND=address)))
    assert address in refused.value.line


def test_the_server_trusts_no_headers_and_bounds_connections() -> None:
    async def app(*_: object) -> None:
        raise AssertionError

    config = server_config(app, "127.0.0.1", 0)
    assert (config.proxy_headers, config.server_header, config.access_log) == (False, False, False)
    assert config.http is LimitedProtocol
    assert config.h11_max_incomplete_event_size == LimitedProtocol.limits.header_bytes
