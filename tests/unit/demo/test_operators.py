"""Goal: the loop is whole: what needs a person gets one, what is resolved is closed, what others own is left alone.
Method: a scripted server behind the client, and a clock that moves when the test says so."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from callhub.clock import ManualClock
from callhub.demo.board import Board
from callhub.demo.http_client import HttpClient, Reply, ServerEvent
from callhub.demo.operators import Operator
from tests.unit.demo.incidents import assignment, item, offer
from tests.unit.demo.scripted import PATIENCE_S, pass_time, sleeping, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

Act = tuple[str, dict[str, Any], dict[str, str]]
CLEARED = assignment("1", "Wang", state="cleared", outcome="hospital")
DESK = offer("2", "值班室", kind="desk")
MINE = {"kind": "user", "id": "console", "name": "console"}
THEIRS = {"kind": "user", "id": "demo", "name": "demo"}


class Script(HttpClient):
    """A server with a list, a stream, and incidents that change as they are acted on."""

    def __init__(self, *items: dict[str, Any]) -> None:
        super().__init__("127.0.0.1", 0)
        self.items = {each["id"]: each for each in items}
        self.acts: asyncio.Queue[Act] = asyncio.Queue()
        self.stream: asyncio.Queue[ServerEvent | None] = asyncio.Queue()
        self.followed_from: list[str | None] = []
        self.refusals: list[int] = []

    async def request(
        self, method: str, path: str, body: object | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        if path.endswith("/login"):
            assert body == {"user": "console", "password": "secret"}
            return Reply(200, {"token": "t-1"})
        assert self.token == "t-1"
        if method == "GET":
            return Reply(200, {"items": list(self.items.values()), "next": None, "as_of": "epoch-5"})
        id, action = path.split("/")[-2:]
        assert isinstance(body, dict)
        self.acts.put_nowait((action, body, dict(headers or {})))
        if self.refusals:
            return Reply(self.refusals.pop(0), {"code": "conflict"})
        follows: dict[str, dict[str, Any]] = {"take-over": {"owner": MINE}, "close": {"state": "closed"}}
        self.items[id] = self.items[id] | {"version": self.items[id]["version"] + 1} | follows.get(action, {})
        return Reply(200, self.items[id])

    async def events(self, path: str, last_id: str | None = None) -> AsyncIterator[ServerEvent]:
        assert path == "/api/v1/stream"
        self.followed_from.append(last_id)
        while (event := await self.stream.get()) is not None:
            yield event
        raise ConnectionResetError

    def change(self, seq: int, **fields: Any) -> None:
        one = item(**fields)
        self.items[one["id"]] = one
        self.stream.put_nowait(ServerEvent(f"epoch-{seq}", "incident", json.dumps(one)))

    async def acted(self) -> Act:
        async with asyncio.timeout(PATIENCE_S):
            return await self.acts.get()


@asynccontextmanager
async def working(script: Script) -> AsyncIterator[tuple[ManualClock, Board, list[int]]]:
    clock = ManualClock(datetime(2026, 11, 24, 5, 0, tzinfo=UTC))
    board, news = Board(), list[int]()
    operator = Operator(script, "console", board, clock, random.Random(4), lambda one: news.append(one["version"]))
    task = asyncio.create_task(operator.run("secret"))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await operator.following.wait()
        yield clock, board, news
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_resolved_incident_is_closed_with_what_the_helper_said() -> None:
    script = Script(item(state="resolved", assignments=[CLEARED]))
    async with working(script) as (clock, board, news):
        await pass_time(clock)
        action, body, _ = await script.acted()
        if action == "feedback":
            assert body["rating"] in range(1, 6)
            action, body, headers = await script.acted()
            assert headers["if-match"] == "2"
        assert (action, body) == ("close", {"outcome": "hospital"})
        await until(lambda: not board.open)
        assert news[-1] == script.items["i-1"]["version"]


async def test_a_close_that_came_second_is_tried_again_with_a_key_of_its_own() -> None:
    script = Script(item(state="resolved", assignments=[CLEARED]))
    script.refusals = [412, 412]
    async with working(script) as (clock, _, _news):
        await pass_time(clock)
        keys = []
        while True:
            action, _, headers = await script.acted()
            keys.append(headers["idempotency-key"])
            if action == "close" and not script.refusals:
                break
            if action == "close":
                await pass_time(clock)
        assert len(keys) == len(set(keys)) >= 2


async def test_a_desk_that_is_asked_takes_over_telephones_and_goes_on() -> None:
    script = Script(item(offers=[DESK]))
    async with working(script) as (clock, _, _news):
        await pass_time(clock)
        acts = [await script.acted() for _ in range(3)]
        assert [action for action, _, _ in acts] == ["take-over", "contact", "escalate"]
        assert acts[1][1] == {"party": "elder", "result": "needs_help"}


async def test_with_nobody_coming_the_ambulance_is_called_and_the_case_closed_when_it_is_there() -> None:
    script = Script(item(state="unanswered"))
    async with working(script) as (clock, board, _news):
        seen: list[Act] = []
        while not seen or seen[-1][0] != "close":
            await until(lambda: not script.acts.empty() or clock.next_wake() is not None)
            if script.acts.empty():
                await pass_time(clock)
            seen.append(await script.acted())
        said = [(action, body.get("result") or body.get("outcome")) for action, body, _ in seen if action != "note"]
        assert said == [
            ("take-over", None),
            ("contact", "needs_help"),
            ("escalate", None),
            ("contact", "requested"),
            ("contact", "arrived"),
            ("close", "emergency_services"),
        ]
        await until(lambda: board.closed == 1)


async def test_what_somebody_else_owns_is_left_alone() -> None:
    script = Script(item(1, state="unanswered", owner=THEIRS), item(2, state="resolved", owner=THEIRS))
    async with working(script) as (clock, board, _news):
        script.change(6, number=3, state="unanswered")
        await sleeping(clock)
        script.change(7, number=3, version=2, state="unanswered", owner=THEIRS)
        script.change(8, number=4)
        await until(lambda: "i-4" in board.open)
        clock.advance(3600)
        for _ in range(10):
            await asyncio.sleep(0)
        assert script.acts.empty()


async def test_a_lost_stream_goes_on_where_it_was_and_a_reset_reads_the_list_again() -> None:
    script = Script(item(1))
    async with working(script) as (_, board, _news):
        script.change(6, number=2)
        script.stream.put_nowait(None)
        await until(lambda: len(script.followed_from) == 2)
        del script.items["i-1"]  # it ended unseen
        script.items["i-3"] = item(3)
        script.stream.put_nowait(ServerEvent("", "reset", "{}"))
        await until(lambda: len(script.followed_from) == 3)
        assert script.followed_from == ["epoch-5", "epoch-6", "epoch-5"]
        assert set(board.open) == {"i-2", "i-3"}
