"""Requests for the service's one slot: each in turn, busy waited for, and not for ever."""

from __future__ import annotations

from evalcli.workflows.service import (
    ServiceBusy,
    ServiceClient,
    ServiceRefused,
    ServiceRequest,
    ServiceUnreachable,
    Started,
)
from evalcli.workflows.slot import LONGEST_WAIT, POLL_SECONDS, Answered, ask_each

MEMO, NOTICE = ServiceRequest("memo"), ServiceRequest("notice")
BUSY = ServiceBusy("busy with budget", where="https://vm")


class Service(ServiceClient):
    """Answers as it is told, one answer after the other; the last one stays."""

    def __init__(self, *answers: Started | Exception) -> None:
        super().__init__("https://vm", lambda: "token")
        self.answers = list(answers)
        self.asked: list[str] = []

    def evaluate(self, request: ServiceRequest) -> Started:
        self.asked.append(request.skill)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


def asked(service: Service) -> tuple[list[Answered], list[str], float]:
    time, shown = Time(), list[str]()
    answers = ask_each(service, [MEMO, NOTICE], sleep=time.sleep, monotonic=time.monotonic, show=shown.append)
    return answers, shown, time.now


def test_each_is_asked_for_in_its_turn() -> None:
    answers, shown, waited = asked(
        Service(Started("job-1", "/jobs/job-1", 30), Started("job-2", "/jobs/job-2", 1))
    )
    assert answers == [Answered(MEMO, "job-1", None), Answered(NOTICE, "job-2", None)]
    assert shown == ["memo: job job-1, 30 calls", "notice: job job-2, 1 call"]
    assert waited == 0


def test_a_slot_that_is_held_is_waited_for() -> None:
    service = Service(BUSY, BUSY, Started("job-1", "/jobs/job-1"))
    answers, _, waited = asked(service)
    assert [answer.job_id for answer in answers] == ["job-1", "job-1"]
    assert service.asked == ["memo", "memo", "memo", "notice"]
    assert waited == 2 * POLL_SECONDS


def test_after_an_hour_over_all_the_rest_is_left_with_the_reason() -> None:
    answers, _, waited = asked(Service(BUSY))
    assert [answer.job_id for answer in answers] == [None, None]
    assert {answer.reason for answer in answers} == {
        "the slot was not free within 60 minutes: busy with budget"
    }
    assert LONGEST_WAIT <= waited < LONGEST_WAIT + 2 * POLL_SECONDS


def test_what_is_refused_does_not_hold_up_the_next() -> None:
    refused = ServiceRefused("there is no component `memo`", where="https://vm")
    answers, _, _ = asked(Service(refused, Started("job-2", "/jobs/job-2")))
    assert answers == [
        Answered(MEMO, None, "there is no component `memo`"),
        Answered(NOTICE, "job-2", None),
    ]


def test_a_service_that_is_gone_is_asked_no_more() -> None:
    service = Service(ServiceUnreachable("no connection", where="https://vm", hint="is the VM up?"))
    answers, _, waited = asked(service)
    assert [answer.job_id for answer in answers] == [None, None]
    assert all("no connection" in (answer.reason or "") for answer in answers)
    assert (service.asked, waited) == (["memo"], 0)
