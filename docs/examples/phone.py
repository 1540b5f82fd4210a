"""A responder's phone in a terminal: shows what callhub sends, says what you type.

Run it as ``python docs/examples/phone.py ws://127.0.0.1:8701 TOKEN`` and type one word a line:

``on`` and ``off`` duty, ``accept``, ``decline``, ``go`` (on the way), ``here`` (at the door), ``done``, ``quit``; or
a whole message as JSON. It needs nothing but the ``websockets`` package, and shows what any app must do: confirm what
it has stored, drop what it has seen, answer with ids of its own.
"""

import asyncio
import json
import sys
import uuid
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

# What a typed word sends; None is filled in from the last offer or assignment seen.
WORDS: dict[str, dict[str, Any]] = {
    "on": {"type": "presence", "available": True},
    "off": {"type": "presence", "available": False},
    "accept": {"type": "accept", "offer": None},
    "decline": {"type": "decline", "offer": None, "reason": "busy"},
    "go": {"type": "en_route", "incident": None},
    "here": {"type": "on_scene", "incident": None},
    "done": {"type": "cleared", "incident": None, "outcome": "helped", "version": None},
}


async def listen(link: ClientConnection, seen: dict[str, Any]) -> None:
    """Print each message once, remember what the words need, and confirm what has a number."""
    last_seq = 0
    async for frame in link:
        message = json.loads(frame)
        seq = message.get("seq") if message["type"] != "welcome" else None
        if seq is not None:
            await link.send(json.dumps({"type": "received", "seq": seq}))
            if seq <= last_seq:
                continue
            last_seq = seq
        for part in (message, *message.get("offers", []), *message.get("assignments", [])):
            seen.update({key: part[key] for key in ("offer", "incident", "version") if part.get(key)})
        print("<", json.dumps(message, ensure_ascii=False), flush=True)


async def speak(link: ClientConnection, seen: dict[str, Any]) -> None:
    """Send one message for each line typed, until ``quit`` or the end of the input."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        word = line.strip()
        if word == "quit":
            break
        if word not in WORDS and not word.startswith("{"):
            print("?", *WORDS, "quit", flush=True)
            continue
        message = WORDS.get(word) or json.loads(word)
        message = {key: seen.get(key) if value is None else value for key, value in message.items()}
        await link.send(json.dumps({"id": uuid.uuid4().hex[:8], **message}))
    await link.close()


async def main(url: str, token: str) -> None:
    """Keep one link open until it is closed from either side."""
    headers = {"Authorization": f"Bearer {token}"}
    protocols = [Subprotocol("callhub.v1")]
    async with connect(f"{url}/v1/responder", subprotocols=protocols, additional_headers=headers) as link:
        seen: dict[str, Any] = {}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listen(link, seen))
            tasks.create_task(speak(link, seen))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
