"""One record for each incident."""

import pytest

from callhub.domain import facts as f
from callhub.domain.incident import AssignmentState, IncidentState
from callhub.domain.kpi import Case, CaseBook, Sending
from callhub.domain.people import SYSTEM, Actor, ResponderKind
from callhub.domain.policy import IncidentClass
from tests.unit.domain.kpi.rows import OPERATOR, assigned, at, became, made, moved, opened, row, taken


def case_of(*rows: f.Row) -> Case:
    book = CaseBook()
    for each in rows:
        book.fold(each)
    (case,) = book.cases()
    return case


def after(*facts: f.Fact, actor: Actor = SYSTEM) -> Case:
    """An incident opens at 0, and these facts follow, 10 s apart."""
    rows = [row("I", 10 * (n + 1), fact, actor=actor) for n, fact in enumerate(facts)]
    return case_of(row("I", 0, opened()), *rows)


def test_an_opening_begins_a_record_that_knows_nothing_yet() -> None:
    assert after() == Case(IncidentClass.EMERGENCY, "sos", ("D", "S", "C"), at(0))


def test_a_drill_leaves_no_record() -> None:
    book = CaseBook()
    book.fold(row("I", 0, opened(class_=IncidentClass.DRILL), made("I-1"), taken()))
    book.fold(row("I", 5, became(IncidentState.CLOSED)))
    assert (len(book), book.case("I")) == (0, None)


def test_rows_of_an_incident_whose_opening_was_not_seen_are_passed_over() -> None:
    book = CaseBook()
    book.fold(row("I", 3, taken()))
    assert (book.cases(), book.at) == ([], at(3))


def test_a_row_about_no_incident_only_moves_the_time_on() -> None:
    book = CaseBook()
    book.fold(row(None, 7, f.DutyChanged(responder="V-1", available=True)))
    assert (len(book), book.at) == (0, at(7))


def test_a_take_over_answers_and_a_second_one_changes_nothing() -> None:
    assert after(taken(), f.OwnerCleared(why="owner_away"), taken()).answered_at == at(10)


def test_a_human_contact_answers_and_only_the_first_counts() -> None:
    contact = f.ContactMade(party="elder", result="spoke_ok")
    assert after(contact, contact, actor=OPERATOR).answered_at == at(10)


def test_a_contact_that_no_human_made_answers_nothing() -> None:
    assert after(f.ContactMade(party="elder", result="no_answer")).answered_at is None


def test_the_first_duty_is_the_acceptance_and_the_first_on_scene_the_arrival() -> None:
    case = after(
        made("I-1"),
        assigned(),
        moved(AssignmentState.EN_ROUTE),
        moved(AssignmentState.RELEASED),
        made("I-2", "V-2"),
        assigned("V-2"),
        moved(AssignmentState.ON_SCENE, "V-2"),
        moved(AssignmentState.ON_SCENE),
    )
    assert (case.accepted_at, case.arrived_at) == (at(20), at(70))


def test_a_duty_is_counted_with_the_newest_offer_of_that_person() -> None:
    case = after(
        made("I-1"), f.OfferWithdrawn(offer="I-1", reason="filled"), made("I-2"), made("I-3", "V-2"), assigned()
    )
    assert [(offer, assignments) for offer, _, _, _, assignments in case.asked] == [("I-1", 0), ("I-2", 1), ("I-3", 0)]


def test_a_duty_without_an_offer_is_still_an_acceptance() -> None:
    case = after(assigned("V-9"))
    assert (case.accepted_at, case.asked) == (at(10), ())


def test_the_end_is_kept_until_it_is_reopened_and_what_came_first_stays() -> None:
    case = after(taken(), became(IncidentState.CLOSED))
    assert case.ended_at == at(20)
    again = after(taken(), became(IncidentState.CANCELLED), became(IncidentState.SEEKING))
    assert (again.ended_at, again.answered_at) == (None, at(10))


def test_once_unanswered_is_remembered() -> None:
    assert after(became(IncidentState.UNANSWERED), became(IncidentState.ASSIGNED)).unanswered
    assert not after(became(IncidentState.ASSIGNED)).unanswered


def test_class_kind_and_area_are_those_of_now() -> None:
    urgent = f.AlarmMadeUrgent(kind="smoke", urgency=1, policy="p", needed=2, class_=IncidentClass.EMERGENCY)
    case = case_of(
        row("I", 0, opened(area=(), class_=IncidentClass.SERVICE, kind="meal")),
        row("I", 1, urgent),
        row("I", 2, f.ElderIdentified(elder="E-1", area=("D", "S2"))),
    )
    assert (case.class_, case.kind, case.area) == (IncidentClass.EMERGENCY, "smoke", ("D", "S2"))


def test_desks_and_departments_are_not_among_those_who_were_asked() -> None:
    case = after(made("I-1", "DESK", ResponderKind.DESK), made("I-2", "DEPT", ResponderKind.DEPARTMENT))
    assert case.asked == ()


_YES, _NO = f.OfferAccepted(offer="I-1"), f.OfferDeclined(offer="I-1")
_SILENT, _REMINDED = f.OfferSilent(offer="I-1"), f.OfferReminded(offer="I-1", respond_by=at(60))


@pytest.mark.parametrize(
    ("facts", "sending"),
    [
        ((), Sending.WAITING),
        ((f.OfferWithdrawn(offer="I-1", reason="filled"),), Sending.WAITING),
        ((_SILENT,), Sending.UNHEARD),
        ((_YES,), Sending.FIRST),
        ((_NO,), Sending.FIRST),
        ((_SILENT, _YES), Sending.FIRST),
        ((_REMINDED,), Sending.AGAIN),
        ((_SILENT, _REMINDED), Sending.AGAIN),
        ((_SILENT, _REMINDED, _SILENT), Sending.AGAIN),
        ((_SILENT, _REMINDED, _SILENT, _YES), Sending.LATER),
        ((_REMINDED, _NO), Sending.LATER),
    ],
)
def test_what_an_offer_tells_about_its_delivery(facts: tuple[f.Fact, ...], sending: Sending) -> None:
    case = after(made("I-0", "V-0"), made("I-1"), *facts)
    assert case.asked == (
        ("I-0", "V-0", "volunteer", "waiting", 0),
        ("I-1", "V-1", "volunteer", sending, 0),
    )


def test_facts_that_no_figure_needs_leave_the_record_as_it_is() -> None:
    book = CaseBook()
    book.fold(row("I", 0, opened()))
    before = book.case("I")
    book.fold(row("I", 1, f.NoteAdded(text="?"), f.WatchChanged(unwatched=True)))
    assert book.case("I") is before


def test_old_incidents_are_forgotten_in_order_and_their_later_rows_passed_over() -> None:
    book = CaseBook()
    for n in range(3):
        book.fold(row(f"I-{n}", n, opened()))
    book.forget_before(at(2))
    book.fold(row("I-0", 5, taken()))
    assert [case.opened_at for case in book.cases()] == [at(2)]
    book.forget_before(at(9))
    assert len(book) == 0


def test_records_given_out_do_not_change_any_more() -> None:
    book = CaseBook()
    book.fold(row("I", 0, opened()))
    seen = book.cases()
    book.fold(row("I", 1, taken()))
    assert (seen[0].answered_at, book.cases()[0].answered_at) == (None, at(1))
