# pip install websockets
import asyncio
import itertools
import json
import os
import urllib.request

import websockets

URL = os.environ.get("PARLEY_URL", "http://localhost:3000")
ids = itertools.count(1)


def log_in(username, password):
    body = json.dumps({"username": username, "password": password}).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + "/auth/login", body)) as answer:
        return json.load(answer)["token"]


async def call(socket, type, params):
    """Returns the params of the reply; prints the pushes that arrive before it."""
    request_id = next(ids)
    await socket.send(json.dumps({"type": type, "params": params, "id": request_id}))
    while True:
        frame = json.loads(await socket.recv())
        if frame.get("id") != request_id:
            print("push", frame["type"], frame.get("params"))
        elif frame.get("error"):
            raise RuntimeError(f"{frame['code']}: {frame['message']}")
        else:
            return frame["params"]


async def main():
    token = log_in("Ada", "correct horse")
    async with websockets.connect(URL.replace("http", "ws", 1) + "/?token=" + token) as socket:
        group = await call(socket, "newGroup", {"groupName": "Climbers"})
        message = {"groupId": group["groupId"], "content": "Hello"}
        reply = await call(socket, "messageInGroup", message)
        print("stored as", reply["seq"])


asyncio.run(main())
