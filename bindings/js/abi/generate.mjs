// Makes ../src/abi.ts of the C header: the numbers of its enums, and where the fields of its structs are, as clang
// lays them out for WebAssembly, and the types of the functions of each module.
//
//   node abi/generate.mjs            writes it
//   node abi/generate.mjs --check    fails when what is there is another

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const header = new URL("../../../ffi/include/chatnio.h", import.meta.url);
const symbols = (part) =>
  readFileSync(new URL(`../../../ffi/abi/symbols-${part}.txt`, import.meta.url), "utf8").split("\n").filter(Boolean);
const target = new URL("../src/abi.ts", import.meta.url);

/** What clang makes of a C source: the declarations at its top. */
function declarations(source) {
  const json = execFileSync(
    process.env.CLANG ?? "clang",
    ["--target=wasm32-unknown-unknown", "-ffreestanding", "-fsyntax-only", "-Xclang", "-ast-dump=json", "-x", "c", "-"],
    { input: source, encoding: "utf8", maxBuffer: 1 << 28 },
  );
  return JSON.parse(json).inner;
}

const named = (nodes, kind) => nodes.filter((node) => node.kind === kind && node.name?.startsWith("chatnio_"));
const inside = (node, kind) => (node.inner ?? []).filter((inner) => inner.kind === kind);
const value = (node) => (node.kind === "ConstantExpr" ? node.value : (node.inner ?? []).map(value).find(Boolean));
const constants = (node) => inside(node, "EnumConstantDecl").map((of) => [of.name, Number(value(of))]);

const source = readFileSync(header, "utf8");
const nodes = declarations(source);
const structs = named(nodes, "RecordDecl").filter((node) => node.completeDefinition);

// Layouts are told by constants that clang works out: an enum for each struct.
const probes = structs.map(({ name, ...node }) => {
  const fields = inside(node, "FieldDecl").map((field) => field.name);
  const offsets = fields.map((field) => `at_${name}_${field} = __builtin_offsetof(${name}, ${field})`);
  return `enum chatnio_probe_${name} { sizeof_${name} = sizeof(${name}), ${offsets.join(", ")} };`;
});
const probed = named(declarations(`${source}\n${probes.join("\n")}\n`), "EnumDecl");

/** The type of a value as it passes into and out of the module. */
function passed(type) {
  const c = type.desugaredQualType ?? type.qualType;
  if (c === "void") return "void";
  if (c.includes("*")) return "Pointer";
  return /\blong long\b/.test(c) ? "bigint" : "number";
}

/** `CHATNIO_EVENT_STOP_REPEATED` of `chatnio_event_kind` as `stop-repeated`; a status stays as it is. */
function shortened(constant, all) {
  if (all.includes("CHATNIO_OK")) return constant;
  const words = all.map((name) => name.split("_"));
  let common = 0;
  while (words.every((of) => of.length > common + 1 && of[common] === words[0][common])) common += 1;
  return constant.split("_").slice(common).join("-").toLowerCase();
}

const camel = (name) => name.replace(/^chatnio_/, "").replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const capital = (name) => name[0].toUpperCase() + name.slice(1);
const key = (name) => (/^\w+$/.test(name) ? name : JSON.stringify(name));

const lines = [
  "// Made of ffi/include/chatnio.h by abi/generate.mjs: do not edit.",
  "",
  "/** An address in the module's memory; 0 is NULL. */",
  "export type Pointer = number;",
];
for (const node of named(nodes, "EnumDecl")) {
  const found = constants(node);
  const names = found.map(([name]) => name);
  const type = capital(camel(node.name));
  lines.push("", `/** \`${node.name}\` */`, `export const ${type} = {`);
  for (const [name, number] of found) lines.push(`  ${key(shortened(name, names))}: ${number},`);
  lines.push("} as const;");
}
for (const node of probed.filter(({ name }) => name.startsWith("chatnio_probe_"))) {
  const name = node.name.slice("chatnio_probe_".length);
  lines.push("", `/** Where the fields of \`${name}\` are, and how large it is. */`, `export const ${camel(name)}At = {`);
  for (const [constant, offset] of constants(node)) {
    lines.push(`  ${constant.startsWith("sizeof_") ? "sizeof" : constant.slice(`at_${name}_`.length)}: ${offset},`);
  }
  lines.push("} as const;");
}

/** A function's declaration. */
function declared(node) {
  const parameters = inside(node, "ParmVarDecl").map(({ name, type }) => `${camel(name)}: ${passed(type)}`);
  const result = node.type.qualType.slice(0, node.type.qualType.indexOf("(")).trim();
  const typedef = nodes.find(({ kind, name }) => kind === "TypedefDecl" && name === result);
  return `  ${node.name}(${parameters.join(", ")}): ${passed(typedef?.type ?? { qualType: result })};`;
}

const functions = new Map(named(nodes, "FunctionDecl").map((node) => [node.name, declared(node)]));
const [session, rest] = [symbols("session"), symbols("rest")];
const missing = [...session, ...rest].filter((name) => !functions.has(name));
if (missing.length > 0) throw new Error(`the header declares no ${missing.join(", ")}`);

/** The functions of these names, in the header's order. */
const listed = (names) => [...functions].filter(([name]) => names.includes(name)).map(([, declaration]) => declaration);
const common = session.filter((name) => rest.includes(name));
const others = (names) => listed(names.filter((name) => !common.includes(name)));
lines.push("", "/** What both modules export. */", "export interface CommonExports {", "  memory: { readonly buffer: ArrayBuffer };");
lines.push("  chatnio_wasm_alloc(size: number): Pointer;", "  chatnio_wasm_free(data: Pointer, size: number): void;");
lines.push(...listed(common), "}");
lines.push("", "/** What chatnio.wasm exports. */", "export interface Exports extends CommonExports {", ...others(session), "}");
lines.push("", "/** What rest.wasm exports. */", "export interface RestExports extends CommonExports {", ...others(rest), "}", "");

const made = lines.join("\n");
if (process.argv[2] === "--check") {
  if (readFileSync(target, "utf8") !== made) {
    console.error("bindings/js/src/abi.ts is not what the header makes: run `node abi/generate.mjs`");
    process.exit(1);
  }
} else {
  writeFileSync(target, made);
}
