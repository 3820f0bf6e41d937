// The page that `chatnio replay --html` writes, in Chromium: clicked through, by keys too, and nothing loaded from elsewhere.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch } from "./chromium.js";
import { program, root } from "./env.js";

const folder = mkdtempSync(join(tmpdir(), "chatnio-"));
const browser = await launch();
after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

test("a trace is clicked through", { timeout: 60_000 }, async () => {
  const recordings = ["stop_mid", "hello"].map((name) => `transcripts/2026-03/${name}.txt`);
  const file = join(folder, "trace.html");
  writeFileSync(file, execFileSync(program, ["replay", "--html", ...recordings], { cwd: root }));
  const page = await browser.newPage();
  const asked: string[] = [];
  const wrong: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  const url = pathToFileURL(file).href;
  await page.goto(url);

  const shown = (id: string): Promise<string> => page.innerText(`#${id}`);
  const rows = page.locator("#moments > li");
  assert.equal(await rows.count(), 11);
  await rows.nth(2).click();
  assert.equal(await shown("at"), "3 of 11");
  assert.equal(await shown("states"), "asking → answering");
  assert.equal(await shown("event"), "opened: the new conversation 1");
  assert.match(await shown("why"), /the opener/);
  assert.match(await shown("frame"), /"conversation": 1/);
  await page.keyboard.press("ArrowDown");
  assert.equal(await shown("event"), 'delta "one "');
  assert.equal(await shown("answer"), "turn 1: one ");
  assert.equal(await rows.nth(3).getAttribute("aria-selected"), "true");
  await page.keyboard.press("k");
  assert.equal(await shown("at"), "3 of 11");

  await page.selectOption("#traces", { index: 1 });
  assert.equal(await shown("name"), "transcripts/2026-03/hello.txt");
  assert.deepEqual([asked, wrong], [[url], []]);
});
