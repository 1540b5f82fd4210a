"""One-use tickets, without a server."""

from callhub.clock import ManualClock
from callhub.web.tickets import TICKETS_MAX, Tickets
from tests.unit.web.stage import START


def _tickets(clock: ManualClock | None = None, revoked: frozenset[str] = frozenset()) -> Tickets:
    return Tickets((clock or ManualClock(START)).now, lambda digest: digest not in revoked)


def test_a_ticket_is_worth_something_once() -> None:
    tickets = _tickets()
    value = tickets.issue("gateway", "GW", "d")
    assert tickets.redeem("x" + value) is None
    assert tickets.redeem(value) == ("gateway", "GW")
    assert tickets.redeem(value) is None


def test_a_ticket_lasts_just_under_30_s() -> None:
    clock = ManualClock(START)
    tickets = _tickets(clock)
    early, late = tickets.issue("gateway", "GW", "d"), tickets.issue("gateway", "GW", "d")
    clock.advance(29.9)
    assert tickets.redeem(early) is not None
    clock.advance(0.1)
    assert tickets.redeem(late) is None


def test_a_ticket_is_worth_nothing_once_its_token_is_revoked() -> None:
    tickets = _tickets(revoked=frozenset({"old"}))
    gone, stays = tickets.issue("responder", "V-1", "old"), tickets.issue("responder", "V-1", "new")
    assert tickets.redeem(gone) is None
    assert tickets.redeem(stays) == ("responder", "V-1")


def test_the_number_of_tickets_is_bounded() -> None:
    tickets = _tickets()
    first, second = tickets.issue("gateway", "GW", "d"), tickets.issue("gateway", "GW", "d")
    for _ in range(TICKETS_MAX - 1):
        tickets.issue("gateway", "GW", "d")
    assert tickets.redeem(first) is None
    assert tickets.redeem(second) == ("gateway", "GW")
