"""A relay on Starlette: it streams answers on to browsers as server-sent events, over a few connections that it keeps. A
browser that goes away stops its answer at the server, also where the model is silent.

    pip install starlette uvicorn
    python starlette_sse.py [PORT]

asks a server that it starts itself on 127.0.0.1; then `curl -N "http://127.0.0.1:8000/ask?q=hi"`. With CHATNIO_URL and
CHATNIO_TOKEN it asks the real one.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pychatnio import AsyncClient, ChatNioError, Config, Loopback

#: How many connections are kept, and so how many browsers are answered at a time; others wait.
CONNECTIONS = 4


class Pool:
    """Connections that are made when they are first needed, and kept."""

    def __init__(self, url: str, token: str | None) -> None:
        config = Config()
        self._free: asyncio.Queue[AsyncClient] = asyncio.Queue()
        self._all = [AsyncClient(url, token, config=config) for _ in range(CONNECTIONS)]
        for client in self._all:
            self._free.put_nowait(client)

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[AsyncClient, None]:
        """One that is connected, and nobody else's meanwhile. What was left running on it ends before the next question."""
        client = await self._free.get()
        try:
            if not client.is_connected:
                await client.connect()
            yield client
        finally:
            self._free.put_nowait(client)

    async def close(self) -> None:
        """Closes all."""
        await asyncio.gather(*(client.close() for client in self._all))


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
    """What all requests share."""
    async with AsyncExitStack() as stack:
        url, token = os.environ.get("CHATNIO_URL"), os.environ.get("CHATNIO_TOKEN")
        if not url:
            url, token = stack.enter_context(Loopback()).url, "sk-any"
        app.state.pool = Pool(url, token)
        yield
        await app.state.pool.close()


async def ask(request: Request) -> Response:
    """The answer to `q`, piece by piece."""
    # A page of somebody else's would ask, and you pay.
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return Response(status_code=403)
    pool: Pool = request.app.state.pool
    events = answer(pool, request.query_params.get("q", ""), request.query_params.get("model"))
    return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def answer(pool: Pool, question: str, model: str | None) -> AsyncIterator[str]:
    """The events of one answer. A browser that goes away cancels this wherever it waits, and that stops the answer."""
    try:
        async with pool.client() as client, client.ask(question, model=model) as stream:
            async for piece in stream.pieces(idle=15):
                # A comment, so that no proxy on the way takes the silence for the end.
                yield f"data: {json.dumps(piece)}\n\n" if piece is not None else ": more will come\n\n"
            yield f"event: done\ndata: {json.dumps({'quota': (await stream.wait()).quota})}\n\n"
    except ChatNioError as error:
        yield f"event: failed\ndata: {json.dumps(str(error))}\n\n"


app = Starlette(routes=[Route("/ask", ask)], lifespan=lifespan)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
