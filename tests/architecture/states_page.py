"""Draws docs/states.md from the lifecycle tables: ``python -m tests.architecture.states_page > docs/states.md``."""

from collections.abc import Iterable

from callhub.dispatch.lifecycle import ASSIGNMENT, INCIDENT, OFFER, WHISTLE

_HEAD = """\
# States

Drawn from `callhub/dispatch/lifecycle.py`; a test holds this page to it. To draw it again:
`python -m tests.architecture.states_page > docs/states.md`. What is not drawn is illegal: it is refused and changes
nothing.
"""
_INCIDENT = """
## Incident

The word that people and gateways see. Whether more people are still wanted is a flag beside it, `seeking` in the API:
it may be set in `assigned`, `on_scene` and `unanswered` too. Events that leave the word as it is are listed below the
picture.
"""
_OFFER = """
## Offer

`silent` means that others are asked as well; a late yes is a yes.
"""
_ASSIGNMENT = """
## Assignment

Skipping forward is legal, going back is not. That an arrival was missed is a mark beside the state.
"""
_WHISTLE = """
## Whistle

A call to one department, beside the ladder. `missed` means that it did not report in, or did not finish, in time; what
is late still counts. Only `confirmed` and `withdrawn` let the incident be closed. `return` from `missed` needs a
department that has reported in.
"""

Arrow = tuple[str, str, str]


def page() -> str:
    """The whole page."""
    incident = [(before.value, event.value, after.value) for (before, event), after in INCIDENT.items()]
    offer = [(before.value, event.value, after.value) for (before, event), after in OFFER.items()]
    assignment = [(before.value, after.value, after.value) for before, after in ASSIGNMENT]
    whistle = [(before.value, event.value, after.value) for (before, event), after in WHISTLE.items()]
    moving = [arrow for arrow in incident if arrow[0] != arrow[2]]
    staying = [f"`{before}` on `{event}`" for before, event, after in incident if before == after]
    parts = [_HEAD, _INCIDENT, _picture("seeking", moving), f"\nStays as it is: {', '.join(staying)}.\n"]
    parts += [_OFFER, _picture("open", offer), _ASSIGNMENT, _picture("assigned", assignment)]
    parts += [_WHISTLE, _picture("called", [arrow for arrow in whistle if arrow[0] != arrow[2]])]
    return "".join(parts)


def _picture(first: str, arrows: Iterable[Arrow]) -> str:
    """A Mermaid state diagram; arrows between the same two states share a line."""
    labels: dict[tuple[str, str], list[str]] = {}
    for before, event, after in arrows:
        labels.setdefault((before, after), []).append(event)
    lines = [f"    [*] --> {first}"]
    lines += [f"    {before} --> {after} : {', '.join(events)}" for (before, after), events in labels.items()]
    return "\n```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```\n"


if __name__ == "__main__":
    print(page(), end="")
