"""PNG, JPEG and TIFF, looked at through Pillow. Runs in the process of `worker` alone."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from PIL import Image, UnidentifiedImageError

from evalcore.documents.answer import DocumentProblem, WorkerAnswer, checked_pages
from evalcore.library.kinds import PICTURES

MOST_PIXELS: Final = 100_000_000
"""Of one picture."""


def inspect(data: bytes, kind: str) -> WorkerAnswer:
    """Look at a picture: each of its pages is decoded. Raises DocumentProblem, or what Pillow raises."""
    wanted = PICTURES[kind]
    try:
        # Pillow itself refuses what is twice as large as its own limit of 89 million pixels.
        picture = Image.open(BytesIO(data), formats=sorted(set(PICTURES.values())))
    except UnidentifiedImageError:
        raise DocumentProblem(f"is broken, or no {wanted}") from None
    except Image.DecompressionBombError:
        raise DocumentProblem(f"has over {MOST_PIXELS:,} pixels") from None
    if picture.format != wanted:
        raise DocumentProblem(f"is a {picture.format}, though its name says {kind}: rename it")
    pages = checked_pages(getattr(picture, "n_frames", 1))
    for page in range(pages):
        picture.seek(page)
        if picture.width * picture.height > MOST_PIXELS:
            raise DocumentProblem(f"has {picture.width:,} x {picture.height:,} pixels, over {MOST_PIXELS:,}")
        try:
            # Decoded, since a picture that is cut short opens like a whole one.
            picture.load()
        except OSError:
            raise DocumentProblem("is broken or cut short: it cannot be decoded") from None
    return WorkerAnswer(pages=pages)
