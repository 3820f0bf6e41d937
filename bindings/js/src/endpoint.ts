import { ChatNioError } from "./errors.js";
import { textOf } from "./settings.js";

/** Where a chat server listens. */
export interface Endpoint {
  /** The URL of its WebSocket, such as `wss://chat.example.com/chat`. */
  readonly url: string;
  /** The same as it may be shown: `?...` instead of a query, which is where gateways want their keys. */
  readonly shown: string;
  /** Whether the connection is encrypted. */
  readonly isEncrypted: boolean;
  /** Whether the host is this machine by its very form: no name is looked up. */
  readonly isLoopback: boolean;
}

/** The longest URL, written out: what every HTTP server is to support (RFC 9110, section 4.1). */
const MAX_URL = 8000;

/**
 * The URL of a chat server's WebSocket: of `wss://HOST[/PATH]`, `ws://`, `https://` (as wss), `http://` (as ws), or a
 * bare host (as wss). Without a path `/chat` is added, `/api` becomes `/api/chat`, any other is used as it is.
 *
 * @throws {ChatNioError} `CHATNIO_BAD_URL`, which repeats no part of the text: that may hold a secret in the wrong place;
 * `CHATNIO_INVALID` for what is no string.
 */
export function chatUrl(text: string): string {
  return endpoint(text).url;
}

/** As `chatUrl()`, and what else there is to know. */
export function endpoint(text: string): Endpoint {
  const trimmed = textOf("url", text).trim();
  // URL() drops or rewrites these; an address that is not what was written is not what was meant.
  if (/[\s\p{Cc}\\]/u.test(trimmed)) throw bad("holds white space, a control character or a backslash: remove it");
  if (trimmed.startsWith("sk-") && !/[.:/]/.test(trimmed)) {
    throw bad("looks like a token: the URL belongs here, and the token in its own place");
  }
  const [, scheme = "wss", rest = trimmed] = /^(.*?):\/\/(.*)$/.exec(trimmed) ?? [];
  const isEncrypted = /^(wss|https)$/i.test(scheme);
  if (!isEncrypted && !/^(ws|http)$/i.test(scheme)) throw bad("has a scheme that is not supported: use wss, ws, https or http");
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? "";
  if (authority.includes("@")) throw bad("holds a user name or password: remove everything up to the `@`");
  if (rest.includes("#")) throw bad("holds a fragment: remove the `#` and what follows");
  if (authority === "" || authority.startsWith(":")) throw bad("has no host: write it like wss://chat.example.com");
  if (!hasGoodPort(authority)) throw bad("has a port that is not a number from 1 to 65535");
  let url: URL;
  try {
    url = new URL(`${isEncrypted ? "wss" : "ws"}://${rest}`);
  } catch {
    throw bad("has a host that is neither a valid name nor an IP address (IPv6 addresses need brackets)");
  }
  const path = url.pathname.replace(/\/+$/, "");
  if (path === "") url.pathname = "/chat";
  else if (path === "/api") url.pathname = "/api/chat";
  // Without a `?` that nothing follows.
  if (url.search === "") url.search = "";
  if (url.href.length > MAX_URL) throw bad(`is over ${MAX_URL} bytes: is it one?`);
  return { url: url.href, shown: url.href.replace(/\?.*$/, "?..."), isEncrypted, isLoopback: isLoopback(url.hostname) };
}

/**
 * Refuses to send a token where everybody on the way can read it.
 *
 * @throws {ChatNioError} `CHATNIO_PLAIN_TOKEN`
 */
export function refusePlainToken(server: Endpoint, token: string | undefined, isAllowed: boolean): void {
  const mayBeRead = !server.isEncrypted && !server.isLoopback && token !== undefined && token !== "anonymous";
  if (mayBeRead && !isAllowed) {
    throw new ChatNioError(
      "CHATNIO_PLAIN_TOKEN",
      "the token would go over plain ws:// to another machine, readable for everybody on the way: use wss://",
    );
  }
}

/** Whether a host has a port that can be one, or none. */
function hasGoodPort(authority: string): boolean {
  const port = /^(?:\[[^\]]*\]?|[^:]*)(?::(.*))?$/s.exec(authority)?.[1];
  return port === undefined || port === "" || (/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65535);
}

/** RFC 6761, section 6.3: these names never leave the machine. A trailing dot only says that the name is complete. */
function isLoopback(host: string): boolean {
  const name = host.replace(/\.$/, "");
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    /^127\.\d+\.\d+\.\d+$/.test(name) ||
    name === "[::1]" ||
    /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(name)
  );
}

function bad(problem: string): ChatNioError {
  return new ChatNioError("CHATNIO_BAD_URL", `the server URL ${problem}`);
}
