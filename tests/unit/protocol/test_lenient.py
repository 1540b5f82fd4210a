"""The lenient reader: each bad value spoils its own field, only a broken structure breaks the frame."""

import pytest

from callhub.protocol.lenient import DEPTH_MAX, SPOILED, Members, parse_lenient


def read(text: str) -> Members:
    members = parse_lenient(text)
    assert members is not None
    return members


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "9" * 21,
        "9" * 6000,
        r'"\ud800"',
        r'"\udfffx"',
        r'"\x"',
        "tru",
        "+1",
        "0x1F",
        "'text'",
        "{lat: 3}",
        "[1,]",
        "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1),
        "[" * 8000 + "]" * 8000,
        '{"a":' * 2000 + "1" + "}" * 2000,
    ],
)
def test_a_bad_value_spoils_its_own_field_only(value: str) -> None:
    members = read(f'{{"before":1,"bad":{value},"after":"x"}}')
    assert members == Members({"before": 1, "bad": SPOILED, "after": "x"})


def test_a_bad_value_inside_spoils_only_its_place() -> None:
    members = read(r'{"position":{"lat":NaN,"lon":117.2},"faults":["a","\ud800",1e999]}')
    assert members.values == {"position": {"lat": SPOILED, "lon": 117.2}, "faults": ["a", SPOILED, SPOILED]}


def test_good_json_reads_as_it_is() -> None:
    text = '\ufeff { "a" : 1 , "b" : [ true , null , -1.5e3 ] , '
    text += '"c" : { "d" : "老\\u5976\\ud83d\\ude00\\"]}" } , "a" : 2 } '
    assert read(text) == Members({"a": 2, "b": [True, None, -1500.0], "c": {"d": '老奶😀"]}'}})


def test_the_deepest_allowed_value_is_read() -> None:
    text = "[" * DEPTH_MAX + "1" + "]" * DEPTH_MAX
    assert read(f'{{"a":{text}}}').values["a"] is not SPOILED


def test_control_characters_in_a_text_are_kept() -> None:
    assert read('{"a":"x\ny"}').values == {"a": "x\ny"}


def test_a_key_that_cannot_be_read_is_left_out() -> None:
    assert read(r'{"\ud800":1,"\x":2,"a":3}') == Members({"a": 3})


@pytest.mark.parametrize("text", ["", "hello", "[1]", '"text"', "17", "null", "NaN", " \n", "\ufeff"])
def test_what_is_no_object_is_none(text: str) -> None:
    assert parse_lenient(text) is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{", {}),
        ("{]", {}),
        ("{} x", {}),
        ('{"a":1} x', {"a": 1}),
        ('{"a":1', {"a": 1}),
        ('{"a":1,', {"a": 1}),
        ('{"a":1,}', {"a": 1}),
        ('{"a":1 "b":2}', {"a": 1}),
        ('{"a":1,"b"', {"a": 1}),
        ('{"a":1,"b":', {"a": 1}),
        ('{"a":1,"b":"x', {"a": 1}),
        ('{"a":1,"b":[1', {"a": 1}),
        ('{"a":1,"b":["]"', {"a": 1}),
        ('{"a":1,b:2}', {"a": 1}),
        ('{"a":1,"b" 2}', {"a": 1}),
        ('{"a":1,"b":}', {"a": 1}),
    ],
)
def test_what_stands_before_a_break_is_given(text: str, values: dict[str, object]) -> None:
    assert read(text) == Members(values, broken=True)


def test_a_spoiled_value_says_so() -> None:
    assert repr(SPOILED) == "SPOILED"
