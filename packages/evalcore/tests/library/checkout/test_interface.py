"""What holds of every checkout: paths that stay inside, text that is UTF-8, files of a bounded size."""

from __future__ import annotations

import pytest

from evalcore.errors import CheckoutError
from evalcore.library.checkout.interface import checked_path, decode_text, within_size


@pytest.mark.parametrize("path", ["components/memo/prompt.md", ".", "a..b/c", ".gitattributes", ".github/x"])
def test_a_path_inside_is_taken(path: str) -> None:
    assert str(checked_path(path)) == path


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a\0b", "a\\..\\b", "a/.."])
def test_a_path_that_could_lead_out_is_refused(path: str) -> None:
    with pytest.raises(CheckoutError, match="leaves the checkout"):
        checked_path(path)


@pytest.mark.parametrize("path", [".git/config", "a/.GIT/config", ".git"])
def test_gits_own_files_are_nobodys(path: str) -> None:
    with pytest.raises(CheckoutError, match="git's own"):
        checked_path(path)


def test_a_byte_order_mark_is_no_text() -> None:
    assert decode_text(b"\xef\xbb\xbf---\n", "p") == "---\n"


def test_bytes_that_are_no_text_are_named_with_their_line() -> None:
    with pytest.raises(CheckoutError) as caught:
        decode_text(b"one\ntwo\n\xff", "prompt.md")
    assert (caught.value.what, caught.value.where) == ("is not UTF-8", "prompt.md:3")


def test_a_file_of_just_the_most_bytes_is_taken_and_one_more_refused() -> None:
    assert within_size("p", b"x", 8 << 20) == b"x"
    with pytest.raises(CheckoutError, match=r"8,388,609 bytes, over the limit of 8 MiB"):
        within_size("p", b"x", (8 << 20) + 1)
