// Asks one question and prints the answer as it comes; Ctrl-C stops it.
//
//     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... node ask.mjs "hi"

import { AnswerError, Client } from "chatnio";

const [question, ...more] = process.argv.slice(2);
if (question === undefined || more.length > 0) {
  console.error("usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... node ask.mjs QUESTION");
  process.exit(2);
}

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));

let client;
try {
  client = await Client.connect(process.env.CHATNIO_URL ?? "ws://127.0.0.1:8094", {
    token: process.env.CHATNIO_TOKEN,
    signal: interrupted.signal,
  });
  const answer = client.ask(question, { model: process.env.CHATNIO_MODEL, signal: interrupted.signal });
  for await (const piece of answer) process.stdout.write(piece);
  console.error(`\ncost: ${(await answer.result()).quotaText}`);
} catch (error) {
  // The server's notice (out of quota, unknown model, ...), or why there is no answer.
  console.error(error.message);
  process.exitCode = error instanceof AnswerError && error.answer.outcome === "notice" ? 3 : 1;
} finally {
  await client?.close();
}
