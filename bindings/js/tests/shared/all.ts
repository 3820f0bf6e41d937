import { tests as client } from "./client.js";
import type { Test } from "./check.js";
import { tests as hostile } from "./hostile.js";
import { tests as lifetimes } from "./lifetimes.js";
import { tests as rest } from "./rest.js";
import { tests as session } from "./session.js";
import { tests as transcripts } from "./transcripts.js";

/** Every test that runs wherever there is JavaScript. What breaks the module comes last. */
export const tests: readonly Test[] = [...transcripts, ...session, ...client, ...hostile, ...rest, ...lifetimes];
