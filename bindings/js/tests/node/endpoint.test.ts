// URLs mean the same as in Rust, whose own tests are read here.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ChatNioError, chatUrl } from "chatnio";
import { endpoint } from "../../dist/endpoint.js";
import { root } from "./env.js";

const source = readFileSync(`${root}transport/src/endpoint/tests.rs`, "utf8");

/** What a string of Rust's stands for. */
function text(literal: string): string {
  return JSON.parse(literal.replace(/\\u\{(\w+)\}/g, (_, digits: string) => `\\u${digits.padStart(4, "0")}`)) as string;
}

/** The test of this name. */
function body(name: string): string {
  const found = new RegExp(`fn ${name}\\(\\) \\{(.*?)\n\\}`, "s").exec(source)?.[1];
  assert.ok(found, `there is no test ${name} any more`);
  return found;
}

const STRING = /"(?:[^"\\]|\\.)*"/.source;

test("every form that is accepted gives the same URL", () => {
  const cases = [...body("normalizes_every_accepted_form").matchAll(new RegExp(`\\((${STRING}), (${STRING})\\)`, "g"))];
  assert.ok(cases.length >= 15);
  for (const [, from = "", to = ""] of cases) {
    assert.equal(chatUrl(text(from)), text(to), from);
    assert.equal(chatUrl(text(to)), text(to));
  }
});

test("everything else is refused without echoing it", () => {
  const cases = [...body("refuses_everything_else_without_echoing_it").matchAll(new RegExp(`\\((${STRING}), EndpointError::(\\w+)\\)`, "g"))];
  assert.ok(cases.length >= 20);
  const told: Record<string, RegExp> = {
    UserInfo: /user name/, Query: /query/, Fragment: /fragment/, Scheme: /scheme/, EmptyHost: /no host/,
    Port: /port/, Token: /token/, Host: /neither a valid name/, Character: /white space/,
  };
  for (const [, from = "", why = ""] of cases) {
    const expected = told[why];
    if (expected === undefined) continue;
    assert.throws(
      () => chatUrl(text(from)),
      (error) => error instanceof ChatNioError && error.code === "CHATNIO_BAD_URL" && expected.test(error.message) && !error.message.includes("SECRET"),
      `${from} is ${why}`,
    );
  }
});

test("loopback is known by its form", () => {
  const found = [...body("knows_loopback_by_its_form").matchAll(/for text in\s*\[(.*?)\]\s*\{/gs)];
  assert.equal(found.length, 2);
  for (const [at, [, list = ""]] of found.entries()) {
    const names = [...list.matchAll(new RegExp(STRING, "g"))].map(([name]) => text(name));
    assert.ok(names.length >= 5);
    for (const name of names) assert.equal(endpoint(name).isLoopback, at === 0, name);
  }
});
