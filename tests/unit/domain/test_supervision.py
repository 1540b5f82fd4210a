"""The words and marks of supervision."""

from __future__ import annotations

from callhub.domain.policy import TECHNICAL_KINDS
from callhub.domain.supervision import FAULTS, SILENCES, mended, reported


def test_every_word_is_a_technical_kind_and_marks_differ() -> None:
    assert {*FAULTS, *SILENCES} < set(TECHNICAL_KINDS)
    marks = {of(kind) for kind in (*FAULTS, *SILENCES) for of in (reported, mended)}
    assert len(marks) == 2 * len((*FAULTS, *SILENCES))
