"""The made-up people of a demo town: elders at home, their buttons, and everyone who can be asked.

Rules of this file: pure. The same areas and the same seed give the same town; nothing here reads a clock or a file
(``write_csv`` writes five). Nobody real is meant, and no telephone number can ring (``names.phone``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from callhub.demo.homes import draw_elders, give_buttons, name_contacts
from callhub.demo.responders import draw_people, set_up_places
from callhub.demo.rows import AreaRow, ContactRow, DeviceRow, ElderRow, ResponderRow, read_areas, write_rows
from callhub.lab.behaviour import Behaviour, draw_behaviour

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "AreaRow",
    "Behaviour",
    "ContactRow",
    "DeviceRow",
    "ElderRow",
    "ResponderRow",
    "Town",
    "make_town",
    "read_areas",
    "write_csv",
]


@dataclass(frozen=True, slots=True)
class Town:
    """Everything a demo imports, and how its people behave (by responder id; desks have no behaviour)."""

    areas: tuple[AreaRow, ...]
    elders: tuple[ElderRow, ...]
    devices: tuple[DeviceRow, ...]
    responders: tuple[ResponderRow, ...]
    behaviours: Mapping[str, Behaviour]
    contacts: tuple[ContactRow, ...] = ()


def make_town(areas: Sequence[AreaRow], rng: random.Random, elders: int = 3000, responders: int = 300) -> Town:
    """Make up the people of ``areas``.

    Args:
        areas: The tree, parents before children, with at least one grid.
        rng: Where every choice comes from; it is advanced.
        elders: Homes with an elder and a button, at most 96 a grid.
        responders: People who go out: volunteers, caregivers, grid workers. Desks (one for each area above the
            grids) and departments come on top.

    Raises:
        ValueError: more elders than homes.

    Cost: an elder with paired volunteers looks at every volunteer of the street; 0.1 s for the defaults.
    """
    people = tuple(draw_people(areas, rng, responders))
    volunteers = [person for person in people if person.kind == "volunteer"]
    homes = tuple(draw_elders(areas, rng, elders, volunteers))
    return Town(
        areas=tuple(areas),
        elders=homes,
        devices=tuple(give_buttons(areas, homes)),
        responders=(*people, *set_up_places(areas)),
        behaviours={person.id: draw_behaviour(rng) for person in people},
        contacts=tuple(name_contacts(homes, people)),
    )


def write_csv(town: Town, directory: Path) -> None:
    """Write a CSV file for each kind that ``callhub import`` takes, named after it.

    Import them in the order areas, responders (elders name them as paired), elders, devices, contacts.
    """
    write_rows(directory / "areas.csv", AreaRow, town.areas)
    write_rows(directory / "responders.csv", ResponderRow, town.responders)
    write_rows(directory / "elders.csv", ElderRow, town.elders)
    write_rows(directory / "devices.csv", DeviceRow, town.devices)
    write_rows(directory / "contacts.csv", ContactRow, town.contacts)
