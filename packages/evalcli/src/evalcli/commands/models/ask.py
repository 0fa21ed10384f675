"""What commands that ask providers share."""

from __future__ import annotations

from urllib.parse import urlsplit

from evalcore.errors import ModelError
from evalcore.library.models import Endpoint, Provider


def located(error: ModelError, provider: Provider, endpoint: Endpoint) -> ModelError:
    """Return the error with where the provider was asked, without a path that may hold what is secret."""
    host = urlsplit(endpoint.base_url)
    where = f"{provider.name} at {host.scheme}://{host.netloc}"
    return type(error)(error.what, where=where, hint=error.hint)
