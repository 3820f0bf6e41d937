// Chromium, without a window.

import { chromium, type Browser } from "playwright-core";

/** Starts it; nothing of it asks for anything but what the tests do. */
export function launch(...options: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    // As root it has no sandbox, and needs none for pages of this checkout.
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...options,
    ],
  });
}
