"""Parley in raw frames, from Python: log in, send a message, print the pushes.

    pip install websockets          (Debian: python3-websockets)
    python3 examples/chat.py Ada "correct horse" Bob "Hello from Python"

The message is stored once, however often the connection breaks, because the clientMessageId stays the same.
"""
import asyncio
import json
import os
import sys
import urllib.request
import uuid

import websockets

URL = os.environ.get("PARLEY_URL", "http://localhost:3000")


def log_in(username, password):
    """Returns a token: accounts use HTTP."""
    body = json.dumps({"username": username, "password": password}).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + "/auth/login", body)) as answer:
        return json.load(answer)["token"]


class Socket:
    """Matches replies to requests by their id; a frame without an id is a push."""

    def __init__(self, socket):
        self.socket, self.waiting, self.last_id = socket, {}, 0

    async def read(self):
        async for text in self.socket:
            frame = json.loads(text)
            if "id" in frame:
                self.waiting.pop(frame["id"]).set_result(frame)
            elif "success" in frame:
                print("push", frame["type"], frame["params"]["senderName"], frame["params"]["message"], flush=True)

    async def call(self, type, params):
        self.last_id += 1
        reply = self.waiting[self.last_id] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"type": type, "params": params, "id": self.last_id}))
        frame = await reply
        if frame.get("error"):
            raise RuntimeError(f"{frame['code']}: {frame['message']}")
        return frame["params"]


async def main(username, password, to, text):
    token = log_in(username, password)
    message_id = str(uuid.uuid4())
    while True:
        try:
            address = URL.replace("http", "ws", 1) + "/ws?token=" + token
            async with websockets.connect(address) as connection:
                socket = Socket(connection)
                reading = asyncio.create_task(socket.read())
                people = (await socket.call("searchUsers", {"query": to}))["data"]
                receiver = next(person["userId"] for person in people if person["username"] == to)
                sent = await socket.call(
                    "privateMessage", {"receiverId": receiver, "content": text, "clientMessageId": message_id}
                )
                print("stored at seq", sent["seq"], flush=True)
                await reading
        except (OSError, websockets.ConnectionClosed):
            await asyncio.sleep(1)  # then connect and send again; the message is stored once


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
