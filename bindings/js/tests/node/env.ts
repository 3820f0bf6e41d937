// What the tests are run with: servers, transcripts.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Env } from "../shared/check.js";

/** The checkout. */
export const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** The program `chatnio`. */
export const program = process.env["CHATNIO_PROGRAM"] ?? `${root}target/debug/chatnio`;

/** A server, until it is ended; it ends with this process, too. */
export async function serve(...options: string[]): Promise<{ url: string; end: () => Promise<void> }> {
  const child: ChildProcess = spawn(program, ["serve", "--until-stdin-closes", ...options], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [url] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  return {
    url,
    async end() {
      const ended = once(child, "exit");
      child.stdin?.end();
      await ended;
    },
  };
}

/** The transcripts of the checkout, and their logs. */
export function transcripts(): Env["transcripts"] {
  const folder = `${root}transcripts/`;
  return list(folder).map((name) => ({
    name,
    text: readFileSync(`${folder}${name}.txt`, "utf8"),
    log: readFileSync(`${folder}${name}.log`, "utf8"),
  }));
}

/** The recorded answers to the companion calls. */
export function answers(): string {
  return readFileSync(`${root}rest/answers.txt`, "utf8");
}

function list(folder: string): string[] {
  return readdirSync(folder, { encoding: "utf8", recursive: true }).filter((name) => name.endsWith(".txt")).map((name) => name.slice(0, -4)).sort();
}
