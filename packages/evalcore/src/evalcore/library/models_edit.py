"""Adds a model to the text of a models.yaml, or removes one; comments and layout stay as they are."""

from __future__ import annotations

import io
from collections.abc import Iterator

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from evalcore.errors import ConfigurationError
from evalcore.formats.yaml_tree import read_yaml
from evalcore.library.models import LOCAL_PROVIDER, Model, concurrency_by_default, streams_by_default
from evalcore.library.models_file import parse_models
from evalcore.near_names import did_you_mean
from evalcore.structs import JsonObject

INDENT = 2


def add_model(text: str, model: Model, where: str = "models.yaml") -> str:
    """Return the text with one more model at the end of its list.

    Raises ConfigurationError, naming `where`, when the file is not valid, has that id already, or lists
    its models in a way that cannot be added to. The result is read again before it is returned.
    """
    root = read_yaml(text, where, ConfigurationError)
    # A file that lists no models yet is not valid by itself: it can only be checked together with the new
    # entry.
    listed = root.items().get("models") if root is not None else None
    begins = root is None or (isinstance(root.value, dict) and (listed is None or not listed.value))
    known = () if begins else parse_models(text.encode(), where).models
    if any(model.id == other.id for other in known):
        raise ConfigurationError(
            f"the model `{model.id}` is there already", where=where, hint="edit its entry"
        )
    edited = _inserted(text, model) if known else _begun(text, model, begun=listed is not None)
    if begins:
        # With a model that is surely right, so that what is wrong is the file, on its own lines.
        anyone = Model("any", LOCAL_PROVIDER, concurrency=concurrency_by_default(LOCAL_PROVIDER))
        parse_models((_begun(text, anyone, begun=listed is not None) or text).encode(), where)
    # The edit is one of text, so that comments and layout stay. Whatever layout it does not foresee (a list
    # in `[...]`, an alias) shows here, before a file is damaged.
    if edited is None or _parsed(edited, where) != (*known, model):
        raise ConfigurationError("its list cannot be added to", where=where, hint="add the model by hand")
    return edited


def _parsed(edited: str, where: str) -> tuple[Model, ...]:
    """Read the file as it would be; what is wrong in it is the model that was added.

    No line is named: the file does not have it.
    """
    try:
        return parse_models(edited.encode(), where).models
    except ConfigurationError as error:
        raise ConfigurationError(error.what, where="the model to be added", hint=error.hint) from error


def remove_model(text: str, model_id: str, where: str = "models.yaml") -> str:
    """Return the text without the model of that id; comments above its entry stay.

    Raises ConfigurationError, naming `where`, when the file is not valid, has no such model, or lists
    its models in a way that none can be taken from. The result is read again before it is returned.
    """
    known = parse_models(text.encode(), where).models
    ids = [model.id for model in known]
    if model_id not in ids:
        hint = did_you_mean(model_id, ids) or f"known: {', '.join(ids)}"
        raise ConfigurationError(f"there is no model {model_id!r:.110}", where=where, hint=hint)
    # A models.yaml that lists none is refused wherever it is read.
    if len(ids) == 1:
        hint = "add another before, or remove the file"
        raise ConfigurationError(f"{model_id} is its only model", where=where, hint=hint)
    at = ids.index(model_id)
    edited = _without(text, at)
    if edited is None or parse_models(edited.encode(), where).models != (*known[:at], *known[at + 1 :]):
        raise ConfigurationError(
            "its list cannot be taken from", where=where, hint="remove the model by hand"
        )
    return edited


def _without(text: str, at: int) -> str | None:
    """Leave an entry's lines out, and one of the blank lines around it."""
    models = _models_node(text)
    if not isinstance(models, SequenceNode) or models.flow_style:
        return None
    lines = text.splitlines(keepends=True)
    entry = models.value[at]
    begin, end = entry.start_mark.line, _line_after(entry)
    if end < len(lines) and not lines[end].strip() and not lines[begin - 1].strip():
        end += 1
    elif end == len(lines) and not lines[begin - 1].strip():
        begin -= 1
    return "".join([*lines[:begin], *lines[end:]])


def _inserted(text: str, model: Model) -> str | None:
    """Put the entry below the last one; None where the list is not written one entry a line."""
    models = _models_node(text)
    if not isinstance(models, SequenceNode) or models.flow_style:
        return None
    # Lines keep their own ends: nothing but the entry changes.
    lines = text.splitlines(keepends=True)
    at = _line_after(models)
    if not lines[at - 1].endswith("\n"):
        lines[at - 1] += "\n"
    # A blank line goes before it where there is one before the last entry.
    before = models.value[-2:-1] or models.value
    between = lines[_line_after(before[0]) : models.value[-1].start_mark.line]
    blank = "\n" if any(not line.strip() for line in between) else ""
    return "".join([*lines[:at], blank, _entry(model, indent=models.start_mark.column), *lines[at:]])


def _begun(text: str, model: Model, *, begun: bool) -> str | None:
    """Begin the list of a file that lists no models yet."""
    entry = _entry(model, indent=INDENT)
    if not begun:
        return f"{text.rstrip()}\n\nmodels:\n{entry}".lstrip()
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("models:"):
            # `models: []` and `models:` begin the same list; a comment behind them stays.
            comment = line.partition("#")[2].strip()
            head = f"models:  # {comment}\n" if comment else "models:\n"
            return "".join([*lines[:number], head, entry, *lines[number + 1 :]])
    return None


def _models_node(text: str) -> Node | None:
    # The tree that knows where things stand; `read_yaml` keeps lines, but neither columns nor ends.
    root = YAML(typ="safe", pure=True).compose(text)
    pairs = root.value if isinstance(root, MappingNode) else []
    return next((value for key, value in pairs if key.value == "models"), None)


def _line_after(node: Node) -> int:
    return 1 + max(int(leaf.end_mark.line) for leaf in _leaves(node))


def _leaves(node: Node) -> Iterator[Node]:
    """Yield the nodes that end where they are written; a block ends only where the next thing begins."""
    if not isinstance(node, MappingNode | SequenceNode) or node.flow_style:
        yield node
        return
    for child in node.value:
        for part in child if isinstance(child, tuple) else (child,):
            yield from _leaves(part)


def _entry(model: Model, indent: int) -> str:
    yaml = YAML(typ="rt", pure=True)
    # Otherwise long params are wrapped over lines, and what is one line here would be several in the file.
    yaml.width = 4096
    out = io.StringIO()
    yaml.dump(_settings(model), out)
    first, *others = out.getvalue().splitlines()
    return "".join([f"{' ' * indent}- {first}\n", *(f"{' ' * (indent + INDENT)}{line}\n" for line in others)])


def _settings(model: Model) -> CommentedMap:
    """Return what has to be written down: no key whose default says the same."""
    settings = CommentedMap(id=model.id, provider=model.provider)
    concurrency = concurrency_by_default(model.provider)
    default = Model(id=model.id, provider=model.provider, concurrency=concurrency)
    for key in ("structured_output", "concurrency", "timeout", "idle_timeout"):
        if (value := getattr(model, key)) != getattr(default, key):
            settings[key] = value
    if model.stream != streams_by_default(model.provider):
        settings["stream"] = model.stream
    if model.params:
        settings["params"] = _on_one_line(model.params)
    if model.price is not None:
        settings["price"] = _on_one_line(msgspec.to_builtins(model.price))
    return settings


def _on_one_line(values: JsonObject) -> CommentedMap:
    mapping = CommentedMap(values)
    mapping.fa.set_flow_style()
    return mapping
