// Servers that each do one thing wrong, over the package `ws`: what a caller gets of each is what the library's table of faults
// says, as far as a program is told by its WebSocket.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AnswerError, ChatNioError, Client } from "chatnio";
import { faultServers, type Got, type Row, tryAll } from "./fault-servers.js";

/** The limits of those that are asked only to end, and of leaving, in milliseconds. */
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

/** The limit that ends a row, by the client's name of it, if one does: `ws` takes no answer's body that it would wait for. */
function limiting({ by, wanted }: Row): "connect" | "firstFrame" | "nextFrame" | "answerWithin" | undefined {
  switch (by) {
    case "connect":
      return "connect";
    case "handshake":
      return wanted[0]?.status === "HANDSHAKE_TIMEOUT" ? "connect" : undefined;
    case "first_frame":
      return "firstFrame";
    case "next_frame":
      return "nextFrame";
    case "answer_within":
      return "answerWithin";
    default:
      return undefined;
  }
}

/** Asks the row's questions; what the caller gets of each, and how many milliseconds that took. */
async function askAll(row: Row): Promise<{ seen: Got[]; took: number }> {
  const limit = (name: string): number => (isTheirs(row) ? SHORT : limiting(row) === name ? row.limit : row.others);
  const start = performance.now();
  const seen: Got[] = [];
  let client: Client | undefined;
  try {
    client = await Client.connect(row.url, {
      token: "sk-secret",
      connect: limit("connect"),
      firstFrame: limit("firstFrame"),
      nextFrame: limit("nextFrame"),
      answerWithin: limit("answerWithin"),
      afterStop: limit("afterStop"),
      close: SHORT,
      maxMessage: 64 << 10,
      maxAnswer: 1 << 20,
      WebSocket: servers.Trusting,
    });
    while (seen.length < row.wanted.length) seen.push(await ask(client));
  } catch (error) {
    seen.push({ status: statusOf(error), text: "" });
  }
  const took = performance.now() - start;
  await client?.close();
  return { seen, took };
}

/** Asks one question to its end; how it ended, and the text that has come. */
async function ask(client: Client): Promise<Got> {
  let text = "";
  const got = (status: string): Got => ({ status, text: [...text].slice(0, 40).join("").trimEnd() });
  try {
    const running = client.ask("hi");
    for await (const piece of running) text += piece;
    return got((await running.result()).outcome ?? "none");
  } catch (error) {
    return got(statusOf(error));
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

/** What of a status a WebSocket lets be seen. */
function shown(status: string): string[] {
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

/** Whether a caller got what the table says, as far as it can. */
function isRight({ fault, wanted }: Row, seen: readonly Got[]): boolean {
  const isSeen = ({ status, text }: Got, at: number): boolean => {
    const got = seen[at];
    if (EARLY.has(fault) && got?.status === "complete") return true;
    return text === got?.text && (EARLY.has(fault) ? [status] : shown(status)).includes(got.status);
  };
  return seen.length === wanted.length && wanted.every(isSeen);
}

test("a caller gets what the table says", { timeout: 240_000 }, async () => {
  assert.equal(servers.rows.length, servers.announced);
  const wrong: string[] = [];
  await tryAll(servers.rows, async (row) => {
    const { seen, took } = await askAll(row);
    if (isTheirs(row)) return;
    const least = limiting(row) ? row.least : 0;
    if (!isRight(row, seen)) {
      wrong.push(`${row.fault}, ${row.over}: ${JSON.stringify(seen)} instead of ${JSON.stringify(row.wanted)}`);
    } else if (took < least || took > row.most) {
      wrong.push(`${row.fault}, ${row.over}: it took ${took.toFixed(1)} ms, and is to take ${least} to ${row.most}`);
    }
  });
  assert.deepEqual(wrong, []);
});
