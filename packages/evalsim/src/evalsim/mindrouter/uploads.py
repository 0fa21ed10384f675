"""A multipart upload, read as MindRouter's framework reads it, its refusals included."""

from __future__ import annotations

from io import BytesIO

from multipart import MultipartError, MultipartParser, parse_options_header

from evalcore.structs import Frozen, JsonObject, JsonValue


class NotValid(Exception):
    """A 422; `problems` is the answer's `detail`."""

    def __init__(self, problem: JsonObject) -> None:
        self.problems: list[JsonValue] = [problem]
        super().__init__(str(problem))


class Upload(Frozen, frozen=True):
    """A file and what is asked of it; None where the request does not say."""

    name: str
    content_type: str
    content: bytes
    model: str | None
    output_format: str | None
    chunk_size: int | None
    overlap: int | None


def read_upload(content_type: str, body: bytes) -> Upload:
    """Read the body of an upload; raises NotValid."""
    kind, options = parse_options_header(content_type)
    missing: JsonObject = {
        "type": "missing",
        "loc": ["body", "file"],
        "msg": "Field required",
        "input": None,
    }
    boundary = options.get("boundary", "")
    if kind != "multipart/form-data" or not boundary:
        raise NotValid(missing)
    form: dict[str, str] = {}
    file: tuple[str, str, bytes] | None = None
    try:
        size = len(body) + 1
        # Its own limits are for bodies that come piece by piece: this one is there, and bounded.
        parser = MultipartParser(BytesIO(body), boundary, disk_limit=size, memory_limit=size)
        for part in parser:
            if part.filename is None:
                form[part.name] = part.value
            elif part.name == "file":
                file = (part.filename, part.content_type, part.raw)
            part.close()
    except (MultipartError, UnicodeDecodeError):
        raise NotValid(missing) from None
    if file is None:
        raise NotValid(missing)
    name, its_type, content = file
    _number(form, "dpi")  # what stands on a made document's pages is as plain at any resolution
    return Upload(
        name,
        its_type,
        content,
        model=form.get("model") or None,
        output_format=form.get("output_format") or None,
        chunk_size=_number(form, "chunk_size"),
        overlap=_number(form, "overlap"),
    )


def _number(form: dict[str, str], name: str) -> int | None:
    text = form.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise NotValid(
            {"type": "int_parsing", "loc": ["body", name], "msg": message, "input": text}
        ) from None
