"""Made images are what they are said to be."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from evalsim.documents import images
from evalsim.documents.notices import Notice

PAGE = Notice(1).page()


def opened(document):
    image = Image.open(BytesIO(document))
    image.load()
    return image


def test_a_page_is_drawn_dark_on_light():
    low, high = images.drawn("some words").getextrema()
    assert (low, high) == (0, 255)
    assert images.drawn("one") != images.drawn("two")


@pytest.mark.parametrize(("make", "form"), [(images.png, "PNG"), (images.jpeg, "JPEG")])
def test_a_photograph_is_in_colour_and_of_its_format(make, form):
    image = opened(make(PAGE))
    assert (image.format, image.mode, image.size) == (form, "RGB", images.SIZE)


def test_a_fax_has_an_image_for_each_page():
    image = opened(images.tiff(Notice(1).pages(3)))
    assert (image.format, image.n_frames, image.mode) == ("TIFF", 3, "1")


def test_a_bomb_is_small_until_it_is_opened():
    bomb = images.png_bomb()
    assert len(bomb) < 2**20
    with pytest.raises(Image.DecompressionBombError):
        Image.open(BytesIO(bomb))
    assert opened(images.png_bomb(64)).size == (64, 64)
