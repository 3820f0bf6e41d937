// Compares this package with the official one, over the same answer of 20,000 chunks, and prints tables in Markdown: `make bench-js`,
// or `compare.mjs [ROUNDS]`: over `ws`, and where Node has a WebSocket of its own, which both take by themselves, over that. Each round
// is a process of its own; ratios are taken pair by pair, and the median of them counts. Nothing else should run meanwhile.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { middle } from "./answer.mjs";

const ROUNDS = Number(process.argv[2] ?? 7);

/** Over which WebSockets. */
const SOCKETS = globalThis.WebSocket === undefined ? ["ws"] : ["ws", "own"];

/** What is shown, of which measurement, and whether that is compared with the row above. */
const ROWS = [
  ["decode: `JSON.parse` alone", "JSON.parse", false],
  ["decode: `Session`, one message at a time", "Session", true],
  ["(the WebSocket alone, messages thrown away)", "socket", false],
  ["pieces: official, a function is called", "stream", false],
  ["pieces: `Client`, `for await`", "pieces", true],
  ["the whole answer: official", "whole", false],
  ["the whole answer: `Client`", "text", true],
];

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const firehose = spawn(process.execPath, [at("firehose.mjs")], { stdio: ["pipe", "pipe", "inherit"] });
const [url] = await once(createInterface({ input: firehose.stdout }), "line");
const run = (socket) => {
  const lines = execFileSync(process.execPath, [at("pairs.mjs"), url, socket], { encoding: "utf8" }).trim().split("\n");
  return new Map(lines.map((line) => JSON.parse(line)).map((seen) => [seen.name, seen]));
};

console.log(`Node ${process.version}`);
for (const socket of SOCKETS) {
  const rounds = Array.from({ length: ROUNDS }, () => run(socket));
  console.log(`\nBoth over ${socket === "ws" ? "`ws`" : "Node's own WebSocket"}:\n`);
  console.log("| µs a chunk | time | CPU | CPU, of the other's |\n| --- | ---: | ---: | ---: |");
  for (const [shown, name, isCompared] of ROWS) {
    const of = (what) => middle(rounds.map((seen) => seen.get(name)[what])).toFixed(2);
    console.log(`| ${shown} | ${of("elapsed")} | ${of("cpu")} | ${isCompared ? of("part") : ""} |`);
  }
}
firehose.stdin.end();
