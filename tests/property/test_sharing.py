"""Sharing against every possibility, on few cases and few people."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from callhub.solver import least_cost_solver
from tests.unit.dispatch.wishes import NOBODY_S, Moment

SOLVER = least_cost_solver()


@st.composite
def moments(draw: st.DrawFn, *, enough: int = 3, paired: bool = False, room: int = 1) -> Moment:
    people = [f"V-{n}" for n in range(draw(st.integers(1, 6)))]
    ways = st.dictionaries(st.sampled_from(people), st.integers(100, 400), max_size=len(people))
    number = draw(st.integers(1, 4))
    own = st.frozensets(st.sampled_from(people), max_size=2) if paired else st.just(frozenset[str]())
    wishes = tuple((draw(ways), draw(st.integers(1, enough)), draw(own)) for _ in range(number))
    late = tuple(draw(st.sampled_from([200, 300])) for _ in range(number))
    return Moment(wishes, late, {who: draw(st.integers(1, room)) for who in people})


def first_come_first_served(moment: Moment) -> list[int | None]:
    """Each takes all it wants before the next: when the first of them comes, by case."""
    taken: set[str] = set()
    firsts: list[int | None] = []
    for ways, enough, _ in moment.wishes:
        mine = sorted((way, who) for who, way in ways.items() if who not in taken)[:enough]
        taken |= {who for _, who in mine}
        firsts.append(mine[0][0] if mine else None)
    return firsts


@given(moments(enough=1))
def test_one_round_is_the_best_of_all(moment: Moment) -> None:
    best = min(moment.worth(firsts)[:3] for firsts in moment.every_first_round())
    assert moment.worth(moment.first(moment.shared(SOLVER, guarded=False)))[:3] == best


@given(moments(enough=1))
def test_life_threats_are_in_no_way_worse_off_than_with_the_nearest_first(moment: Moment) -> None:
    greedy = moment.worth(moment.first(moment.shared(None, guarded=True)))
    ours = moment.worth(moment.first(moment.shared(SOLVER, guarded=True)))
    assert all(mine <= theirs for mine, theirs in zip(ours, greedy, strict=True))


@given(moments())
def test_the_first_to_come_to_a_life_threat_is_in_sum_no_later_however_many_are_asked(moment: Moment) -> None:
    greedy = moment.worth(moment.first(moment.shared(None, guarded=True)))
    ours = moment.worth(moment.first(moment.shared(SOLVER, guarded=True)))
    assert all(mine <= theirs for mine, theirs in zip(ours, greedy, strict=True))


@given(moments())
def test_nearest_first_in_rounds_is_for_no_case_worse_than_first_come_first_served(moment: Moment) -> None:
    ours = moment.first(moment.shared(None, guarded=False))
    for mine, theirs in zip(ours, first_come_first_served(moment), strict=True):
        assert (mine or NOBODY_S) <= (theirs or NOBODY_S)


@given(moments(paired=True, room=2), st.booleans(), st.booleans())
def test_nobody_twice_nobody_left_out_and_always_the_same(moment: Moment, solved: bool, guarded: bool) -> None:
    solve = SOLVER if solved else None
    wishes = moment.shared(solve, guarded=guarded)
    assert [w.chosen for w in moment.shared(solve, guarded=guarded)] == [w.chosen for w in wishes]
    asked = [candidate.responder for wish in wishes for candidate in wish.chosen]
    assert all(asked.count(who) <= room for who, room in moment.rooms.items())
    for wish in wishes:
        mine = {candidate.responder for candidate in wish.chosen}
        assert len(mine) == len(wish.chosen) <= wish.enough
        left = {who for who in wish.ways_s if who not in mine and asked.count(who) < moment.rooms[who]}
        assert wish.is_enough() or not left, "somebody could still be asked"


@given(moments(paired=True))
def test_paired_people_go_to_their_own_elder_while_it_wants_somebody(moment: Moment) -> None:
    wishes = moment.shared(SOLVER, guarded=False)
    asked = {candidate.responder: wish for wish in wishes for candidate in wish.chosen}
    for wish in wishes:
        for who in wish.paired & wish.ways_s.keys():
            holder = asked.get(who)
            assert holder is not None or wish.is_enough()
            if holder is not None and who not in holder.paired:
                assert wish.is_enough(), f"{who} went to a stranger"


@given(moments())
def test_each_has_one_before_any_has_two(moment: Moment) -> None:
    wishes = moment.shared(SOLVER, guarded=False)
    for wish in wishes:
        # Given in a round that this case was not in, though it had fewer: it could not have had them.
        later = {c.responder for other in wishes for c in other.chosen[len(wish.chosen) + 1 :]}
        assert wish.is_enough() or not later & wish.ways_s.keys()
