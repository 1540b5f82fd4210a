"""The live stream: order, resuming, areas, who watches, and how streams end."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callhub.domain import facts as f
from callhub.domain.events import DirectoryUpdated
from callhub.domain.incident import IncidentState
from callhub.domain.people import SYSTEM
from callhub.store.base import DirectoryChange
from callhub.web import stream as stream_module
from tests.unit.web.stage import Stage, running

LIMIT_S = 5


class Listener:
    """One browser's stream, spoken to the application directly. Every wait is bounded."""

    def __init__(self, stage: Stage, token: str, query: str, last_event_id: str | None) -> None:
        self._stage = stage
        headers = [(b"authorization", f"Bearer {token}".encode())]
        if last_event_id is not None:
            headers.append((b"last-event-id", last_event_id.encode()))
        self._scope = {
            "type": "http", "method": "GET", "path": "/api/v1/stream", "raw_path": b"/api/v1/stream",
            "query_string": query.encode(), "headers": headers, "http_version": "1.1", "scheme": "http",
            "server": ("console.test", 80), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"}, "root_path": "",
        }  # fmt: skip
        self._gone = asyncio.Event()
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._text = ""
        self.reads = asyncio.Event()
        self.reads.set()

    async def run(self) -> None:
        await self._stage.app(self._scope, self._receive, self._send)
        await self._sent.put({"end": True})

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        await self.reads.wait()
        await self._sent.put(dict(message))

    async def start(self) -> None:
        """Wait for the answer's beginning."""
        async with asyncio.timeout(LIMIT_S):
            head = await self._sent.get()
        assert head["status"] == 200, head
        assert (b"content-type", b"text/event-stream; charset=utf-8") in head["headers"]

    async def next(self) -> dict[str, str] | None:
        """The next event with its id, name and data; None at the end. Comments are skipped."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                while "\n\n" in self._text:
                    block, _, self._text = self._text.partition("\n\n")
                    fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
                    if "event" in fields:
                        return fields
                message = await self._sent.get()
                if "end" in message:
                    return None
                self._text += message["body"].decode()

    async def item(self) -> dict[str, Any]:
        """The data of the next event, which is about an incident."""
        event = await self.next()
        assert event is not None
        assert event["event"] == "incident"
        item: dict[str, Any] = json.loads(event["data"])
        return item

    def go(self) -> None:
        """Close the browser."""
        self._gone.set()


@asynccontextmanager
async def listening(
    stage: Stage, token: str, query: str = "", last_event_id: str | None = None
) -> AsyncIterator[Listener]:
    """An open stream that is closed at the end of the block."""
    listener = Listener(stage, token, query, last_event_id)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listener.run())
        await listener.start()
        yield listener
        listener.reads.set()
        listener.go()


async def _token(stage: Stage, name: str) -> str:
    async with await stage.signed_in(name) as client:
        return str(client.headers["authorization"].removeprefix("Bearer "))


async def test_a_change_comes_with_its_id_and_the_list_item(stage: Stage) -> None:
    async with listening(stage, "api-duty") as listener:
        id = await stage.press()
        event = await listener.next()
        assert event is not None
        epoch, seq = stage.store.head()
        assert (event["event"], event["id"]) == ("incident", f"{epoch}-{seq}")
        async with stage.bearer("api-duty") as duty:
            (item,) = (await duty.get("/api/v1/incidents")).json()["items"]
            assert json.loads(event["data"]) == item
            await duty.post(f"/api/v1/incidents/{id}/take-over")
        assert (await listener.item())["owner"] == {"kind": "api", "id": "duty", "name": "duty"}


@pytest.mark.parametrize("by_header", [True, False])
async def test_a_stream_resumes_without_a_gap_from_as_of(stage: Stage, by_header: bool) -> None:
    async with stage.bearer("api-duty") as duty:
        as_of = (await duty.get("/api/v1/incidents")).json()["as_of"]
        ids = [await stage.press(id=f"a-{n}") for n in range(3)]
        await duty.post(f"/api/v1/incidents/{ids[0]}/note", json={"text": "x"})
    query, header = ("", as_of) if by_header else (f"after={as_of}", None)
    async with listening(stage, "api-duty", query, header) as listener:
        missed = [(await listener.item())["id"] for _ in range(3)]
        assert missed == [ids[1], ids[2], ids[0]]  # each once, in the order of its last change
        live = await stage.press(id="a-9")
        assert (await listener.item())["id"] == live


async def test_the_header_wins_over_the_query(stage: Stage) -> None:
    epoch, seq = stage.store.head()
    await stage.press()
    now = "{}-{}".format(*stage.store.head())
    async with listening(stage, "api-duty", f"after={epoch}-{seq}", now) as listener:
        later = await stage.press(id="a-2")
        assert (await listener.item())["id"] == later


@pytest.mark.parametrize("after", ["other-1", "EPOCH-999", "nonsense", "EPOCH-", "EPOCH-x"])
async def test_what_cannot_be_resumed_is_reset_then_live(stage: Stage, after: str) -> None:
    after = after.replace("EPOCH", stage.store.head()[0])
    async with listening(stage, "api-duty", f"after={after}") as listener:
        event = await listener.next()
        assert event is not None
        assert event["event"] == "reset"
        assert json.loads(event["data"])["as_of"] == event["id"] == "{}-{}".format(*stage.store.head())
        id = await stage.press()
        assert (await listener.item())["id"] == id


async def test_each_viewer_gets_what_they_may_see(stage: Stage) -> None:
    token = await _token(stage, "southern")
    async with listening(stage, token) as southern:
        hidden = await stage.press("BTN-1")
        await stage.tell(hidden, f.NoteAdded())
        mine = await stage.press("BTN-2", "a-2")
        assert (await southern.item())["id"] == mine
        await stage.tell(hidden, f.StateChanged(event="x", state=IncidentState.UNANSWERED))
        bare = await southern.item()
        assert (bare["id"], bare["state"], "elder" in bare) == (hidden, "unanswered", False)
        await stage.tell(hidden, f.StateChanged(event="x", state=IncidentState.ASSIGNED))
        event = await southern.next()
        assert event is not None
        assert (event["event"], event["data"]) == ("gone", json.dumps({"id": hidden}, separators=(",", ":")))


async def test_the_first_and_last_stream_of_an_operator_are_told(stage: Stage) -> None:
    olga, vera = await _token(stage, "olga"), await _token(stage, "vera")
    async with listening(stage, vera), listening(stage, "api-duty"):
        await stage.press()
        assert stage.watching() == []
        async with listening(stage, olga):
            async with listening(stage, olga):
                await stage.press(id="a-2")
                assert stage.watching() == [("olga", True)]
            await stage.press(id="a-3")
            assert stage.watching() == [("olga", True)]
        await stage.press(id="a-4")
        assert stage.watching() == [("olga", True), ("olga", False)]


async def test_the_streams_of_a_removed_user_end_and_no_other(stage: Stage) -> None:
    olga, vera = await _token(stage, "olga"), await _token(stage, "vera")
    async with listening(stage, olga) as gone, listening(stage, vera) as stays:
        removed = DirectoryUpdated(
            id=stage.hub.new_id(),
            actor=SYSTEM,
            what="users",
            removed_users=("olga",),
            change=DirectoryChange(removed_users=("olga",)),
        )
        await stage.hub.submit(removed)
        assert await gone.next() is None
        id = await stage.press()
        assert (await stays.item())["id"] == id


async def test_a_revoked_api_token_ends_its_stream(stage: Stage) -> None:
    async with listening(stage, "api-duty") as gone:
        revoked = (("api", "duty"),)
        change = DirectoryChange(revoked=revoked)
        event = DirectoryUpdated(id=stage.hub.new_id(), actor=SYSTEM, what="tokens", revoked=revoked, change=change)
        await stage.hub.submit(event)
        assert await gone.next() is None


async def test_signing_out_ends_the_streams_of_that_session(stage: Stage) -> None:
    one, other = await _token(stage, "olga"), await _token(stage, "olga")
    async with listening(stage, one) as gone, listening(stage, other) as stays:
        async with stage.bearer(one) as client:
            await client.post("/api/v1/logout")
        assert await gone.next() is None
        await stage.press()
        assert await stays.next() is not None


async def test_streams_end_at_once_when_the_server_stops(stage: Stage) -> None:
    async with listening(stage, "api-duty") as listener:
        stage.viewers.stop()
        assert await listener.next() is None
    async with listening(stage, "api-duty") as late:
        assert await late.next() is None


async def test_an_idle_stream_gets_comments_and_ends_with_its_session(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "COMMENT_S", 0.01)
    token = await _token(stage, "olga")
    async with listening(stage, token) as listener:
        await stage.press()
        assert await listener.next() is not None
        stage.clock.advance(43_200)
        assert await listener.next() is None


async def test_a_viewer_who_does_not_read_is_ended_and_holds_up_nobody() -> None:
    async with (
        running(queued_max=3) as stage,
        listening(stage, "api-duty") as slow,
        listening(stage, "api-wall") as fast,
    ):
        await stage.press()
        await slow.item()
        await fast.item()
        slow.reads.clear()
        for n in range(6):
            await stage.press(id=f"b-{n}")
            await fast.item()
        slow.reads.set()
        events = 0
        while await slow.next() is not None:
            events += 1
        assert events < 6
        assert len(stage.viewers) == 1
