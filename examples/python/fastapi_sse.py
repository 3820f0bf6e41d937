"""A web endpoint that streams an answer on to a browser, as server-sent events. When the browser goes, the answer is
stopped, so that nobody pays for the rest.

    pip install fastapi uvicorn
    python fastapi_sse.py [PORT]

asks a server that it starts itself on 127.0.0.1; then open http://127.0.0.1:8000. With CHATNIO_URL and CHATNIO_TOKEN it
asks the real one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import HTMLResponse, StreamingResponse

from pychatnio import AsyncClient, ChatNioError, Config, Loopback

PAGE = """<!doctype html><meta charset="utf-8"><title>Ask</title>
<form onsubmit="ask(this.question.value); return false"><input name="question" autofocus><button>Ask</button></form>
<pre id="answer" style="white-space: pre-wrap"></pre>
<script>
function ask(question) {
  const answer = document.getElementById("answer"), source = new EventSource("ask?q=" + encodeURIComponent(question));
  answer.textContent = "";
  source.onmessage = event => answer.textContent += JSON.parse(event.data);
  source.addEventListener("done", event => { source.close(); console.log(event.data); });
  source.addEventListener("failed", event => { source.close(); answer.textContent += "\\n" + JSON.parse(event.data); });
}
</script>"""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    """What all requests share: where the server is, and the settings."""
    app.state.config = Config()
    if url := os.environ.get("CHATNIO_URL"):
        app.state.url, app.state.token = url, os.environ.get("CHATNIO_TOKEN")
        yield
    else:
        with Loopback() as server:
            app.state.url, app.state.token = server.url, "sk-any"
            yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def page() -> HTMLResponse:
    """Something to try it by."""
    return HTMLResponse(PAGE)


@app.get("/ask")
async def ask(q: str, model: str | None = None, sec_fetch_site: str = Header("none")) -> StreamingResponse:
    """The answer to `q`, piece by piece."""
    # A page of somebody else's would ask, and you pay.
    if sec_fetch_site not in ("none", "same-origin"):
        raise HTTPException(403)
    return StreamingResponse(answer(q, model), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def answer(question: str, model: str | None) -> AsyncIterator[str]:
    """The events of one answer: its pieces, and then that it is done, or why it failed.

    A browser that goes away cancels this, wherever it waits, and that stops the answer. Each request has a connection
    of its own here; a server with many visitors keeps some, and takes one that is free.
    """
    try:
        async with AsyncClient(app.state.url, app.state.token, config=app.state.config) as client:
            stream = client.ask(question, model=model)
            async for piece in stream:
                yield f"data: {json.dumps(piece)}\n\n"
            quota = (await stream.wait()).quota
            yield f"event: done\ndata: {json.dumps({'quota': quota})}\n\n"
    except ChatNioError as error:
        yield f"event: failed\ndata: {json.dumps(str(error))}\n\n"


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
