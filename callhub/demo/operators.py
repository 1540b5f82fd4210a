"""A simulated operator at a console: follows the stream, takes over what needs a person, closes what is resolved.

Rules of this file: everything is done through the REST API, as anybody's console does it. Slow on purpose, so that a
person at the real console comes first; what somebody else owns is left alone. Seconds are the demo clock's.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import TYPE_CHECKING

from callhub.demo.board import Board, Item, coming
from callhub.demo.clients import pause
from callhub.logs import get_logger

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Coroutine
    from typing import Any

    from callhub.clock import Clock
    from callhub.demo.http_client import HttpClient, Reply

API = "/api/v1"
LOOKS_S = (30.0, 90.0)
"""Until a case that needs a person is taken over."""
CLOSES_S = (60.0, 300.0)
"""Until somebody asked the elder how it went."""
ACTS_EVERY_S = 80.0
"""An owner who says nothing for 120 s is asked whether they are still there."""
CLOSE_TRIES, CLOSE_AGAIN_S = 3, 20.0
ROUNDS_BEFORE_AMBULANCE = 3
AMBULANCE_ROUNDS = 5
FALSE_ALARMS = 0.6
"""Share of sensors' alarms that a telephone call settles. Assumed; field reports say more."""
FEEDBACK = 0.7
"""Share of elders who say how it was."""
RETRY_S = 0.5
"""Before the stream is opened again, real seconds."""

SENSORS = ("smoke", "gas", "inactivity", "door")

log = get_logger(__name__)


class Operator:
    """One operator.

    Args:
        client: Towards the server; signed in here.
        name: The user's name.
        board: Filled from the stream.
        clock: The demo's.
        rng: Theirs alone.
        on_news: Called with each incident that changed.
    """

    def __init__(
        self,
        client: HttpClient,
        name: str,
        board: Board,
        clock: Clock,
        rng: random.Random,
        on_news: Callable[[Item], None],
    ) -> None:
        self.following = asyncio.Event()
        self._client = client
        self._name = name
        self._board = board
        self._clock = clock
        self._rng = rng
        self._on_news = on_news
        self._keys = itertools.count(1)
        self._tasks = asyncio.TaskGroup()
        self._busy_with: set[str] = set()
        self._after = ""

    async def run(self, password: str) -> None:
        """Sign in and work until cancelled."""
        async with self._tasks:
            reply = await self._client.request("POST", f"{API}/login", {"user": self._name, "password": password})
            if reply.status != 200:
                raise ConnectionError(f"signing in answers with HTTP status {reply.status}")
            self._client.token = reply.body["token"]
            while True:
                try:
                    await self._follow()
                except OSError as wrong:
                    log.info("operator_lost_stream", why=type(wrong).__name__)
                await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        """Read everything open once, then follow from there without a gap, over as many streams as it takes."""
        if not self._after:
            await self._read_all()
        self.following.set()
        async for event in self._client.events(f"{API}/stream", self._after):
            if event.event == "reset":
                self._after = ""
                return
            self._after = event.id or self._after
            if event.event == "incident":
                self._note(json.loads(event.data))

    async def _read_all(self) -> None:
        after, cursor, ids = "", "", set[str]()
        while True:
            page = await self._client.request("GET", f"{API}/incidents?state=open&limit=200{cursor}")
            if page.status != 200:
                raise ConnectionError(f"the list answers with HTTP status {page.status}")
            after = after or page.body["as_of"]
            for item in page.body["items"]:
                ids.add(item["id"])
                self._note(item)
            if page.body["next"] is None:
                break
            cursor = f"&cursor={page.body['next']}"
        self._board.keep(ids)
        self._after = after

    def _note(self, item: Item) -> None:
        if not self._board.note(item):
            return
        self._on_news(item)
        if item["id"] in self._busy_with or not self._is_mine_or_free(item["id"]):
            return
        if item["state"] == "resolved":
            self._start(item["id"], self._close_resolved(item["id"]))
        elif item["class"] != "technical" and _needs_person(item):
            self._start(item["id"], self._handle(item["id"]))

    def _start(self, id: str, work: Coroutine[Any, Any, None]) -> None:
        self._busy_with.add(id)
        self._tasks.create_task(self._work(id, work))

    async def _work(self, id: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except OSError as wrong:
            log.info("operator_act_failed", incident_id=id, why=type(wrong).__name__)
        finally:
            self._busy_with.discard(id)

    async def _close_resolved(self, id: str) -> None:
        await self._wait(CLOSES_S)
        if self._is_mine_or_free(id) and self._board.open[id]["state"] == "resolved":
            await self._close(id)

    async def _close(self, id: str, outcome: str | None = None) -> None:
        """Ask how it was, and close with the outcome that the helper named."""
        if outcome is None and self._rng.random() < FEEDBACK:
            await self._act(id, "feedback", rating=self._rng.choice((3, 4, 5, 5)))
        for _ in range(CLOSE_TRIES):  # somebody may be first with something; then look, and close again
            item = self._board.open.get(id)
            if item is None:
                return
            said = [each["outcome"] for each in item["assignments"] if each["outcome"] is not None]
            if await self._act(id, "close", outcome=outcome or (said[-1] if said else "helped")):
                return
            await pause(self._clock, CLOSE_AGAIN_S)

    async def _handle(self, id: str) -> None:
        """Take over, telephone, and stay with it until somebody has helped; without anybody, 120."""
        await self._wait(LOOKS_S)
        item = self._open_and_mine(id)
        if item is None or not _needs_person(item):
            return
        if not await self._act(id, "take-over"):
            return
        if item["kind"] in SENSORS and not coming(item) and self._rng.random() < FALSE_ALARMS:
            await self._act(id, "contact", party="elder", result="spoke_ok")
            await self._close(id, "false_alarm")
            return
        await self._act(id, "contact", party="elder", result="needs_help")
        if not coming(item):
            await self._act(id, "escalate")
        await self._stay(id)

    async def _stay(self, id: str) -> None:
        alone = 0
        while (item := self._open_and_mine(id)) is not None:
            if item["state"] == "resolved":
                await self._close(id)
                return
            alone = 0 if coming(item) else alone + 1
            if alone == ROUNDS_BEFORE_AMBULANCE:
                await self._act(id, "contact", party="120", result="requested")
            elif alone == ROUNDS_BEFORE_AMBULANCE + AMBULANCE_ROUNDS:
                await self._act(id, "contact", party="120", result="arrived")
                await self._close(id, "emergency_services")
                return
            else:
                await self._act(id, "note", text="...")
            await pause(self._clock, ACTS_EVERY_S)

    async def _act(self, id: str, action: str, **body: object) -> bool:
        """Do it on the incident as last seen; whether the server took it."""
        item = self._board.open.get(id)
        if item is None:
            return False
        headers = {"idempotency-key": f"{self._name}-{next(self._keys)}"}
        if action == "close":
            headers["if-match"] = str(item["version"])
        reply: Reply = await self._client.request("POST", f"{API}/incidents/{id}/{action}", body, headers)
        if reply.status != 200:
            log.info("operator_refused", incident_id=id, action=action, status=reply.status)
            return False
        if self._board.note(reply.body):
            self._on_news(reply.body)
        return True

    def _open_and_mine(self, id: str) -> Item | None:
        item = self._board.open.get(id)
        return item if item is not None and self._is_mine_or_free(id) else None

    def _is_mine_or_free(self, id: str) -> bool:
        item = self._board.open.get(id)
        if item is None:
            return False
        return item["owner"] is None or item["owner"]["id"] == self._name

    async def _wait(self, between_s: tuple[float, float]) -> None:
        await pause(self._clock, self._rng.uniform(*between_s))


def _needs_person(item: Item) -> bool:
    """Nobody answered, a desk is asked, or something was missed."""
    if item["state"] == "unanswered" or item["desk_call"] is not None:
        return True
    return any(offer["kind"] == "desk" and offer["state"] in ("open", "silent") for offer in item["offers"])
