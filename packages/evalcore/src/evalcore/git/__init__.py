"""Git, at the edge: the only part of the service that runs it, with time limits and a clean environment."""

from evalcore.git.clone import Clone
from evalcore.git.commits import commit_file, message_of, push, read_blob, remote_tip
from evalcore.git.credentials import Credentials, require_secure

__all__ = [
    "Clone",
    "Credentials",
    "commit_file",
    "message_of",
    "push",
    "read_blob",
    "remote_tip",
    "require_secure",
]
