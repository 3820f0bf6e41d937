// Checks a module: that it imports nothing, which is the proof that it does no I/O and reads no clock; that it exports
// exactly the functions of its part of the C library, and two more; and how large it is: `check-module.mjs FOLDER PART`.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

/** Each part's file, and the most that it may have, gzipped: what a page loads. */
const PARTS = {
  session: { file: "chatnio.wasm", limit: 61_440 },
  rest: { file: "rest.wasm", limit: 71_000 },
};

const [folder, part] = process.argv.slice(2);
const { file, limit } = PARTS[part];
const bytes = readFileSync(`${folder}/${file}`);
const module = new WebAssembly.Module(bytes);
const problems = [];

const imports = WebAssembly.Module.imports(module).map(({ module, name }) => `${module}.${name}`);
if (imports.length > 0) problems.push(`it imports ${imports.join(", ")}`);

const symbols = readFileSync(new URL(`../../ffi/abi/symbols-${part}.txt`, import.meta.url), "utf8");
const expected = [...symbols.split("\n").filter(Boolean), "chatnio_wasm_alloc", "chatnio_wasm_free"].sort();
const functions = WebAssembly.Module.exports(module)
  .filter(({ kind }) => kind === "function")
  .map(({ name }) => name);
for (const name of expected.filter((name) => !functions.includes(name))) problems.push(`it does not export ${name}`);
for (const name of functions.filter((name) => !expected.includes(name))) problems.push(`it exports ${name}`);

const size = gzipSync(bytes, { level: 9 }).length;
console.log(`${file}: ${bytes.length} bytes, gzipped ${size} of ${limit}; ${functions.length} functions, no import`);
if (size > limit) problems.push(`it is too large: ${size} bytes gzipped, over ${limit}`);

for (const problem of problems) console.error(`${file}: ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);
