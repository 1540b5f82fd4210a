"""A small town's worth of rows, documents and people, with real facts, so that replaying them gives the documents."""

import tomllib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from callhub.dispatch.replay import apply
from callhub.domain import facts as f
from callhub.domain.incident import AssignmentState, Deadline, Incident, IncidentState, Places, Source
from callhub.domain.messages import Addressee, AddresseeKind, Message, MessageType
from callhub.domain.people import (
    SYSTEM,
    Actor,
    ActorKind,
    Area,
    Device,
    Elder,
    Position,
    Responder,
    ResponderKind,
    Role,
)
from callhub.domain.policy import IncidentClass, Level, Policy, policy_from_table
from callhub.store.base import Commit, Document
from tests.architecture.source import ROOT

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOME = Position(39.08, 117.22, 15.0)
OPERATOR = Actor(ActorKind.USER, "li", Role.OPERATOR)
GATEWAY = Addressee(AddresseeKind.GATEWAY, "GW")
WANG = Addressee(AddresseeKind.RESPONDER, "V-1")


def at(seconds: float) -> datetime:
    """That many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def policy(name: str = "emergency", **changes: Any) -> Policy:
    """The shipped emergency ladder under another name."""
    table = tomllib.loads((ROOT / "config/policies/emergency.toml").read_text(encoding="utf-8"))
    return policy_from_table({**table, "id": name, **changes}, "test")


@dataclass
class Case:
    """One incident in the making: each step returns the commit that makes it durable."""

    id: str
    number: int
    elder: str | None = "E-1"
    area: tuple[str, ...] = ("D", "S", "C", "G")
    class_: IncidentClass = IncidentClass.EMERGENCY
    incident: Incident | None = None
    places: Places = field(default_factory=lambda: Places(home=HOME, address="富源里 3 号楼 101"))
    rows: list[f.Row] = field(default_factory=list)

    def open(self, seconds: float = 0) -> Commit:
        """An alarm opens it, with a private part."""
        return self.step(
            f.IncidentOpened(
                number=self.number,
                class_=self.class_,
                kind="sos",
                urgency=1,
                source=Source.DEVICE,
                policy="emergency@0",
                needed=1,
                gateway="GW",
                device="BTN",
                device_known=True,
                elder=self.elder,
                area=self.area,
                phone="13800000000",
                address=self.places.address,
                home=self.places.home,
            ),
            f.AlarmRecorded(
                id="a-1",
                gateway="GW",
                device="BTN",
                kind="sos",
                received_at=at(seconds),
                text="摔倒了",
                position=HOME,
                raw='{"type":"alarm"}',
            ),
            f.DeadlinesChanged(armed={"step": Deadline(at(seconds + 60), "step_timeout")}),
            seconds=seconds,
        )

    def offer(self, responder: str = "V-1", seconds: float = 1) -> Commit:
        """Somebody is asked."""
        return self.step(
            f.OfferMade(
                offer=f"{self.id}-1",
                responder=responder,
                kind=ResponderKind.VOLUNTEER,
                step=0,
                respond_by=at(seconds + 20),
                distance_m=230,
                eta_s=190,
            ),
            seconds=seconds,
        )

    def assign(self, responder: str = "V-1", slot: int | None = 1, seconds: float = 2) -> Commit:
        """Somebody has the duty."""
        assigned = f.Assigned(
            assignment=f"{self.id}-a1", responder=responder, slot=slot, arrive_by=at(seconds + 300), eta_s=190
        )
        return self.step(assigned, f.StateChanged(event="accepted", state=IncidentState.ASSIGNED), seconds=seconds)

    def release(self, seconds: float = 3) -> Commit:
        """Nobody has it any more."""
        return self.step(
            f.AssignmentMoved(assignment=f"{self.id}-a1", state=AssignmentState.RELEASED),
            f.StateChanged(event="released", state=IncidentState.SEEKING),
            seconds=seconds,
        )

    def note(self, text: str = "门在后面", seconds: float = 4) -> Commit:
        """A line for the timeline, private."""
        return self.step(f.NoteAdded(text=text), seconds=seconds, actor=OPERATOR)

    def whistle(self, department: str = "FIRE", seconds: float = 4) -> Commit:
        """A department is called."""
        called = f.WhistleCalled(
            whistle=f"{self.id}-w1",
            department=department,
            report_in_s=60,
            finish_s=600,
            report_in_by=at(seconds + 60),
            finish_by=at(seconds + 600),
            text="水管爆裂",
        )
        return self.step(called, seconds=seconds, actor=OPERATOR)

    def state(self, state: IncidentState, event: str = "moved", seconds: float = 5) -> Commit:
        """The state word changes."""
        return self.step(f.StateChanged(event=event, state=state), seconds=seconds)

    def close(self, seconds: float = 6) -> Commit:
        """A human closes it."""
        closed = f.StateChanged(event="closed", state=IncidentState.CLOSED, outcome="helped", reason="一切都好")
        return self.step(closed, f.DeadlinesChanged(disarmed=("step",)), seconds=seconds, actor=OPERATOR)

    def step(self, *facts: f.Fact, seconds: float, actor: Actor = SYSTEM) -> Commit:
        """Any facts as one row, with the document after it."""
        version = 1 if self.incident is None else self.incident.version + 1
        row = f.Row(self.id, version, at(seconds), f"ev-{self.id}-{version}", actor, facts)
        before = None if self.incident is None else self.incident.copy()
        self.incident = apply(before, row)
        self.rows.append(row)
        return Commit(rows=(row,), documents=(self.document,))

    @property
    def document(self) -> Document:
        """The case as it stands."""
        assert self.incident is not None
        return Document(self.incident, self.places)


def both(*commits: Commit, **more: Any) -> Commit:
    """Several commits as one, as the hub makes them of a batch."""
    documents = {document.incident.id: document for commit in commits for document in commit.documents}
    return replace(
        Commit(
            rows=[row for commit in commits for row in commit.rows],
            documents=list(documents.values()),
            messages=[message for commit in commits for message in commit.messages],
        ),
        **more,
    )


def message(key: str | None = None, incident: str = "I-1", to: Addressee = WANG, **body: Any) -> Message:
    """Something to tell."""
    return Message(to, MessageType.OFFER, incident, key, body)


AREAS = (
    Area("D", None, Level.DISTRICT, "河西区", Position(39.1, 117.2)),
    Area("S", "D", Level.STREET, "某街", None),
)
ELDERS = (
    Elder("E-1", "李奶奶", ("D", "S"), "富源里 3 号楼 101", HOME, phone="13800000000", card="CARD1", paired=("V-1",)),
    Elder("E-2", "王爷爷", ("D", "S"), "富源里 4 号楼 201", phone="13900000000"),
)
DEVICES = (Device("BTN", "E-1", "GW", heartbeat_s=60, phone="1064000001"), Device("BTN-2", "E-9"))
RESPONDERS = (
    Responder("V-1", "王", ResponderKind.VOLUNTEER, ("D", "S"), "street", HOME, skills=("first_aid",)),
    Responder("DESK", "值班室", ResponderKind.DESK, ("D",), "district", capacity=None, channels=("phone",)),
)
