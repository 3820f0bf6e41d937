// Compares this package with the official one, over the same answer of 20,000 chunks, and prints tables in Markdown: `make bench-js`,
// or `compare.mjs [ROUNDS]`: over `ws`, and where Node has a WebSocket of its own, which both take by themselves, over that. They are
// measured in turns, each in a process of its own; ratios are taken pair by pair, and the median of them counts. Nothing else should
// run meanwhile.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROUNDS = Number(process.argv[2] ?? 7);

/** Over which WebSockets. */
const SOCKETS = globalThis.WebSocket === undefined ? ["ws"] : ["ws", "own"];

/** What is shown, of which measurement, and what that is compared with. */
const ROWS = [
  ["decode: `JSON.parse` alone", "JSON.parse"],
  ["decode: `Session`, one message at a time", "Session", "JSON.parse"],
  ["(the WebSocket alone, messages thrown away)", "socket", "stream"],
  ["(the same, as `ws` has them: bytes)", "bytes", "stream"],
  ["pieces: official, a function is called", "stream"],
  ["pieces: `Client`, `for await`", "pieces", "stream"],
  ["the whole answer: official", "whole"],
  ["the whole answer: `Client`", "text", "whole"],
];

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const firehose = spawn(process.execPath, [at("firehose.mjs")], { stdio: ["pipe", "pipe", "inherit"] });
const [url] = await once(createInterface({ input: firehose.stdout }), "line");
const run = ([program, socket]) =>
  execFileSync(process.execPath, [at(program), url, socket], { encoding: "utf8" }).trim().split("\n").map((line) => JSON.parse(line));

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

console.log(`Node ${process.version}`);
for (const socket of SOCKETS) {
  const rounds = Array.from({ length: ROUNDS }, (_, round) => {
    const programs = [["official.mjs", socket], ["ours.mjs", socket]];
    if (round % 2 === 1) programs.reverse();
    return new Map(programs.flatMap(run).map((of) => [of.name, of]));
  });
  console.log(`\nBoth over ${socket === "ws" ? "`ws`" : "Node's own WebSocket"}:\n`);
  console.log("| µs a chunk | time | CPU | CPU, of the other's |\n| --- | ---: | ---: | ---: |");
  for (const [shown, name, peer] of ROWS) {
    // Only `ws` has bytes.
    if (!rounds[0].has(name)) continue;
    const [elapsed, cpu] = ["elapsed", "cpu"].map((what) => median(rounds.map((of) => of.get(name)[what])).toFixed(2));
    const ratio = peer === undefined ? "" : median(rounds.map((of) => of.get(name).cpu / of.get(peer).cpu)).toFixed(2);
    console.log(`| ${shown} | ${elapsed} | ${cpu} | ${ratio} |`);
  }
}
firehose.stdin.end();
