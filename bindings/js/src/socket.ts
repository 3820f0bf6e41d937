import type { Endpoint } from "./endpoint.js";
import { ChatNioError } from "./errors.js";
import { readFrames } from "./frames.js";
import { drop, isOfWs, type ReadingWatch, watchReading } from "./reading.js";
import { redacted } from "./redacted.js";
import { MAX_DELAY } from "./settings.js";

/** What is used of a WebSocket: the platform's own, that of `ws`, or one for tests. */
export interface WebSocketLike {
  /** How many bytes wait to be sent. */
  readonly bufferedAmount: number;
  // Events are looked at for what is in them, whatever their class is.
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  /** "nodebuffer": it is one of `ws`, whose text messages come by `on()` as bytes, which spares making strings of them. */
  readonly binaryType?: string;
  /** 3: it is closed, and tells nothing more. */
  readonly readyState?: number;
  on?(event: string, listener: (...data: any[]) => void): unknown;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  /** Drops the connection at once, where that can be done. */
  terminate?(): void;
}

/** The class of one. */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

/**
 * The platform's WebSocket; in Node before version 22 that of the package `ws`.
 *
 * @throws {ChatNioError} `CHATNIO_INVALID` when there is none.
 */
export async function platformWebSocket(): Promise<WebSocketConstructor> {
  if (typeof globalThis.WebSocket === "function") return globalThis.WebSocket;
  // A bundler has no need to look for it.
  const name = "ws";
  try {
    const ws = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as { default: WebSocketConstructor };
    return ws.default;
  } catch (error) {
    throw new ChatNioError(
      "CHATNIO_INVALID",
      "there is no WebSocket here: install the package `ws` (Node before version 22), or give a class by the option WebSocket",
      { cause: error },
    );
  }
}

/**
 * Takes a message, a text as it comes: as a string, or as UTF-8, which may be a part of other bytes; undefined stands for a binary
 * one. False: this part is no UTF-8, and nothing was done with it.
 */
export type Take = (message: string | Uint8Array | undefined, begin?: number, end?: number) => boolean;

/** Has each message given to `take`. */
export type Listen = (take: Take) => void;

/** Opens a WebSocket. `opened` sets its handlers: what comes with the server's answer may come before a promise is kept. */
export function openSocket(
  make: WebSocketConstructor,
  { url, shown }: Endpoint,
  limit: number,
  signal: AbortSignal | undefined,
  opened: (socket: WebSocketLike, listen: Listen) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const withoutSecrets = (text: string): string => redacted(text, new URL(url).search.slice(1));
    let socket: WebSocketLike;
    let detail = "";
    let silent: ReturnType<typeof setTimeout> | undefined;
    try {
      socket = new make(url);
    } catch (error) {
      // One for tests says what is wrong with its transcript.
      if (error instanceof ChatNioError) throw error;
      // The error itself is no `cause`: a browser's repeats the whole URL.
      detail = withoutSecrets(error instanceof Error ? error.message : String(error));
      throw new ChatNioError("CHATNIO_CONNECT", `cannot connect to ${shown}: ${detail}`);
    }
    const watch = watchReading(socket);
    const settle = (): void => {
      clearTimeout(timer);
      clearTimeout(silent);
      signal?.removeEventListener("abort", aborted);
    };
    const fail = (error: unknown): void => {
      settle();
      watch.end();
      discard(socket);
      reject(error as Error);
    };
    const aborted = (): void => fail(signal?.reason);
    const timer =
      limit > 0
        ? setTimeout(
            () => fail(new ChatNioError("CHATNIO_CONNECT_TIMEOUT", `cannot connect to ${shown} within ${limit} ms`)),
            Math.min(limit, MAX_DELAY),
          )
        : undefined;
    signal?.addEventListener("abort", aborted);
    socket.onopen = () => {
      // Once.
      socket.onopen = null;
      settle();
      opened(socket, (take) => listen(socket, watch, take));
      resolve();
    };
    const closed = (event: { code?: unknown } = {}): void => {
      const unsaid =
        "the platform does not say why. No network, no such server, a certificate that is not trusted, or a server that refuses, because it throttles this address perhaps";
      const message = `cannot connect to ${shown}: ${detail || unsaid}`;
      fail(new ChatNioError("CHATNIO_CONNECT", message, closeCode(event)));
    };
    // That of `ws` says more, and Node's own that it is a network error or a status. That of Node 22 leaves out the close that is to
    // follow at once.
    socket.onerror = (event) => {
      const isUnsaid = typeof event?.message !== "string" || event.message.startsWith("Received network error or non-101");
      detail = isUnsaid ? "" : withoutSecrets(event.message);
      clearTimeout(silent);
      silent = setTimeout(() => closed({}), 0);
    };
    socket.onclose = closed;
  });
}

function listen(socket: WebSocketLike, watch: ReadingWatch, take: Take): void {
  let listener: (...data: any[]) => void;
  if (isOfWs(socket)) {
    // Before version 8 it gave texts as strings, and did not say which was which.
    listener = (data: string | Uint8Array, isBinary = typeof data !== "string") => take(isBinary ? undefined : data);
    socket.on("message", listener);
  } else {
    listener = ({ data }: { data?: unknown } = {}) => take(typeof data === "string" ? data : undefined);
    socket.onmessage = listener;
  }
  watch.opened(listener, (reading) => readFrames(reading, take));
}

/** Lets go of a WebSocket, which says nothing any more. */
function discard(socket: WebSocketLike): void {
  silence(socket);
  try {
    drop(socket);
  } catch {
    // It may never have been open.
  }
}

/** Closes a WebSocket in an orderly way, and waits for that, for so many milliseconds. A browser's takes 1000 alone. */
export function closeSocket(socket: WebSocketLike, limit: number, code = 1000): Promise<void> {
  return new Promise((resolve) => {
    silence(socket);
    if (socket.readyState === 3) {
      resolve();
      return;
    }
    const timer = setTimeout(() => {
      discard(socket);
      resolve();
    }, Math.min(limit, MAX_DELAY));
    const closed = (): void => {
      clearTimeout(timer);
      resolve();
    };
    socket.onclose = closed;
    try {
      socket.close(code);
    } catch {
      discard(socket);
      closed();
    }
  });
}

function silence(socket: WebSocketLike): void {
  socket.onopen = socket.onmessage = socket.onclose = null;
  // That of `ws` would throw an error that nobody hears.
  socket.onerror = () => {};
}

/** The code that came with a close, if one did: 1005 and 1006 stand for none. */
export function closeCode(event: { code?: unknown }): { closeCode?: number } {
  const { code } = event;
  return typeof code === "number" && code !== 1005 && code !== 1006 ? { closeCode: code } : {};
}
