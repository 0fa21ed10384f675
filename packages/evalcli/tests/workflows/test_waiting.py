"""Waiting for a job and for the slot: what is shown, how long, and what an outage does."""

from __future__ import annotations

import msgspec
import pytest

from evalcli.workflows import slot
from evalcli.workflows.service import (
    DocumentsRead,
    JobState,
    ServiceBusy,
    ServiceRefused,
    ServiceRequest,
    ServiceUnreachable,
    Started,
)
from evalcli.workflows.slot import LONGEST_WAIT, Answered, ask_each
from evalcli.workflows.waiting import LONGEST_OUTAGE, POLL_SECONDS, wait_for
from evalsim.testing import COMMIT


def job(status="running", done=0, total=100):
    values = {
        "job_id": "job-1", "skill_name": "memo", "replicates": 10, "git_sha": None, "prompt_commit": COMMIT,
        "dataset_commit": None, "status": status, "created_at": "", "started_at": None, "finished_at": None,
        "progress": {"done": done, "total": total, "errors": 0}, "result": None, "error": None,
    }  # fmt: skip
    return msgspec.convert(values, JobState)


class Service:
    """Gives what it is told to, one after the other, the last again and again; an error is raised."""

    def __init__(self, *said):
        self.said = list(said)
        self.slept = []

    def _next(self):
        found = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(found, Exception):
            raise found
        return found

    def job(self, _job_id):
        return self._next()

    def evaluate(self, _request):
        return self._next()

    def wait(self):
        shown = []
        return wait_for(self, "job-1", sleep=self.slept.append, show=shown.append), shown

    def ask(self, *skills):
        shown = []
        requests = [ServiceRequest(skill=skill, replicates=10) for skill in skills]
        answers = ask_each(
            self, requests, sleep=self.slept.append, monotonic=lambda: sum(self.slept), show=shown.append
        )
        return answers, shown


GONE = ServiceUnreachable("does not answer", where="https://host")


def test_while_a_job_reads_documents_it_is_they_that_are_counted():
    reading = [msgspec.structs.replace(job(), documents=DocumentsRead(read, 20)) for read in (0, 1, 3, 20)]
    _, shown = Service(*reading, job("completed")).wait()
    assert shown == [
        "job job-1: running, 0 % of 20 documents read",
        "job job-1: running, 10 % of 20 documents read",
        "job job-1: running, 0 % of 100 calls",
    ]


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_a_job_that_has_ended_is_not_waited_for(status):
    service = Service(job(status))
    assert service.wait() == (job(status), [])
    assert service.slept == []


def test_each_tenth_of_the_calls_is_shown_once():
    service = Service(
        job("queued"), job(), job(done=9), job(done=10), job(done=19), job(done=99), job("completed")
    )
    ended, shown = service.wait()
    assert ended.status == "completed"
    assert shown == [
        "job job-1: queued, 0 % of 100 calls",
        "job job-1: running, 0 % of 100 calls",
        "job job-1: running, 10 % of 100 calls",
        "job job-1: running, 90 % of 100 calls",
    ]
    assert service.slept == [POLL_SECONDS] * 6


def test_a_job_without_calls_yet_divides_by_nothing():
    assert Service(job(total=0), job("completed")).wait()[1] == ["job job-1: running, 0 % of 0 calls"]


def test_a_short_outage_is_waited_out():
    outage = [GONE] * LONGEST_OUTAGE
    assert Service(job(), *outage, job(), *outage, job("completed")).wait()[0].status == "completed"


def test_a_long_one_is_an_error():
    with pytest.raises(ServiceUnreachable):
        Service(GONE).wait()


# The slot


STARTED = Started(job_id="job-1", calls=120, status_url="/jobs/job-1")
BUSY = ServiceBusy("job x is running", where="https://host")


def test_each_is_asked_for_in_turn():
    answers, shown = Service(STARTED).ask("memo", "letter")
    assert [(answer.request.skill, answer.job_id, answer.reason) for answer in answers] == [
        ("memo", "job-1", None),
        ("letter", "job-1", None),
    ]
    assert shown == ["memo: job job-1, 120 calls", "letter: job job-1, 120 calls"]


def test_the_slot_is_waited_for():
    service = Service(BUSY, BUSY, STARTED)
    assert service.ask("memo")[0][0].job_id == "job-1"
    assert service.slept == [slot.POLL_SECONDS] * 2


def test_after_an_hour_over_all_the_rest_is_answered_with_the_reason():
    service = Service(STARTED, BUSY)
    answers, _ = service.ask("memo", "letter", "note")
    assert [answer.job_id for answer in answers] == ["job-1", None, None]
    assert {answer.reason for answer in answers[1:]} == {
        "the slot was not free within 60 minutes: job x is running"
    }
    assert sum(service.slept) == LONGEST_WAIT


def test_a_refusal_is_of_one_alone_and_a_service_that_is_gone_of_all():
    refused = ServiceRefused("there is no component", where="https://host")
    answers, _ = Service(refused, STARTED).ask("memo", "letter")
    assert [(answer.job_id, answer.reason) for answer in answers] == [
        (None, "there is no component"),
        ("job-1", None),
    ]
    answers, _ = Service(GONE).ask("memo", "letter")
    assert {answer.reason for answer in answers} == {"https://host: does not answer"}


def test_of_no_requests_nobody_is_asked():
    assert Service(GONE).ask() == ([], [])
    assert Answered(ServiceRequest(skill="memo", replicates=1), None, None).job_id is None
