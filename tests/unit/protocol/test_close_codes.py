"""Close codes: their numbers and what a client may conclude from them."""

import pytest

from callhub.protocol.close_codes import CloseCode, may_reconnect


def test_the_numbers_are_the_contract() -> None:
    assert {code.name: code.value for code in CloseCode} == {
        "RESTARTING": 4000,
        "TOO_SLOW": 4002,
        "REVOKED": 4100,
        "REPLACED": 4101,
    }


@pytest.mark.parametrize(
    ("code", "again"),
    [(1006, True), (4000, True), (4002, True), (4099, True), (4100, False), (4101, False), (4199, False), (4200, True)],
)
def test_the_range_says_whether_to_come_back(code: int, again: bool) -> None:
    assert may_reconnect(code) is again
