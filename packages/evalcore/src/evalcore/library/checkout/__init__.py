"""The edge that reads a checkout: a folder on disk, or one commit of a git repository.

Nothing outside the checkout is ever read: `..`, absolute paths, links that leave it and its `.git`
are refused.
"""

from __future__ import annotations

from evalcore.library.checkout.commit import CommitCheckout
from evalcore.library.checkout.folder import FolderCheckout
from evalcore.library.checkout.git import CommitState, commit_of, commit_state, head_commit, is_in_git
from evalcore.library.checkout.interface import MAX_BYTES, Checkout, decode_text, read_text
from evalcore.library.checkout.lfs import lfs_pointer

__all__ = [
    "MAX_BYTES",
    "Checkout",
    "CommitCheckout",
    "CommitState",
    "FolderCheckout",
    "commit_of",
    "commit_state",
    "decode_text",
    "head_commit",
    "is_in_git",
    "lfs_pointer",
    "read_text",
]
