// Servers that each do one thing wrong, over the package `ws`: what a caller gets of each is what the library's table of faults
// says, as far as a program is told by its WebSocket.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AnswerError, ChatNioError, Client } from "chatnio";
import { faultServers, type Row, tryAll } from "./fault-servers.js";

/** No row needs as long, in milliseconds: whatever hangs fails. */
const LONG = 30_000;

/** The deadline that a row names, so that it passes soon. */
const SHORT = 300;

/**
 * What Node and `ws` decide otherwise than the library's own connection, besides all of TLS: they offer extensions, read HTTP/1.0 and
 * lengths that are not the shortest, refuse empty headers and those that come twice or as a list, have limits of their own, and wait
 * for what is announced. Of these it is asked only that they end.
 */
const THEIRS = new Set([
  "head-http-1-0",
  "accept-twice",
  "upgrade-list",
  "upgrade-twice",
  "extension",
  "extension-empty",
  "sub-protocol-empty",
  "length-not-shortest",
  "announced-100-mb",
  "close-1014",
  "flood-pings",
  "flood-pings-unread",
  "flood-pongs",
  "flood-fragments",
]);

/** Whose server speaks first: how far the question has come by then is chance. */
const EARLY = new Set(["behind-head-frame", "before-the-question"]);

const servers = await faultServers();
after(() => servers.end());

function isTheirs({ fault }: Row): boolean {
  return fault.startsWith("tls-") || THEIRS.has(fault);
}

/** Whether a row ends by a deadline of connecting. That of others is long: `ws` takes no answer's body that it would wait for. */
function isTooLate({ by, status }: Row): boolean {
  return by === "connect" || (by === "handshake" && status === "HANDSHAKE_TIMEOUT");
}

/** Asks one question to its end; how it ended, and the text that has come. */
async function ask(row: Row): Promise<[status: string, text: string]> {
  const limit = (isShort: boolean): number => (isTheirs(row) || isShort ? SHORT : LONG);
  let text = "";
  let client: Client | undefined;
  try {
    client = await Client.connect(row.url, {
      token: "sk-secret",
      connect: limit(isTooLate(row)),
      firstFrame: limit(row.by === "first_frame"),
      nextFrame: limit(row.by === "next_frame"),
      close: SHORT,
      maxMessage: 64 << 10,
      maxAnswer: 1 << 20,
      WebSocket: servers.Trusting,
    });
    const running = client.ask("hi");
    for await (const piece of running) text += piece;
    return [(await running.result()).outcome ?? "none", text];
  } catch (error) {
    return [statusOf(error), text];
  } finally {
    await client?.close();
  }
}

/** How the answer ended, or why there is no connection any more, with the code of a close. */
function statusOf(error: unknown): string {
  if (error instanceof AnswerError && !(error.cause instanceof ChatNioError)) {
    return error.answer.outcome === "notice" ? "notice" : error.answer.interruption.replaceAll("-", " ");
  }
  const why = error instanceof AnswerError ? error.cause : error;
  assert.ok(why instanceof ChatNioError, String(why));
  assert.ok(why.message !== "" && why.isFatal, why.message);
  const name = why.code.replace("CHATNIO_", "");
  return name === "CLOSED_BY_SERVER" ? `${name} ${why.closeCode ?? "-"}` : name;
}

/** What of a row's status a WebSocket lets be seen. */
function seen({ fault, status }: Row): string[] {
  if (EARLY.has(fault)) return ["complete", "PROTOCOL"];
  if (/^(complete|notice|.* deadline|.* too long|CONNECT|CONNECT_TIMEOUT|SERVER_NOT_UTF8|CLOSED_BY_SERVER .*)$/.test(status)) return [status];
  switch (status) {
    case "HANDSHAKE_TIMEOUT":
      return ["CONNECT_TIMEOUT"];
    case "END_OF_STREAM":
    case "TRUNCATED":
    case "IO":
    case "TLS":
      return ["CONNECT", "END_OF_STREAM"];
    case "PROTOCOL":
      return ["END_OF_STREAM", "PROTOCOL"];
    case "OVERSIZED":
      return ["message too long", "END_OF_STREAM"];
    default:
      return ["CONNECT"];
  }
}

test("a caller gets what the table says", { timeout: 3 * LONG }, async () => {
  assert.equal(servers.rows.length, servers.announced);
  const wrong: string[] = [];
  await tryAll(servers.rows, async (row) => {
    const [status, whole] = await ask(row);
    const text = [...whole].slice(0, 40).join("").trimEnd();
    const isKept = text === row.text || (EARLY.has(row.fault) && status !== row.status);
    if (!isTheirs(row) && !(seen(row).includes(status) && isKept)) {
      wrong.push(`${row.fault}, ${row.over}: ${status} ${JSON.stringify(text)} instead of ${row.status} ${JSON.stringify(row.text)}`);
    }
  });
  assert.deepEqual(wrong, []);
});
