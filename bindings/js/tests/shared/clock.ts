// A clock that the tests move.

/** Moves the time. */
export interface Clock {
  /** On, by so many milliseconds: what is due meanwhile runs. */
  pass(ms: number): Promise<void>;
  /** On, as for a page that is frozen: what was due meanwhile is due only now. */
  freeze(ms: number): void;
  /** Lets go on what can, without the time, until this is so: it is told how many timers run. */
  until(condition: (timers: number) => boolean): Promise<void>;
}

/** Plays the time for what runs meanwhile: timers fire when it is moved on, in order. */
export async function withClock(body: (clock: Clock) => Promise<void>): Promise<void> {
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, now: performance.now };
  let now = 1_000_000;
  let timers: { id: number; due: number; run: () => void }[] = [];
  let made = 0;
  const pass = async (ms: number): Promise<void> => {
    const until = now + ms;
    for (;;) {
      await Promise.resolve();
      const next = timers.filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      timers = timers.filter((timer) => timer !== next);
      now = Math.max(now, next.due);
      next.run();
    }
    now = until;
    await Promise.resolve();
  };
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms = 0) => {
      made += 1;
      timers.push({ id: made, due: now + ms, run });
      return made;
    },
    clearTimeout: (id: number) => {
      timers = timers.filter((timer) => timer.id !== id);
    },
  });
  performance.now = () => now;
  try {
    await body({
      pass,
      async until(condition) {
        // Not as a method of another object, which no browser takes.
        const { setTimeout } = real;
        while (!condition(timers.length)) await new Promise((done) => setTimeout(done, 1));
      },
      freeze(ms) {
        now += ms;
        // What was due meanwhile is due now.
        for (const timer of timers) timer.due = Math.max(timer.due, now);
      },
    });
  } finally {
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    performance.now = real.now;
  }
}
