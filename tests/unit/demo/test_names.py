"""Goal: nobody's telephone rings because of a demo."""

import random
import re

import pytest

from callhub.demo.names import ELDER_GIVEN, SURNAMES, draw_name, phone


@pytest.mark.parametrize(("group", "number", "text"), [(1, 1, "022-0100-0001"), (3, 123456, "022-0312-3456")])
def test_a_number_begins_with_zero_after_the_area_code(group: int, number: int, text: str) -> None:
    assert phone(group, number) == text


def test_numbers_differ_within_and_between_groups() -> None:
    numbers = [phone(group, number) for group in range(1, 8) for number in (1, 9999, 10000, 999_999)]
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"022-0\d{3}-\d{4}", number) for number in numbers)


def test_a_name_is_a_surname_and_a_given_name() -> None:
    name = draw_name(random.Random(1), ELDER_GIVEN)
    assert (name[0] in SURNAMES, name[1:] in ELDER_GIVEN) == (True, True)
