"""Looking for secrets: in which forms, in what a volume holds, and in what processes show while they run."""

from __future__ import annotations

import base64
import gzip
import io
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.containers.deployments import Deployment
from tests.containers.engine import LABEL, remove, run_docker


def forms_of(secret: str) -> list[bytes]:
    """The secret as it stands, as in a URL, and as in base64, wherever in a longer text it begins."""
    data = secret.encode()
    found = [data, quote(secret, safe="").encode()]
    for before in range(3):
        # Of the first and the last characters some bits belong to the secret's neighbours.
        first, end = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        encoded = base64.b64encode(b"\0" * before + data)[first:end]
        found += [encoded, encoded.translate(bytes.maketrans(b"+/", b"-_"))]
    return list(dict.fromkeys(found))


def found_in(places: Iterable[tuple[str, bytes]], secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """Where which of the secrets is: place and name."""
    forms = {name: forms_of(value) for name, value in secrets.items()}
    return [
        (place, name)
        for place, data in places
        for name, each in forms.items()
        if any(form in data for form in each)
    ]


def files_of(up: Deployment, folder: Path, *volumes: str) -> Iterator[tuple[str, bytes]]:
    """Every file of a deployment's volumes, unpacked where it is compressed, and every object of the clones.

    They are copied into `folder` first, as they are at one moment.
    """
    mounts = [part for name in volumes for part in ("--volume", f"{up.network(name)}:/volumes/{name}:ro")]
    packed = _packed("run", "--rm", "--network", "none", "--user", "0", *mounts, up.images.runner)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            yield str(path.relative_to(folder)), data
            if path.suffix == ".gz":
                yield f"{path.relative_to(folder)} (unpacked)", gzip.decompress(data)
        if path.name == ".git" or path.suffix == ".git":
            yield f"{path.relative_to(folder)} (objects)", _objects(path)


def temporary_files(up: Deployment, service: str) -> bytes:
    """What a container has in its memory's file systems, as one archive."""
    return _packed("exec", up.container(service), folders=("/tmp", "/dev/shm"))


def _packed(*run: str, folders: tuple[str, ...] = ("/volumes",)) -> bytes:
    """The folders of a container as a tar archive."""
    return subprocess.run(
        ["docker", *run, "tar", "--create", "--directory=/", *(name.lstrip("/") for name in folders)],
        capture_output=True,
        check=True,
        timeout=120,
    ).stdout


def _objects(repository: Path) -> bytes:
    ask = ["git", "-c", "safe.directory=*", "--git-dir", str(repository)]
    ask += ["cat-file", "--batch-all-objects", "--batch"]
    return subprocess.run(ask, capture_output=True, check=True, timeout=120).stdout


SAMPLER = """
import glob, sys, time
seen = set()
while True:
    for kind in sys.argv[1:]:
        for path in glob.glob("/proc/[0-9]*/" + kind):
            try:
                with open(path, "rb") as file:
                    data = file.read()
            except OSError:
                continue  # it has ended
            if data and (kind, data) not in seen:
                seen.add((kind, data))
                print(kind, data.hex(), flush=True)
    time.sleep(0.002)
"""
"""Prints each command line and each environment of any process once, as soon as it is seen."""


def read_samples(printed: str) -> list[tuple[str, bytes]]:
    """What the sampler printed: `cmdline` or `environ`, and the words, with a NUL between."""
    return [
        (kind, bytes.fromhex(data))
        for kind, _, data in (line.partition(" ") for line in printed.split("\n") if line)
    ]


@contextmanager
def processes_watched(up: Deployment, service: str) -> Iterator[list[tuple[str, bytes]]]:
    """Sample a service's processes while the block runs; what was seen is in the list at its end."""
    name = f"{up.project}-watching-{service}"
    beside = ["--pid", f"container:{up.container(service)}", "--user", "0", "--cap-add", "SYS_PTRACE"]
    seen: list[tuple[str, bytes]] = []
    run_docker(
        *(
            "run",
            "--detach",
            "--name",
            name,
            "--label",
            f"{LABEL}={up.project}",
            "--network",
            "none",
            *beside,
        ),
        *("--entrypoint", "python3", up.images.runner, "-I", "-c", SAMPLER, "cmdline", "environ"),
    )
    try:
        yield seen
        seen += read_samples(run_docker("logs", name))
        if not seen:
            pytest.fail("no process was seen")
    finally:
        remove("container", name)
