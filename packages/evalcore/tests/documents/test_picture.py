"""Pictures: what is refused of one."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from evalcore.documents import picture
from evalcore.documents.answer import DocumentProblem, WorkerAnswer
from evalsim.documents import images


def saved(form: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, "white").save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "form"), [("png", "PNG"), ("jpg", "JPEG"), ("jpeg", "JPEG"), ("tiff", "TIFF"), ("tif", "TIFF")]
)
def test_each_kind_is_a_page(kind, form):
    assert picture.inspect(saved(form), kind) == WorkerAnswer(pages=1)


def test_a_fax_has_as_many_pages_as_pictures_and_not_too_many():
    assert picture.inspect(images.tiff(["a", "b", "c"]), "tiff").pages == 3
    frames = [Image.new("L", (2, 2)) for _ in range(201)]
    file = BytesIO()
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:])
    with pytest.raises(DocumentProblem, match="has 201 pages"):
        picture.inspect(file.getvalue(), "tiff")


@pytest.mark.parametrize(("form", "kind"), [("PNG", "jpg"), ("JPEG", "png"), ("TIFF", "png")])
def test_one_of_another_format_than_its_name_says_is_refused(form, kind):
    with pytest.raises(DocumentProblem, match=f"is a {form}, though its name says {kind}: rename it"):
        picture.inspect(saved(form), kind)


@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(50), b"%PDF-1.7"])
def test_what_is_no_picture_of_these_is_refused(content):
    with pytest.raises(DocumentProblem, match="is broken, or no PNG"):
        picture.inspect(content, "png")


@pytest.mark.parametrize(("form", "kind"), [("PNG", "png"), ("JPEG", "jpg")])
def test_one_that_is_cut_short_is_refused(form, kind):
    content = saved(form, (400, 300))
    with pytest.raises(DocumentProblem, match="is broken"):
        picture.inspect(content[: len(content) // 2], kind)


def test_one_of_too_many_pixels_is_refused_before_they_are_unpacked(monkeypatch):
    with pytest.raises(DocumentProblem, match="has over 100,000,000 pixels"):
        picture.inspect(images.png_bomb(), "png")
    monkeypatch.setattr(picture, "MOST_PIXELS", 1000)
    with pytest.raises(DocumentProblem, match="has 40 x 30 pixels, over 1,000"):
        picture.inspect(saved("PNG"), "png")
