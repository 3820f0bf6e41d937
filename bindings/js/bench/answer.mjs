// The answer that is measured, byte for byte as the servers of 2026 write it, and the stopwatch.

import { performance } from "node:perf_hooks";

export const CHUNKS = 20_000;

/** How often each thing is done in one process: to warm up, and then to be measured; the median counts. */
const TIMES = 25;
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

/**
 * Does each of some things again and again, in turns, and prints a line for each: microseconds a chunk, of time and of processor time,
 * and that as a part of the first one's. They are done one behind the other, because a machine is faster now and slower then.
 */
export async function measure(things) {
  const names = Object.keys(things);
  const seen = new Map(names.map((name) => [name, []]));
  for (let time = 0; time < TIMES; time += 1) {
    for (const name of time % 2 === 0 ? names : names.toReversed()) {
      const [began, used] = [performance.now(), process.cpuUsage()];
      await things[name]();
      const { user, system } = process.cpuUsage(used);
      seen.get(name).push({ elapsed: ((performance.now() - began) * 1000) / CHUNKS, cpu: (user + system) / CHUNKS });
    }
  }
  const first = seen.get(names[0]);
  for (const [name, of] of seen) {
    const median = (value) => middle(of.map(value).slice(WARM_UP));
    const [elapsed, cpu] = [median(({ elapsed }) => elapsed), median(({ cpu }) => cpu)];
    console.log(JSON.stringify({ name, elapsed, cpu, part: median(({ cpu }, time) => cpu / first[time].cpu) }));
  }
}

export function middle(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
