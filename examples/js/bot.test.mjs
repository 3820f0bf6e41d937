// The bot's unit test, by transcripts: no network, and the same every time. `node --test bot.test.mjs`

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "chatnio";
import { transcriptWebSocket } from "chatnio/testing";
import { oneWord } from "./bot.mjs";

// ANCHOR: test
const asked = `
> SEND {"token":"sk-...","id":-1}
> SEND {"type":"chat","message":"..."}
< RECV {"conversation":1,"quota":0,"message":"","end":false}
`;

test("it takes the first word, and stops the rest", async () => {
  const Fake = transcriptWebSocket(`${asked}
< RECV {"message":"Rain","quota":0.1,"end":false}
< RECV {"message":" and much","quota":0.2,"end":false}
> SEND {"type":"stop"}
< RECV {"message":"","quota":0.2,"end":true}
`);
  const client = await Client.connect("ws://localhost", { token: "sk-any", WebSocket: Fake });
  assert.equal(await oneWord(client, "It pours."), "Rain");
  const [, question, stop] = Fake.sent[0].map((message) => JSON.parse(message));
  assert.equal(question.message, "Sum up in one word: It pours.");
  assert.equal(stop.type, "stop");
  await client.close();
});
// ANCHOR_END: test

test("it says what the server has said instead", async () => {
  const Fake = transcriptWebSocket(`${asked}
< RECV {"message":"You have run out of quota.","quota":0,"end":true}
`);
  const client = await Client.connect("ws://localhost", { token: "sk-any", WebSocket: Fake });
  assert.equal(await oneWord(client, "It pours."), "(no answer: You have run out of quota.)");
  await client.close();
});
