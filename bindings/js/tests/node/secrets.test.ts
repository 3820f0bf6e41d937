// No secret is in what a program could print, log or store: every fault of the table, plain and over TLS, to a client with a token, and to
// one of the companion calls with a token, a header and a key in its URL.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { Client, type Event } from "chatnio";
import { quota, RestClient } from "chatnio/rest";
import { ofHeaders, redacted } from "../../dist/redacted.js";
import { root } from "./env.js";
import { faultServers, type Row, tryAll } from "./fault-servers.js";

const SECRETS = ["sk-MARKEDtoken", "MARKEDheader", "MARKEDquery"];
const [token = "", header = "", query = ""] = SECRETS;

/** In milliseconds. No row is waited for: what comes of it is not asked here. */
const SHORT = 200;

const servers = await faultServers();
after(() => servers.end());

/** All that a program, a debugger or a log shows of a value. */
function all(value: unknown): string[] {
  const texts = [inspect(value, { depth: 6, showHidden: true, getters: true }), String(value), JSON.stringify(value) ?? ""];
  if (!(value instanceof Error)) return texts;
  return [...texts, value.message, value.stack ?? "", ...(value.cause === undefined ? [] : all(value.cause))];
}

/** Asks one question to its end; every text there is to see. */
async function ask({ url }: Row): Promise<string[]> {
  const texts: string[] = [];
  const onEvent = (event: Event): void => {
    if (texts.length < 200) texts.push(...all(event));
  };
  const deadlines = { connect: SHORT, close: SHORT, firstFrame: SHORT, nextFrame: SHORT, answerWithin: SHORT };
  const limits = { ...deadlines, maxMessage: 64 << 10, maxAnswer: 64 << 10 };
  try {
    const client = await Client.connect(url, { token, WebSocket: servers.Trusting, record: true, onEvent, ...limits });
    const running = client.ask("hi");
    await running.text().catch((error: unknown) => texts.push(...all(error)));
    texts.push(...all(client), ...all(running), ...all(client.error), client.transcript?.toString() ?? "");
    await client.close();
  } catch (error) {
    texts.push(...all(error));
  }
  return texts;
}

/** Makes a companion call. */
async function call({ url }: Row): Promise<string[]> {
  const client = new RestClient(`${url}?key=${query}`, { token, timeout: SHORT, retries: 0, headers: { "X-Key": header } });
  try {
    return [...all(client), ...all(await client.call(quota()))];
  } catch (error) {
    return [...all(client), ...all(error)];
  }
}

/** Which secrets show, by their beginnings, and in what. */
function shown(texts: string[]): string[] {
  return texts.flatMap((text) => SECRETS.filter((secret) => text.includes(secret.slice(0, 8))).map((secret) => `${secret} is in ${text}`));
}

for (const attempt of [ask, call]) {
  test(`no text shows a secret: ${attempt.name}`, async () => {
    assert.equal(servers.rows.length, servers.announced);
    const wrong: string[] = [];
    await tryAll(servers.rows, async (row) => {
      const texts = await attempt(row);
      assert.ok(texts.length > 2, row.fault);
      wrong.push(...shown(texts).map((found) => `${row.fault}, ${row.over}: ${found}`));
    });
    assert.deepEqual(wrong.slice(0, 5), []);
  });
}

test("a secret that shows is found", () => {
  assert.equal(shown([SECRETS.join(" "), "nothing"]).length, SECRETS.length);
});

test("a secret is hidden however it is written", () => {
  const rows = readFileSync(`${root}rest/secrets.tsv`, "utf8").split("\n").slice(1, -1);
  for (const row of rows) {
    const [of = "", sent = "", repeated = "", shown] = row.split("\t");
    const name = of.startsWith("header ") ? of.slice("header ".length) : undefined;
    const others = name !== undefined ? ofHeaders({ [name]: sent }) : of === "secret" ? [sent] : [];
    assert.equal(redacted(repeated, of === "query" ? sent : "", of === "token" ? sent : "", others), shown, row);
  }
  assert.ok(rows.length > 30);
});

test("one that is cut is hidden, too", () => {
  const text = "no key s3cr%C3%A9t\\/3";
  for (let end = "no key s3cr".length; end <= text.length; end += 1) {
    assert.equal(redacted(text.slice(0, end), "key=s3cr\u00e9t/3/4"), "no key ...", text.slice(0, end));
  }
});
