"""One day from its town to its evidence."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from callhub.dispatch.engine import DispatchEngine
from callhub.domain.kpi import Wanted
from callhub.domain.people import ResponderKind
from callhub.domain.policy import PolicySet
from callhub.hub.kpi import recount
from callhub.hub.minimal import REASON as DEFECT
from callhub.intake.policy_files import policy_tables, read_policies
from callhub.lab.day.apps import Apps
from callhub.lab.day.gateways import Gateways
from callhub.lab.day.neighbours import Neighbours
from callhub.lab.day.operators import Operators
from callhub.lab.day.places import Departments, Desks
from callhub.lab.day.script import DAY_S, Cast, plan_day
from callhub.lab.day.stage import RULES, START, ZONE, Stage
from callhub.lab.day.town import make_town
from callhub.lab.laws.evidence import Entry, Evidence
from callhub.settings import shipped
from callhub.store.base import DirectoryChange, Filter
from callhub.store.codec import digest
from callhub.store.sqlite import verify_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from callhub.domain.facts import Row
    from callhub.domain.incident import Incident
    from callhub.domain.people import Responder
    from callhub.hub.kpi import Counted
    from callhub.store.base import Store

HOMES_MIN = 96
DAY = Wanted(START, START + timedelta(seconds=DAY_S))
PAGE = 200


@dataclass(slots=True)
class Played:
    """A day that is over: what can be seen of it, and what is wrong with it that no law names."""

    evidence: Evidence
    kpi: Counted
    flaws: list[str] = field(default_factory=list)


async def play_day(path: Path, seed: int, incidents: int) -> Played:
    """Play a day into a new file and check that file against itself; 300 incidents take about half a minute."""
    town = make_town(seed, max(HOMES_MIN, incidents))
    stage = Stage(path, seed)
    policies = read_policies(policy_tables(shipped() / "policies"))
    await stage.set_up(DirectoryChange(town.areas, town.elders, town.devices, town.responders, policies=policies))
    people = {person.id: person for person in town.responders}
    gateways, apps = Gateways(stage, town.devices, seed), Apps(stage, people)
    neighbours = Neighbours(stage, apps, town.behaviours, {elder.id: elder.card for elder in town.elders}, seed)
    going_out = (ResponderKind.VOLUNTEER, ResponderKind.CAREGIVER, ResponderKind.GRID_WORKER)
    apps.roles.update(dict.fromkeys(going_out, neighbours))
    apps.roles[ResponderKind.DESK] = Desks(stage, apps, seed)
    apps.roles[ResponderKind.DEPARTMENT] = Departments(stage, apps, seed)
    operators = Operators(stage, town.elders, seed)
    plan_day(Cast(stage, town, gateways, apps, operators), seed, incidents)
    await stage.start()
    await stage.play(START + timedelta(seconds=DAY_S))
    played = Played(await _evidence(stage, people, gateways), await recount(stage.store, DAY, ZONE))
    played.flaws += await _figures_differ(stage, played.kpi)
    played.flaws += await _restored_differs(stage)
    played.flaws += [f"defect: {id} was left by an error of our own" for id in _left_by_defects(stage.store)]
    await stage.stop()
    played.evidence.runs = stage.runs
    played.flaws += [f"verify: {flaw.where}: {flaw.what}" for flaw in verify_file(path).flaws]
    return played


async def _evidence(stage: Stage, people: dict[str, Responder], gateways: Gateways) -> Evidence:
    """The journal from the file, cut where the server announced it, with what was to be sent after each piece."""
    rows: list[Row] = []
    while page := await stage.store.journal(len(rows), PAGE):
        rows += [row for _, row in page]
    entries, before = [], 0
    for heard in stage.heard:
        seq = heard.news.seq
        messages = tuple(stored.message for stored in heard.news.stored)
        entries.append(Entry(heard.at, rows[before:seq], messages, seq, heard.stored))
        before = seq
    return Evidence(entries, people, gateways.receipts, incidents=_documents(stage.store))


def _documents(store: Store) -> list[Incident]:
    found: list[Incident] = []
    page = store.incidents(Filter(), PAGE, None)
    while True:
        found += [document.incident for document in page.items]
        if page.next is None:
            return found
        page = store.incidents(Filter(), PAGE, page.next)


def _left_by_defects(store: Store) -> Iterator[str]:
    """Incidents that took the minimal path, past the engine."""
    for incident in _documents(store):
        facts = [fact for _, row in store.rows(incident.id) for fact in row.facts]
        if any(getattr(fact, "reason", None) == DEFECT for fact in facts):
            yield incident.id


async def _figures_differ(stage: Stage, cold: Counted) -> list[str]:
    """The live counters, which lived through the restart, against the journal counted again: the same bytes."""
    live = await stage.hub.kpi.report(DAY)
    same = live.seq == cold.seq and _bytes(live.figures) == _bytes(cold.figures)
    return [] if same else ["kpi: the live figures are not those of the journal"]


def _bytes(figures: object) -> bytes:
    return json.dumps(figures, ensure_ascii=False).encode()


async def _restored_differs(stage: Stage) -> list[str]:
    """An engine restored from the file against the one that lived through the day, incident by incident."""
    snapshot = await stage.store.load()
    restored = DispatchEngine(RULES, PolicySet(snapshot.policies), stage.now())
    lost = restored.restore(snapshot, stage.now())
    there, here = (
        {incident.id: digest(incident) for incident in engine.open_incidents()} for engine in (restored, stage.engine)
    )
    differ = sorted(id for id in there.keys() | here.keys() if there.get(id) != here.get(id))
    return [f"restored: incident {id} is another one" for id in sorted({*lost, *differ})]
