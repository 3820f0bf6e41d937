// What the settings are said to be by default is what the header says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { root } from "./env.js";

const header = readFileSync(`${root}ffi/include/chatnio.h`, "utf8");
const settings = readFileSync(`${root}bindings/js/src/settings.ts`, "utf8");

const numbers = (text: string): string[] => text.match(/\d[\d,]*(?: MiB)?/g) ?? [];

test("the defaults are the header's", () => {
  const documented = [...settings.matchAll(/\/\*\*([^/]*?)\*\/\s*readonly (\w+)\?: (?:number|readonly number\[\])/g)];
  assert.equal(documented.length, 11);
  for (const [, told = "", name = ""] of documented) {
    const setter = `int32_t chatnio_config_set_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}(`;
    const at = header.indexOf(setter);
    assert.ok(at > 0, setter);
    const said = header.slice(header.lastIndexOf("/**", at), at);
    assert.ok(numbers(told).length > 0, name);
    for (const number of numbers(told)) assert.ok(numbers(said).includes(number), `${name}: ${number} is not in ${said}`);
  }
});
