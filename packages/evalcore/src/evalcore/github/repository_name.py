"""How a repository on GitHub is named."""

from __future__ import annotations

import re
from typing import Final

REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
"""`owner/name`, within GitHub's bounds."""
