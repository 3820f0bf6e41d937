// Compares this package with the official one, over the same answer of 20,000 chunks and the same WebSocket, and prints a
// table in Markdown: `make bench-js`. Both are measured in turns, each in a process of its own; ratios are taken pair by
// pair, and the median of them counts. Nothing else should run meanwhile.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROUNDS = Number(process.argv[2] ?? 7);

const ROWS = [
  ["decode: `JSON.parse` alone", "JSON.parse"],
  ["decode: `Session`, one message at a time", "Session", "JSON.parse"],
  ["(`ws` alone, messages thrown away)", "ws", "ask"],
  ["end to end: official", "ask"],
  ["end to end: `Client`, pieces", "pieces", "ask"],
  ["end to end: `Client`, the whole answer", "text", "ask"],
];

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const firehose = spawn(process.execPath, [at("firehose.mjs")], { stdio: ["pipe", "pipe", "inherit"] });
const [url] = await once(createInterface({ input: firehose.stdout }), "line");
const run = (program) =>
  execFileSync(process.execPath, [at(program), url], { encoding: "utf8" }).trim().split("\n").map((line) => JSON.parse(line));
const rounds = Array.from({ length: ROUNDS }, (_, round) => {
  const programs = ["official.mjs", "ours.mjs"];
  if (round % 2 === 1) programs.reverse();
  return new Map(programs.flatMap(run).map((of) => [of.name, of]));
});
firehose.stdin.end();

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
console.log(`Node ${process.version}\n\n| µs a chunk | time | CPU | CPU, of the other's |\n| --- | ---: | ---: | ---: |`);
for (const [shown, name, peer] of ROWS) {
  const [elapsed, cpu] = ["elapsed", "cpu"].map((what) => median(rounds.map((of) => of.get(name)[what])).toFixed(2));
  const ratio = peer === undefined ? "" : median(rounds.map((of) => of.get(name).cpu / of.get(peer).cpu)).toFixed(2);
  console.log(`| ${shown} | ${elapsed} | ${cpu} | ${ratio} |`);
}
