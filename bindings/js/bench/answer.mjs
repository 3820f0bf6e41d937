// The answer that is measured, byte for byte as the servers of 2026 write it, and the stopwatch.

import { performance } from "node:perf_hooks";

export const CHUNKS = 20_000;

/** How often each thing is done in one process: to warm up, and then to be measured; the median counts. */
const TIMES = 15;
const WARM_UP = 5;

export function message(piece, quota, { conversation = 0, end = false } = {}) {
  return `${JSON.stringify({ conversation, quota, keyword: "", message: piece, end, plan: false })}\n`;
}

export const opener = message("", 0, { conversation: 1 });
// Each in one piece, as it comes from a socket.
export const chunks = Array.from({ length: CHUNKS }, (_, at) =>
  Buffer.from(message(" word", Number((0.00014 * (at + 1)).toFixed(5)))).toString(),
);
export const end = message("", Number((0.00014 * CHUNKS).toFixed(5)), { end: true });

/** Does something again and again, and prints what it took: microseconds a chunk, of time and of processor time. */
export async function measure(name, body) {
  const [elapsed, cpu] = [[], []];
  for (let time = 0; time < TIMES; time += 1) {
    const [began, used] = [performance.now(), process.cpuUsage()];
    await body();
    const { user, system } = process.cpuUsage(used);
    elapsed.push(((performance.now() - began) * 1000) / CHUNKS);
    cpu.push((user + system) / CHUNKS);
  }
  const median = (of) => of.slice(WARM_UP).sort((a, b) => a - b)[Math.floor((TIMES - WARM_UP) / 2)];
  console.log(JSON.stringify({ name, elapsed: median(elapsed), cpu: median(cpu) }));
}
