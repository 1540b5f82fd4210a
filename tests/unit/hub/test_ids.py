"""Ids sort by time and are well-formed."""

import uuid
from datetime import UTC, datetime, timedelta

from callhub.hub.ids import UuidSource

NOW = datetime(2026, 11, 24, 5, 0, 0, 123_000, tzinfo=UTC)


def test_an_id_is_a_version_7_uuid_of_its_time() -> None:
    made = uuid.UUID(UuidSource()(NOW))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == int(NOW.timestamp() * 1000)


def test_ids_grow_within_a_millisecond_and_when_time_stands_still_or_goes_back() -> None:
    new_id = UuidSource(random=lambda count: b"\xff" * count)
    times = [NOW] * 5_000 + [NOW - timedelta(seconds=1), NOW + timedelta(milliseconds=1)]
    ids = [new_id(at) for at in times]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
