// Relays answers to browsers as server-sent events, so that the token stays here: GET /ask?question=...&model=...
// A browser that leaves stops the answer at the server.
//
//     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... node relay.mjs [PORT]

import { createServer } from "node:http";
import { AnswerError, Client } from "chatnio";

const url = process.env.CHATNIO_URL ?? "ws://127.0.0.1:8094";

const server = createServer(async (request, response) => {
  // Not every target of a request is a URL: `//` is none.
  const asked = URL.canParse(request.url, "http://localhost") ? new URL(request.url, "http://localhost") : undefined;
  const question = asked?.pathname === "/ask" ? asked.searchParams.get("question") : null;
  if (question === null) {
    response.writeHead(404).end();
    return;
  }
  // A page of somebody else's would ask, and you pay.
  if (!["none", "same-origin"].includes(request.headers["sec-fetch-site"] ?? "none")) {
    response.writeHead(403).end();
    return;
  }
  // An EventSource comes again by itself when its answer has ended: it would be charged again, and 204 ends it.
  if (request.headers["last-event-id"] !== undefined) {
    response.writeHead(204).end();
    return;
  }
  const left = new AbortController();
  response.on("close", () => left.abort(new Error("the browser has left")));
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.write("id: asked\n\n");
  const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  let client, answer;
  try {
    // One each: a connection answers one question at a time.
    client = await Client.connect(url, { token: process.env.CHATNIO_TOKEN, signal: left.signal });
    answer = client.ask(question, { model: asked.searchParams.get("model") ?? undefined, signal: left.signal });
    for await (const piece of answer) send("piece", piece);
    send("end", { cost: (await answer.result()).quotaText });
  } catch (error) {
    send("error", error instanceof AnswerError ? error.message : "there is no answer");
    console.error(error.message);
  } finally {
    // Waits for the end of an answer that was stopped: its cost is known then.
    const ended = await answer?.result().catch(() => undefined);
    if (ended?.outcome === "stopped") console.error(`stopped; cost: ${ended.quotaText}`);
    await client?.close();
    response.end();
  }
});

server.listen(Number(process.argv[2] ?? 8095), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
