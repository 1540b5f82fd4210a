"""The tree of areas as an import sees it: paths, centres, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from callhub.domain.people import Area, Position
from callhub.domain.policy import Level

_DEPTH = {level: depth for depth, level in enumerate(Level)}


class AreaTree:
    """Areas by id. ``path`` and ``centre`` may be asked only when ``faults`` found nothing."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self.by_id: Mapping[str, Area] = {area.id: area for area in areas}

    def with_changes(self, areas: Iterable[Area]) -> AreaTree:
        """The tree with these added or in the place of those with the same id."""
        return AreaTree({**self.by_id, **{area.id: area for area in areas}}.values())

    def path(self, id: str) -> tuple[str, ...]:
        """Ids from the top down to this area; cost: its depth."""
        path: list[str] = []
        at: str | None = id
        while at is not None:
            path.append(at)
            at = self.by_id[at].parent
        return tuple(reversed(path))

    def centre(self, path: tuple[str, ...]) -> Position | None:
        """The centre of the last area of the path that has one."""
        return next((found for id in reversed(path) if (found := self.by_id[id].position)), None)

    def fault(self, area: Area) -> tuple[str, str] | None:
        """The column and what is wrong with this area's place in the tree, or None."""
        if area.parent is None:
            return None
        parent = self.by_id.get(area.parent)
        if parent is None:
            return "parent", f"there is no area {area.parent!r}, neither in this file nor imported before"
        if round_trip := self._cycle(area):
            return "parent", f"goes round in a circle: {' > '.join(round_trip)}"
        if _DEPTH[parent.level] >= _DEPTH[area.level]:
            return "level", f"a {area.level} cannot lie in a {parent.level}; the order is {' > '.join(Level)}"
        return None

    def _cycle(self, area: Area) -> list[str]:
        """The ids on the way from this area back to itself; empty when its way leads to a top."""
        way = [area.id]
        at = area.parent
        while at is not None and at not in way:
            way.append(at)
            above = self.by_id.get(at)
            at = above.parent if above else None
        return [*way, at] if at == area.id else []
