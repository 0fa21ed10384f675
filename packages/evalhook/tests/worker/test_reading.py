"""The documents of a job: read in the job, before its calls, each once; what cannot be read is left out."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
import structlog

from evalcore.documents.interface import Reader
from evalcore.errors import ConfigurationError, StorageError
from evalcore.evaluation.outcome import Observer
from evalcore.formats.strict_json import sha256_hex
from evalcore.library.reading import ReadingEntry
from evalhook.worker.reading import _WatchedReader
from evalsim.documents import pdf
from evalsim.documents.notices import Notice

ENCRYPTED = pdf.encrypted_pdf(["secret"], "secret")


def documents(count):
    return {f"paper-{number}": pdf.text_pdf(Notice(number).pages(1)) for number in range(count)}


async def accepted(client, **request):
    answer = await client.post("/evaluate", json={"skill_name": "memo", "replicates": 2} | request)
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_documents_are_read_in_the_job_once_for_all_models_and_replicates(world):
    world.clones.documents = documents(3)

    async def story(client):
        answer = await accepted(client)
        # 2 models, 2 texts and 3 documents, 2 replicates
        assert (answer["calls"], answer["documents"]) == (20, 3)
        job = await world.ended(client, answer["job_id"])
        assert job["status"] == "completed", job
        assert job["documents"] == {"read": 3, "total": 3}
        assert job["progress"] == {"done": 20, "total": 20, "errors": 0}

    world.story(story)
    hashes = {sha256_hex(data) for data in world.clones.documents.values()}
    assert sorted(world.router.read) == sorted(hashes)
    assert {f"text of {each}\n" for each in hashes} <= set(world.router.inputs)
    record = world.publishing.records[0]
    assert {document.sha256 for document in record.documents} == hashes
    assert {document.reader for document in record.documents} == {"mindrouter"}


def test_what_was_read_for_one_job_is_not_read_for_the_next(world):
    world.clones.documents = documents(2)

    async def story(client):
        for _ in range(2):
            await world.evaluated(client)

    world.story(story)
    assert len(world.router.read) == 2


def test_a_job_whose_inputs_are_texts_says_nothing_of_documents(world):
    async def story(client):
        answer = await accepted(client)
        assert "documents" not in answer
        job = await world.ended(client, answer["job_id"])
        assert "documents" not in job

    world.story(story)


def test_while_it_reads_a_job_says_which_document_it_is_at(world):
    world.clones.documents = documents(10)

    async def story(client):
        world.router.reading_gate = asyncio.Event()
        job_id = (await accepted(client))["job_id"]
        await world.router.reading.wait()
        job = (await client.get(f"/jobs/{job_id}")).json()
        assert (job["status"], job["phase"]) == ("running", "reading")
        assert job["documents"] == {"read": 0, "total": 10}
        page = (await client.get("/", headers={"Accept": "text/html"})).text
        assert "reading documents 1 of 10" in page
        assert page.count("waiting for documents") == 2
        figures = (await client.get("/metrics")).text
        assert "evalhook_job_documents_left 10.0" in figures
        world.router.reading_gate.set()
        assert (await world.ended(client, job_id))["status"] == "completed"
        figures = (await client.get("/metrics")).text
        assert 'evalhook_documents_total{outcome="read",reader="mindrouter"} 10.0' in figures
        assert "evalhook_job_documents_left 0.0" in figures

    world.story(story)


def test_the_events_of_a_job_tell_of_its_reading_and_name_no_case(world):
    world.clones.documents = documents(2)

    async def story(client):
        world.router.reading_gate = asyncio.Event()
        job_id = (await accepted(client))["job_id"]
        await world.router.reading.wait()
        asyncio.get_running_loop().call_later(0.3, world.router.reading_gate.set)
        text = (await client.get(f"/jobs/{job_id}/events")).text
        progress = [
            json.loads(line.removeprefix("data: "))
            for event in text.split("\n\n")
            if "event: progress" in event
            for line in event.splitlines()
            if line.startswith("data: ")
        ]
        assert progress[0]["stage"] == "reading"
        assert progress[0]["reading"] == {"number": 1, "total": 2}
        assert "reading" in {data["stage"] for data in progress}
        assert "paper" not in text
        assert "text of" not in text

    world.story(story)


def test_a_document_that_cannot_be_read_leaves_its_case_out_and_its_calls_are_not_counted(world):
    world.clones.documents = documents(2) | {"paper-broken": b"no PDF", "paper-encrypted": ENCRYPTED}
    unreadable = sha256_hex(world.clones.documents["paper-1"])
    world.router.unreadable = {unreadable}

    async def story(client):
        answer = await accepted(client)
        assert (answer["calls"], answer["documents"]) == (24, 4)
        job = await world.ended(client, answer["job_id"])
        assert job["progress"] == {"done": 12, "total": 12, "errors": 0}
        assert job["documents"] == {"read": 4, "total": 4}

    world.story(story)
    assert world.router.calls == 12
    # the broken ones are looked at here, and never sent
    assert len(world.router.read) == 2
    record = world.publishing.records[0]
    reasons = {case.case: case.reason for case in record.skipped_cases}
    assert set(reasons) == {"paper-1", "paper-broken", "paper-encrypted"}
    assert "encrypted" in reasons["paper-encrypted"]


def test_logs_tell_how_reading_went_and_neither_cases_nor_texts(world):
    world.clones.documents = documents(2)
    world.router.unreadable = {sha256_hex(world.clones.documents["paper-1"])}
    with structlog.testing.capture_logs() as logs:
        world.story(world.evaluated)
    told = [entry for entry in logs if "document" in entry["event"]]
    assert [entry["event"] for entry in told] == [
        "documents_to_read",
        "document_read",
        "document_unreadable",
        "documents_read",
    ]
    assert told[1] | {"seconds": 0} == {
        "event": "document_read",
        "log_level": "info",
        "job_id": told[0]["job_id"],
        "reader": "mindrouter",
        "bytes": len(world.clones.documents["paper-0"]),
        "pages": 1,
        "seconds": 0,
    }
    assert told[3]["left_out"] == 1
    assert "paper" not in str(logs)
    assert "text of" not in str(logs)


def test_where_no_case_is_left_the_job_fails_and_names_none_that_is_confidential(world):
    world.changes = {"EVALHOOK_PUBLISH_CASES": "none"}
    world.clones.cases, world.clones.source = (), "data_sets"
    world.clones.documents = {"paper-broken": b"no PDF"}

    async def story(client):
        job = await world.evaluated(client)
        assert job["status"] == "failed"
        assert "none of its cases can be used" in job["error"]["message"]
        assert "paper" not in job["error"]["message"]

    world.story(story)
    assert world.router.calls == 0


def test_what_this_machine_lacks_for_the_librarys_reader_refuses_the_request(world):
    world.clones.documents = documents(1)
    world.router.reader_error = ConfigurationError(
        "the inputs are documents, and `documents:` names no model to read them with",
        where=".evaluator/models.yaml",
        hint="add `documents: {model: ...}`",
    )

    async def story(client):
        answer = await client.post("/evaluate", json={"skill_name": "memo"})
        assert answer.status_code == 422
        error = answer.json()["error"]
        assert error["code"] == "unusable_component"
        assert "names no model to read them with; add `documents: {model: ...}`" in error["message"]
        assert await world.slot_is_free(client)

    world.story(story)


def test_texts_need_no_reader(world):
    world.router.reader_error = ConfigurationError("no reader here")

    async def story(client):
        assert (await world.evaluated(client))["status"] == "completed"

    world.story(story)


def test_the_components_own_file_says_how_its_documents_are_read(world):
    world.clones.documents = documents(1)
    world.clones.inputs = ReadingEntry(reader="text")

    async def story(client):
        job_id = (await accepted(client))["job_id"]
        plan = msgspec.json.decode((world.settings.jobs_dir / f"{job_id}.plan").read_bytes())
        assert plan["reading"]["reader"] == "text"
        await world.ended(client, job_id)

    world.story(story)


def test_a_document_that_the_gateway_is_not_sent_as_it_is_has_no_calls_in_any_count(world):
    world.clones.documents = documents(1)
    world.clones.inputs = ReadingEntry(reader="none")
    world.router.reader_name = "none"

    async def story(client):
        world.router.gate = asyncio.Event()
        answer = await accepted(client)
        # 2 models, the 2 texts, 2 replicates
        assert answer["calls"] == 8
        await world.router.asked.wait()
        job = (await client.get(f"/jobs/{answer['job_id']}")).json()
        assert job["progress"]["total"] == 8
        assert "0 of 4" in (await client.get("/", headers={"Accept": "text/html"})).text
        world.router.gate.set()
        job = await world.ended(client, answer["job_id"])
        assert job["progress"] == {"done": 8, "total": 8, "errors": 0}

    world.story(story)
    (skipped, *_) = world.publishing.records[0].skipped_cases
    assert (skipped.case, "takes no PDF as it is" in skipped.reason) == ("paper-0", True)


def test_a_job_that_is_cancelled_while_it_reads_ends_and_frees_the_slot(world):
    world.clones.documents = documents(2)

    async def story(client):
        world.router.reading_gate = asyncio.Event()
        job_id = (await accepted(client))["job_id"]
        await world.router.reading.wait()
        assert (await client.post(f"/jobs/{job_id}/cancel")).status_code in {200, 202}
        assert (await world.ended(client, job_id))["status"] == "cancelled"
        assert await world.slot_is_free(client)

    world.story(story)


def test_a_restart_in_mid_reading_reads_nothing_twice(world):
    world.clones.documents = documents(4)
    hashes = sorted(sha256_hex(data) for data in world.clones.documents.values())
    job_ids = []

    async def begun(client):
        world.router.reading_gate, world.router.reading_gate_after = asyncio.Event(), 2
        job_ids.append((await accepted(client))["job_id"])
        await world.router.reading.wait()

    async def gone_on(client):
        job = await world.ended(client, job_ids[0])
        assert job["status"] == "completed", job
        assert job["progress"]["total"] == job["progress"]["done"] == 24

    world.story(begun)
    world.router.reading_gate = None
    world.story(gone_on)
    assert sorted(world.router.read) == hashes


def test_a_disk_that_fills_while_documents_are_read_is_waited_for_and_none_is_read_twice(world):
    world.clones.documents = documents(2)

    async def story(client):
        world.router.reading_gate, world.router.reading_gate_after = asyncio.Event(), 1
        job_id = (await accepted(client))["job_id"]
        await world.router.reading.wait()
        world.router.crash = StorageError("cannot be written (No space left on device)", where="documents")
        world.router.reading_gate.set()
        # in hurried time it was called stalled at the gate
        while (job := (await client.get(f"/jobs/{job_id}")).json()).get("attention", {}).get(
            "code"
        ) != "storage_full":
            assert job["status"] == "running"
            await asyncio.sleep(0)
        world.router.crash = None
        assert (await world.ended(client, job_id))["status"] == "completed"

    world.story(story)
    assert len(world.router.read) == 2


class Notes(Observer):
    def __init__(self):
        self.read = []

    def document_read(self, reader, seconds, pages, problem):
        self.read.append((reader, seconds, pages, problem))


class NoReader(Reader):
    name = "text"

    async def version(self):
        return None

    async def read(self, _document, _data, _pages):
        raise AssertionError("nothing is to be read")


def test_once_the_service_stops_no_document_is_begun():
    async def story():
        idle = asyncio.Event()
        reader = _WatchedReader(NoReader(), Notes(), "job", lambda: 0.0, lambda: False, idle.set)
        reading = asyncio.create_task(reader.read(None, b"", 1))
        await idle.wait()
        assert not reading.done()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(story())
