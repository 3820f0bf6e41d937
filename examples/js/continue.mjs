// Lists the stored conversations and what is left of the quota; with an id and a question, goes on in that one.
//
//     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... node continue.mjs [ID QUESTION]

import { AnswerError, Client } from "chatnio";
import { conversation, conversations, quota, RestClient } from "chatnio/rest";

const url = process.env.CHATNIO_URL ?? "ws://127.0.0.1:8094";
const token = process.env.CHATNIO_TOKEN;
const [id, question, ...more] = process.argv.slice(2);
if (more.length > 0 || (id !== undefined && (!/^\d+$/.test(id) || question === undefined))) {
  console.error("usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... node continue.mjs [ID QUESTION]");
  process.exit(2);
}

/** A server's text without what would steer the terminal. */
const printable = (text) => text.replace(/\p{Cc}/gu, " ");

// What only reads is tried again where that may help.
const server = new RestClient(url, { token, retries: 2 });
let client;
try {
  if (id === undefined) {
    console.log(`quota: ${await server.call(quota())}`);
    for (const { id, name } of await server.call(conversations())) console.log(`${id}: ${printable(name)}`);
  } else {
    // An id that the server does not know would begin a new conversation: here it is refused.
    const { name, messages } = await server.call(conversation(BigInt(id)));
    console.error(`${printable(name)}, ${messages.length} messages so far`);
    client = await Client.connect(url, { token, conversation: BigInt(id) });
    for await (const piece of client.ask(question, { model: process.env.CHATNIO_MODEL })) process.stdout.write(piece);
    console.log();
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = error instanceof AnswerError && error.answer.outcome === "notice" ? 3 : 1;
} finally {
  await client?.close();
}
