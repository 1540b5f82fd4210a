"""What the stream sends of one change, per viewer: the item, its bare facts, that it is gone, or nothing.

Rules of this file: an item is rendered once for each version and shared by every viewer; whoever may not see it whole
gets other bytes, never a part of these.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, TypeVar

from fastapi.sse import format_sse_event

from callhub.domain.facts import ElderIdentified, StateChanged
from callhub.domain.incident import Incident, IncidentState
from callhub.web.access import Sight, sight
from callhub.web.problems import to_json
from callhub.web.views import bare, item, names_for

if TYPE_CHECKING:
    from callhub.domain.facts import Row
    from callhub.store.base import Document, Store
    from callhub.web.access import Caller

KEPT_MAX = 2000
"""Items kept rendered; about 2 KB each."""

T = TypeVar("T")


class Frames:
    """Renders changes of incidents from committed documents."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rendered: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._was_open: OrderedDict[tuple[str, int], bool] = OrderedDict()

    def of(self, seq: int, document: Document, caller: Caller) -> bytes | None:
        """The frame about an incident for this caller at journal ``seq``; None when it is not theirs to know."""
        incident = document.incident
        seen = sight(caller, incident)
        if seen is Sight.WHOLE:
            return self._frame(seq, "incident", self._whole(document))
        if seen is Sight.BARE:
            return self._frame(seq, "incident", _text(bare(incident)))
        if self._was_open_to_all(incident):
            return self._frame(seq, "gone", _text({"id": incident.id}))
        return None

    def reset(self) -> bytes:
        """Says that what came before is unknown: fetch the lists again; live changes follow."""
        epoch, seq = self._store.head()
        return self._frame(seq, "reset", _text({"as_of": f"{epoch}-{seq}"}))

    def forget(self) -> None:
        """Render anew from now on: names may have changed."""
        self._rendered.clear()

    def _whole(self, document: Document) -> str:
        key = (document.incident.id, document.incident.version)
        if key not in self._rendered:
            text = _text(item(document, names_for(self._store, [document.incident])))
            _remember(self._rendered, key, text)
        return self._rendered[key]

    def _was_open_to_all(self, incident: Incident) -> bool:
        key = (incident.id, incident.version)
        if key not in self._was_open:
            _remember(self._was_open, key, any(_opened_it(row) for _, row in self._store.rows(incident.id)))
        return self._was_open[key]

    def _frame(self, seq: int, event: str, data: str) -> bytes:
        return format_sse_event(data_str=data, event=event, id=f"{self._store.head()[0]}-{seq}")


def _remember(kept: OrderedDict[tuple[str, int], T], key: tuple[str, int], value: T) -> None:
    kept[key] = value
    if len(kept) > KEPT_MAX:
        kept.popitem(last=False)


def _text(value: object) -> str:
    return to_json(value).decode()


def _opened_it(row: Row) -> bool:
    """Whether this row may have shown the incident to people outside its area for a while."""
    return any(
        isinstance(fact, ElderIdentified) or (isinstance(fact, StateChanged) and fact.state is IncidentState.UNANSWERED)
        for fact in row.facts
    )
