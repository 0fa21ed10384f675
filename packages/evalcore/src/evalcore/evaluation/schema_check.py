"""Whether a schema of a prompt library can be compiled: tried in a process of its own, within limits.

Compiling takes time by the square of its references, and holds the interpreter meanwhile; a service must
answer. What is small and holds no counted repetition takes some milliseconds and is compiled at once.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Final

import msgspec

from evalcore.decoding import decode_json
from evalcore.errors import ComponentError
from evalcore.library.schema import make_validator
from evalcore.library.schema_work import is_cheap_to_compile
from evalcore.structs import JsonObject, JsonValue

SECONDS: Final = 20.0
MEMORY: Final = 2 * 1024**3
"""Bytes of address space."""
# So few are compiled in less time than a process takes to start.
FEW_NODES: Final = 2_000
_HINT: Final = "make it smaller, and its patterns simpler"


def check_schema(schema: JsonObject, where: str) -> None:
    """Raise ComponentError where a bundled schema cannot be compiled, or only beyond the limits."""
    if is_cheap_to_compile(schema, FEW_NODES):
        make_validator(schema, where)
        return
    try:
        done = subprocess.run(
            [sys.executable, "-m", "evalcore.evaluation.schema_check"],
            input=msgspec.json.encode(schema),
            capture_output=True,
            timeout=SECONDS,
            # No secret beside a schema that anybody who writes to the library may have made.
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        what = f"the schema takes over {SECONDS:.0f} s to compile"
        raise ComponentError(what, where=where, hint=_HINT) from None
    if done.returncode != 0:
        what = f"the schema takes over {MEMORY // 1024**3} GiB to compile, or ends the validator"
        raise ComponentError(what, where=where, hint=_HINT)
    if done.stdout:
        raise ComponentError(done.stdout.decode(), where=where, hint="mend it")


def main() -> None:
    """Compile the schema on standard input; print what is wrong with it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        make_validator(decode_json(sys.stdin.buffer.read(), JsonValue))
    except ComponentError as error:
        sys.stdout.write(error.what)


if __name__ == "__main__":
    main()
