"""What the stream sends of one change, per viewer: the item, its bare facts, that it is gone, or nothing.

Rules of this file: an item is rendered once for each version and shared by every viewer; whoever may not see it whole
gets other bytes, never a part of these.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from fastapi.sse import format_sse_event

from callhub.domain.facts import ElderIdentified, StateChanged
from callhub.domain.incident import IncidentState
from callhub.web.access import Sight, sight
from callhub.web.problems import to_json
from callhub.web.views import bare, item, names_for

if TYPE_CHECKING:
    from callhub.domain.facts import Row
    from callhub.store.base import Document, Store
    from callhub.web.access import Caller

RENDERED_MAX = 2000
"""Items kept rendered; about 2 KB each."""


class Frames:
    """Renders changes of incidents from committed documents."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rendered: OrderedDict[tuple[str, int], str] = OrderedDict()

    def of(self, seq: int, id: str, caller: Caller) -> bytes | None:
        """The frame about incident ``id`` for this caller at journal ``seq``; None when it is not theirs to know."""
        document = self._store.incident(id)
        if document is None:
            return None
        incident = document.incident
        seen = sight(caller, incident)
        if seen is Sight.WHOLE:
            return self._frame(seq, "incident", self._whole(document))
        if seen is Sight.BARE:
            return self._frame(seq, "incident", _text(bare(incident)))
        if any(_opened_it(row) for _, row in self._store.rows(id)):
            return self._frame(seq, "gone", _text({"id": id}))
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
        text = self._rendered.get(key)
        if text is None:
            text = _text(item(document, names_for(self._store, [document.incident])))
            self._rendered[key] = text
            if len(self._rendered) > RENDERED_MAX:
                self._rendered.popitem(last=False)
        return text

    def _frame(self, seq: int, event: str, data: str) -> bytes:
        return format_sse_event(data_str=data, event=event, id=f"{self._store.head()[0]}-{seq}")


def _text(value: object) -> str:
    return to_json(value).decode()


def _opened_it(row: Row) -> bool:
    """Whether this row may have shown the incident to people outside its area for a while."""
    return any(
        isinstance(fact, ElderIdentified) or (isinstance(fact, StateChanged) and fact.state is IncidentState.UNANSWERED)
        for fact in row.facts
    )
