"""Who may do what, and who sees what."""

import pytest

from callhub.domain.people import SYSTEM, Actor, ActorKind, Role


@pytest.mark.parametrize(
    ("actor", "human"),
    [
        (Actor(ActorKind.USER, "anna"), True),
        (Actor(ActorKind.API, "care", Role.OPERATOR), True),
        (Actor(ActorKind.API, "care", Role.ADMIN), True),
        (Actor(ActorKind.API, "screen", Role.VIEWER), False),
        (Actor(ActorKind.API, "sensor"), False),
        (Actor(ActorKind.RESPONDER, "V"), False),
        (SYSTEM, False),
    ],
)
def test_whose_act_counts_as_human(actor: Actor, human: bool) -> None:
    assert actor.is_human is human


def test_roles_are_ordered_from_the_weakest() -> None:
    assert [role.rank for role in (Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("area", "path", "sees"),
    [(None, ("D", "S"), True), ("S", ("D", "S"), True), ("S2", ("D", "S"), False), ("S2", (), True)],
)
def test_who_sees_an_incident(area: str | None, path: tuple[str, ...], sees: bool) -> None:
    assert Actor(ActorKind.USER, "anna", Role.OPERATOR, area).covers(path) is sees
