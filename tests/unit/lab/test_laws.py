"""Each law's checker is silent about a history that is sound, and speaks when the history is doctored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from callhub.domain import facts as f
from callhub.domain.facts import Fact, Row
from callhub.domain.incident import Deadline, IncidentState, Source
from callhub.domain.messages import Message, MessageType
from callhub.domain.people import SYSTEM, Actor, ActorKind, Responder, ResponderKind, Role
from callhub.domain.policy import IncidentClass
from callhub.lab.laws.alarms import NoAlarmRefused
from callhub.lab.laws.court import judge
from callhub.lab.laws.deadlines import OnTime
from callhub.lab.laws.evidence import Entry, Evidence, Receipt
from tests.simulation.driver import GATEWAY, PEOPLE, START, Town

if TYPE_CHECKING:
    from callhub.domain.events import Event

BOSS = Actor(ActorKind.USER, "su", Role.SUPERVISOR)
FIRE = Responder("FIRE", "FIRE", ResponderKind.DEPARTMENT, area=("D",), level="district", capacity=None)


class Story:
    """A town's history as it can be seen from outside."""

    def __init__(self) -> None:
        self.town = Town()
        self.town.people = {**PEOPLE, "FIRE": FIRE}
        self.entries: list[Entry] = []
        self.receipts: list[Receipt] = []
        for id in self.town.people:
            self.tell(self.town.record(id))
        for id in ("V-1", "V-2"):
            self.tell(self.town.link(id, up=True))
            self.tell(self.town.presence(id, available=True))

    def tell(self, event: Event) -> str:
        decision = self.town.tell(event)
        seq = len(self.town.journal)
        self.entries.append(Entry(self.town.now, decision.rows, decision.messages, seq, seq))
        if event.actor.kind is ActorKind.GATEWAY and event.request is not None:
            alarm: Any = event
            receipt = Receipt(GATEWAY, alarm.alarm, alarm.device, alarm.kind)
            receipt.note(
                {"code": decision.answer.code, "incident": decision.answer.incident, **decision.answer.body}, seq
            )
            self.receipts.append(receipt)
        return decision.answer.incident or ""

    def wait(self, seconds: float) -> None:
        """Time passes, and whatever is due fires."""
        until = self.town.now + timedelta(seconds=seconds)
        while (due := self.town.engine.next_due()) is not None and due <= until:
            self.town.now = due
            for event in self.town.due():
                self.tell(event)
        self.town.now = until

    def offer(self, incident: str, responder: str) -> str:
        held = self.town.incident(incident)
        assert held is not None
        offer = held.offer_of(responder)
        assert offer is not None
        return offer.id


@cache
def sound() -> Evidence:
    """Three cases: one helped and closed; one with somebody late, a whistle and a desk call; a repeat and a restart."""
    story = Story()
    town, tell = story.town, story.tell
    first = tell(town.alarm("BTN-1", id="a-1"))
    tell(town.alarm("BTN-1", id="a-1"))
    story.wait(5)
    tell(town.answer(story.offer(first, "V-1"), accept=True, responder="V-1"))
    story.wait(60)
    tell(town.duty(first, "V-1", "on_scene"))
    story.wait(60)
    tell(town.duty(first, "V-1", "cleared", outcome="helped"))
    tell(town.act(first, "close", outcome="helped"))
    second = tell(town.alarm("BTN-2", id="a-2"))
    story.wait(30)
    tell(town.answer(story.offer(second, "V-2"), accept=True, responder="V-2"))
    tell(town.act(second, "whistle", departments=["FIRE"], report_in_s=30, finish_s=9000))
    story.wait(600)
    tell(town.duty(second, "V-2", "on_scene"))
    story.wait(10)
    tell(town.act(second, "whistle-withdraw", whistle=f"{second}-w1", reason="no fire", user=BOSS))
    story.wait(200)
    tell(town.duty(second, "V-2", "cleared", outcome="helped"))
    story.wait(300)
    return Evidence(
        story.entries, dict(town.people), story.receipts, ((START, town.now + timedelta(days=1)),), town.incidents()
    )


def broken(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """What each law says, by its number."""
    return {verdict.law.partition(" ")[0]: verdict.broken for verdict in judge(evidence)}


def test_a_sound_history_breaks_no_law_and_every_law_looked_at_it() -> None:
    verdicts = judge(sound())
    assert {verdict.law: verdict.broken for verdict in verdicts if verdict.broken} == {}
    assert all(verdict.checked for verdict in verdicts)
    assert [int(verdict.law.partition(" ")[0]) for verdict in verdicts] == list(range(1, 11))


# How a history is doctored

Doctor = Callable[[Evidence], Evidence]


def rows(change: Callable[[Row], Row | None]) -> Doctor:
    """Another row, or none, in place of each."""

    def doctor(evidence: Evidence) -> Evidence:
        entries = [
            replace(e, rows=[new for row in e.rows if (new := change(row)) is not None]) for e in evidence.entries
        ]
        return replace(evidence, entries=entries)

    return doctor


def facts(kind: type, change: Callable[[Any], Fact | None] = lambda fact: None, *, nth: int = 0) -> Doctor:
    """Another fact, or none, in place of the nth of a kind."""

    def doctor(evidence: Evidence) -> Evidence:
        seen = [-1]

        def of_row(row: Row) -> Row:
            return replace(row, facts=tuple(new for fact in row.facts if (new := of_fact(fact)) is not None))

        def of_fact(fact: Fact) -> Fact | None:
            if not isinstance(fact, kind):
                return fact
            seen[0] += 1
            return change(fact) if seen[0] == nth else fact

        doctored = rows(of_row)(evidence)
        assert seen[0] >= nth, f"the sound history has no {kind.__name__} {nth}"
        return doctored

    return doctor


def messages(
    wanted: Callable[[Message], bool], *, instead: Callable[[Message], list[Message]] = lambda m: []
) -> Doctor:
    """Other messages, or none, in place of those wanted."""

    def doctor(evidence: Evidence) -> Evidence:
        entries = [
            replace(e, messages=[new for m in e.messages for new in (instead(m) if wanted(m) else [m])])
            for e in evidence.entries
        ]
        assert entries != evidence.entries
        return replace(evidence, entries=entries)

    return doctor


def entries(change: Callable[[Entry], Entry]) -> Doctor:
    """Another entry in place of each."""
    return lambda evidence: replace(evidence, entries=[change(entry) for entry in evidence.entries])


def receipts(change: Callable[[Receipt], Receipt]) -> Doctor:
    """Another receipt in place of each."""
    return lambda evidence: replace(evidence, receipts=[change(receipt) for receipt in evidence.receipts])


def both(*doctors: Doctor) -> Doctor:
    """One after the other."""

    def doctor(evidence: Evidence) -> Evidence:
        for one in doctors:
            evidence = one(evidence)
        return evidence

    return doctor


def given_to(who: str) -> Callable[[Any], Fact]:
    return lambda fact: replace(fact, responder=who)


def ended(fact: f.StateChanged) -> f.StateChanged:
    return replace(fact, state=IncidentState.CLOSED)


def later(fact: f.DeadlinesChanged) -> f.DeadlinesChanged:
    return replace(fact, armed={key: replace(d, at=d.at + timedelta(hours=1)) for key, d in fact.armed.items()})


def unarmed(key: str) -> Doctor:
    """Deadlines of this stage are never armed."""

    def of_fact(fact: Fact) -> Fact:
        if not isinstance(fact, f.DeadlinesChanged):
            return fact
        return replace(fact, armed={k: d for k, d in fact.armed.items() if not k.startswith(key)})

    return rows(lambda row: replace(row, facts=tuple(of_fact(fact) for fact in row.facts)))


def by(actor: Actor, kind: type) -> Doctor:
    """Rows with such a fact are somebody else's."""
    return rows(lambda row: replace(row, actor=actor) if any(isinstance(x, kind) for x in row.facts) else row)


def told(type: MessageType, responder: str = "") -> Callable[[Message], bool]:
    return lambda m: m.type is type and responder in m.addressee.id


def alone(kind: type) -> Doctor:
    """Rows with such a fact hold nothing else but their deadlines."""
    kept = (kind, f.DeadlinesChanged)

    def of_row(row: Row) -> Row:
        if not any(isinstance(fact, kind) for fact in row.facts):
            return row
        return replace(row, facts=tuple(fact for fact in row.facts if isinstance(fact, kept)))

    return rows(of_row)


def delayed(seconds: float) -> Doctor:
    """What callhub did by itself came so much later."""
    late = timedelta(seconds=seconds)
    return rows(lambda row: replace(row, at=row.at + late) if row.actor == SYSTEM and row.incident else row)


def without(version: int) -> Doctor:
    """The rows of this version are missing."""
    return rows(lambda row: None if row.version == version else row)


def doubled(row: Row) -> Row:
    return replace(row, facts=row.facts * 2) if row.version == 1 else row


def to(responder: str) -> Callable[[Message], list[Message]]:
    """The same message to somebody else."""
    return lambda m: [replace(m, addressee=replace(m.addressee, id=responder))]


OFFER, STAND_DOWN = MessageType.OFFER, MessageType.STAND_DOWN
untold = messages(told(STAND_DOWN, "FIRE"))
CASES: list[tuple[str, Doctor, str]] = [
    ("1", entries(lambda e: replace(e, stored=e.seq - 1)), "were there when the journal ended"),
    ("1", facts(f.OfferMade), "which no row made"),
    ("1", receipts(lambda r: replace(r, stored=0)), "came at journal 0"),
    ("2", rows(doubled), "is recorded twice"),
    ("2", rows(doubled), "opened twice"),
    ("2", receipts(lambda r: replace(r, duplicate=not r.duplicate)), "duplicate is"),
    ("2", receipts(lambda r: replace(r, incident="other") if r.duplicate else r), "has two incidents"),
    ("2", facts(f.AlarmRecorded), "is recorded nowhere"),
    ("3", unarmed(""), "is open and nothing is due"),
    ("3", rows(lambda r: replace(r, at=r.at + timedelta(hours=9)) if r.version == 3 else r), "and was due at"),
    ("3", lambda e: replace(e, entries=[*e.entries, Entry(START + timedelta(days=9), ())]), "is overdue at the end"),
    ("4", both(facts(f.AssignmentMoved, nth=1), facts(f.Assigned, given_to("V-1"), nth=1)), "V-1 has 2 emergencies"),
    ("4", facts(f.Assigned, lambda x: replace(x, slot=7)), "has the slots [7]"),
    ("5", facts(f.DeadlinesChanged, later, nth=5), "fired at"),
    ("5", unarmed("arrival"), "nothing was armed as arrival"),
    ("5", delayed(9), "heard nothing for 9.0 s"),
    ("6", alone(f.IncidentOpened), "reached nobody"),
    ("6", receipts(lambda r: replace(r, answered=False)), "was never answered"),
    ("6", receipts(lambda r: replace(r, code="internal")), "was refused: internal"),
    ("6", receipts(lambda r: replace(r, incident=None)), "opened nothing"),
    ("7", messages(told(STAND_DOWN, "V-2")), "still believes in"),
    ("7", messages(told(OFFER, "V-1")), "was never told of"),
    ("7", messages(told(STAND_DOWN, "V-2"), instead=lambda m: [m, m]), "did not believe to be asked"),
    ("7", messages(told(OFFER, "V-1"), instead=to("C-1")), "which is somebody else's"),
    ("7", messages(told(OFFER, "FIRE")), "was called to"),
    ("7", untold, "was called off and never told"),
    ("7", both(untold, facts(f.WhistleWithdrawn), facts(f.StateChanged, ended, nth=8)), "is still awaited"),
    ("7", facts(f.OfferWithdrawn), "is handled; still asked"),
    ("7", facts(f.AssignmentMoved, nth=1), "still asked or on duty"),
    ("7", lambda e: replace(e, entries=[replace(entry, rows=()) for entry in e.entries]), "which no row opened"),
    ("8", without(3), "goes from version 2 to 4"),
    ("8", facts(f.StateChanged, nth=3), "state is closed"),
    ("8", facts(f.OfferWithdrawn), "offers is"),
    ("8", facts(f.DeadlinesChanged, later, nth=34), "deadlines is"),
    ("8", lambda e: replace(e, incidents=()), "has no document"),
    ("8", lambda e: replace(e, entries=()), "has no rows"),
    ("9", facts(f.Ranked), "nobody says why"),
    ("9", facts(f.Ranked, lambda x: replace(x, chosen=x.chosen * 20)), "is longer than it may be"),
    ("9", facts(f.Ranked, lambda x: replace(x, passed_over=({"responder": "C-1"},))), "without a reason"),
    ("10", unarmed("arrival"), "nothing asks whether they arrive"),
    ("10", unarmed("resolution"), "nothing asks when it is over"),
    ("10", unarmed("follow_up"), "nothing asks how it went"),
    ("10", facts(f.DeskCalled), "called no desk"),
    ("10", alone(f.ArrivalMissed), "nobody else was asked"),
    ("10", by(SYSTEM, f.StateChanged), "was closed by system callhub"),
    ("10", facts(f.StateChanged, lambda x: replace(x, outcome=None), nth=3), "closed without an outcome"),
]


@pytest.mark.parametrize(("law", "doctor", "words"), CASES, ids=[f"{law}-{words}" for law, _, words in CASES])
def test_a_doctored_history_makes_its_law_speak(law: str, doctor: Doctor, words: str) -> None:
    found = broken(doctor(sound()))
    assert any(words in what for what in found[law]), found


def test_while_no_server_ran_nothing_is_late_and_the_most_overdue_comes_first_afterwards() -> None:
    def waits(id: str, seconds: float) -> Row:
        armed = {"step": Deadline(START + timedelta(seconds=seconds), "step")}
        return Row(id, 1, START, id, SYSTEM, (f.DeadlinesChanged(armed=armed),))

    def fires(id: str) -> Row:
        entered = f.StepEntered(step=1, name="desk", why="timeout")
        changed = f.DeadlinesChanged(armed={"step": Deadline(back + timedelta(hours=1), "step")}, disarmed=("step",))
        return Row(id, 2, back, id, SYSTEM, (entered, changed))

    back = START + timedelta(seconds=90)
    runs = ((START, START + timedelta(seconds=1)), (back, back + timedelta(hours=1)))
    began = Entry(START, (waits("sooner", 10), waits("later", 20)))

    def said(*order: str, runs: tuple[tuple[datetime, datetime], ...] = runs) -> list[str]:
        law = OnTime(runs)
        return [*law.see(began), *law.see(Entry(back, [fires(id) for id in order]))]

    assert said("sooner", "later") == []
    assert "in another order" in said("later", "sooner")[0]
    assert "heard nothing for 80.0 s" in said("sooner", "later", runs=())[0]


def test_a_case_that_is_gathered_must_reach_somebody_when_that_ends() -> None:
    opened = f.IncidentOpened(
        number=1, class_=IncidentClass.EMERGENCY, kind="sos", urgency=1, source=Source.DEVICE, policy="p", needed=1
    )
    waits = f.DeadlinesChanged(armed={"gathered": Deadline(START, "gathered")})
    ends = f.DeadlinesChanged(disarmed=("gathered",))

    def said(*later: tuple[Fact, ...]) -> list[str]:
        law = NoAlarmRefused()
        rows = [Row("1", n, START, f"e-{n}", SYSTEM, facts) for n, facts in enumerate(((opened, waits), *later), 1)]
        return [*law.see(Entry(START, rows)), *law.end(Evidence((), {}))]

    assert said((f.LadderExhausted(), ends)) == []
    assert said((f.LadderExhausted(),), (ends,)) == [], "somebody was reached before"
    assert said((ends,))[0] == said()[0] == "1 was gathered and reached nobody"
