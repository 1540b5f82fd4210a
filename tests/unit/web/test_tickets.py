"""One-use tickets, without a server."""

from datetime import timedelta

from callhub.clock import ManualClock
from callhub.web.tickets import TICKETS_MAX, Tickets
from tests.unit.web.stage import START


def test_a_ticket_is_worth_something_once() -> None:
    tickets = Tickets(ManualClock(START).now)
    value = tickets.issue("gateway", "GW")
    assert tickets.redeem("x" + value) is None
    assert tickets.redeem(value) == ("gateway", "GW")
    assert tickets.redeem(value) is None


def test_a_ticket_lasts_just_under_30_s() -> None:
    clock = ManualClock(START)
    tickets = Tickets(clock.now)
    early, late = tickets.issue("gateway", "GW"), tickets.issue("gateway", "GW")
    clock.advance(timedelta(seconds=29.9).total_seconds())
    assert tickets.redeem(early) is not None
    clock.advance(0.1)
    assert tickets.redeem(late) is None


def test_revoking_a_client_takes_its_tickets_and_no_others() -> None:
    tickets = Tickets(ManualClock(START).now)
    gone, stays = tickets.issue("responder", "V-1"), tickets.issue("responder", "V-2")
    tickets.revoke("responder", "V-1")
    assert tickets.redeem(gone) is None
    assert tickets.redeem(stays) == ("responder", "V-2")


def test_the_number_of_tickets_is_bounded() -> None:
    tickets = Tickets(ManualClock(START).now)
    first = tickets.issue("gateway", "GW")
    second = tickets.issue("gateway", "GW")
    for _ in range(TICKETS_MAX - 1):
        tickets.issue("gateway", "GW")
    assert tickets.redeem(first) is None
    assert tickets.redeem(second) == ("gateway", "GW")
