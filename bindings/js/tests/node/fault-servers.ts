// All servers that each do one thing wrong, and what a client is to make of each.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { program } from "./env.js";

/** How many are tried at once: most of them wait. */
const AT_ONCE = 32;

/** What a caller gets of a question. */
export interface Got {
  readonly status: string;
  readonly text: string;
}

/** A line of the table: see docs/testing.md. Times are in milliseconds. */
export interface Row {
  readonly fault: string;
  readonly over: string;
  readonly url: string;
  readonly by: string;
  readonly limit: number;
  readonly others: number;
  readonly least: number;
  readonly most: number;
  /** What the caller gets of the first question, and of a second where there is one. */
  readonly wanted: readonly Got[];
}

/** All of them, until they are ended. */
export interface FaultServers {
  readonly rows: readonly Row[];
  /** How many rows there are, by the table's first line. */
  readonly announced: number;
  /** A WebSocket that trusts their certificates alone. */
  readonly Trusting: new (url: string) => WebSocket;
  end(): void;
}

export async function faultServers(): Promise<FaultServers> {
  const folder = mkdtempSync(join(tmpdir(), "chatnio-js-"));
  const file = join(folder, "roots.pem");
  const child = spawn(program, ["serve", "--fault", "all", "--tls", "--until-stdin-closes", "--ca-out", file], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let table = "";
  child.stdout.setEncoding("utf8");
  // The empty line is its last.
  for await (const part of child.stdout.iterator({ destroyOnReturn: false })) if ((table += part as string).endsWith("\n\n")) break;
  const [head = "", ...lines] = table.split("\n");
  const announced = Number.parseInt(head.split("\t").at(-1) ?? "", 10);
  const rows = lines.slice(0, -2).map((line) => {
    const cells = line.split("\t");
    const [fault = "", over = "", url = "", by = "", , , , , status = "", text = "", second = "", secondText = ""] = cells;
    const [limit = 0, others = 0, least = 0, most = 0] = cells.slice(4, 8).map(Number);
    const wanted = second === "-" ? [{ status, text }] : [{ status, text }, { status: second, text: secondText }];
    return { fault, over, url, by, limit, others, least, most, wanted };
  });
  const ca = readFileSync(file, "utf8");
  class Trusting extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols, { ca });
    }
  }
  return {
    rows,
    announced,
    Trusting,
    end() {
      child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Tries each row, some at once. */
export async function tryAll(rows: readonly Row[], tryOne: (row: Row) => Promise<void>): Promise<void> {
  const waiting = rows.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const row of waiting) await tryOne(row);
    }),
  );
}
