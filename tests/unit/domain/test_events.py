"""Every event is complete and frozen, and has somebody who decides it."""

import dataclasses

import pytest

from callhub.dispatch.engine import _HANDLERS
from callhub.domain import events as e
from callhub.domain import supervision
from callhub.domain.people import SYSTEM


def test_every_event_is_decided_by_somebody() -> None:
    named = [*vars(e).values(), *vars(supervision).values()]
    kinds = {kind for kind in named if isinstance(kind, type) and issubclass(kind, e.Event)}
    assert kinds - {e.Event, e.HelpAsked} == set(_HANDLERS)


def test_an_event_cannot_be_changed() -> None:
    event = e.LinkChanged(id="1", actor=SYSTEM, responder="V", up=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.up = False  # type: ignore[misc]  # what the test is about
