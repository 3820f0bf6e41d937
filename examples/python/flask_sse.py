"""A relay on Flask: it streams answers on to browsers as server-sent events. WSGI notices that a browser has gone only when it
sends: while the model is silent this sends a comment each second, and so the answer is stopped at the server.

    pip install flask
    python flask_sse.py [PORT]

asks a server that it starts itself on 127.0.0.1; then `curl -N "http://127.0.0.1:8000/ask?q=hi"`. With CHATNIO_URL and
CHATNIO_TOKEN it asks the real one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack

from flask import Flask, Response, abort, request
from werkzeug.serving import make_server

from pychatnio import ChatNioError, Client, Config, Loopback

app = Flask(__name__)
#: Where the server is, who asks, and the settings: the same for all.
settings: list[tuple[str, str | None, Config]] = []
#: How often a browser that hears nothing is looked after, in seconds.
LOOK_AFTER = float(os.environ.get("LOOK_AFTER", "1"))


@app.get("/ask")
def ask() -> Response:
    """The answer to `q`, piece by piece."""
    # A page of somebody else's would ask, and you pay.
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        abort(403)
    events = answer(request.args.get("q", ""), request.args.get("model"))
    return Response(events, mimetype="text/event-stream", headers={"Cache-Control": "no-store"})


def answer(question: str, model: str | None) -> Iterator[str]:
    """The events of one answer. The server closes this when it cannot send any more: that leaves the `with` blocks, which
    stop the answer and wait for its end."""
    try:
        url, token, config = settings[0]
        with Client(url, token, config=config) as client:
            with client.ask(question, model=model) as stream:
                for piece in stream.pieces(idle=LOOK_AFTER):
                    yield f"data: {json.dumps(piece)}\n\n" if piece is not None else ": more will come\n\n"
                yield f"event: done\ndata: {json.dumps({'quota': stream.wait().quota})}\n\n"
    except ChatNioError as error:
        yield f"event: failed\ndata: {json.dumps(str(error))}\n\n"


def main() -> None:
    """Serves until it is told to end: by Ctrl-C, or by SIGTERM. Where nobody is at a terminal, both may be ignored at first."""
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, signal.default_int_handler)
    with ExitStack() as stack:
        url, token = os.environ.get("CHATNIO_URL"), os.environ.get("CHATNIO_TOKEN")
        if not url:
            url, token = stack.enter_context(Loopback()).url, "sk-any"
        settings.append((url, token, Config()))
        server = make_server("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000, app, threaded=True)
        print(f"running on http://127.0.0.1:{server.server_port}", flush=True)
        # Told to end, it returns.
        server.serve_forever()


if __name__ == "__main__":
    main()
