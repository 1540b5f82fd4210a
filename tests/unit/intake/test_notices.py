"""What is legal in a file and perhaps not meant is said, with the rule that holds then."""

from tests.unit.intake.directory_of import ELDERS, RESPONDERS, Town

NOWHERE = "without a position, also of their area"


async def test_an_elder_in_no_area_and_one_without_a_position_are_named_with_their_rule(town: Town) -> None:
    await town.settle()
    await town.take("areas", "id,parent,level,name\nD2,,district,no centre\n")
    reply = await town.take("elders", "id,name,area,lat,lon\nE-2,Zhao,,39.08,117.22\nE-3,Qian,D2,,\nE-4,Sun,G1,,\n")
    assert reply.lines[1:] == (
        "in no area: E-2; the desks of all top areas are asked for them",
        f"{NOWHERE}: E-3; people are found by area alone, and where there is none only desks are asked",
    )


async def test_a_person_without_a_position_is_named_and_a_desk_is_not(town: Town) -> None:
    await town.settle()
    reply = await town.take(
        "responders", "id,name,kind,area\nV-2,Li,volunteer,\nK-1,Desk,desk,C1\nDEP,Fire,department,\n"
    )
    assert reply.lines[1:] == (
        f"{NOWHERE}: V-2; until an app tells where they are, they are asked only as paired or for homes without a "
        "position",
    )


async def test_whoever_is_switched_off_is_not_spoken_of(town: Town) -> None:
    await town.settle()
    assert len((await town.take("elders", "id,name,active\nE-2,Zhao,0\n")).lines) == 1
    assert len((await town.take("responders", "id,name,kind,active\nV-2,Li,volunteer,0\n")).lines) == 1


async def test_a_file_that_is_as_it_should_be_says_nothing_more(town: Town) -> None:
    await town.settle()
    assert len((await town.take("elders", ELDERS)).lines) == 1
    assert len((await town.take("responders", RESPONDERS)).lines) == 1


async def test_of_many_the_first_are_named(town: Town) -> None:
    rows = "".join(f"V-{n},Li,volunteer\n" for n in range(9))
    reply = await town.take("responders", f"id,name,kind\n{rows}")
    assert f"{NOWHERE}: V-0, V-1, V-2, V-3, V-4, ...; " in reply.lines[1]
