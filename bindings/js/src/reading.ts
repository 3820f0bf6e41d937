import type { ByteStream, Reading } from "./frames.js";
import type { WebSocketLike } from "./socket.js";

/** Watches a WebSocket that connects for what it is to read. */
export interface ReadingWatch {
  /**
   * Is called as it opens, by its event. `listener` is what gets its messages. `found` is called at most once, in the same step:
   * while nothing of it was read yet.
   */
  opened(listener: unknown, found: (reading: Reading) => void): void;
  /** It does not open. */
  end(): void;
}

/** A WebSocket of `ws`, which calls a listener of messages with bytes. */
export interface OfWs extends WebSocketLike {
  readonly emit?: unknown;
  /** What it reads. */
  readonly _socket?: unknown;
  listeners?(event: "message"): unknown[];
  on(event: string, listener: (...data: any[]) => void): unknown;
}

export function isOfWs(socket: WebSocketLike): socket is OfWs {
  return socket.on !== undefined && socket.binaryType === "nodebuffer";
}

/** Those of `ws` and of Node let be seen what they read, and others nothing. */
export function watchReading(socket: WebSocketLike): ReadingWatch {
  return isOfWs(socket) ? watchWs(socket) : watchNode(socket);
}

/** That of `ws` tells it by its event `upgrade`. */
function watchWs(socket: OfWs): ReadingWatch {
  let stream: (ByteStream & { readonly emit?: unknown }) | undefined;
  socket.on("upgrade", (response?: { readonly socket?: ByteStream | null }) => {
    stream = response?.socket ?? undefined;
    // It is open in the same step. Who hears of that later has missed what was read meanwhile.
    queueMicrotask(() => (stream = undefined));
  });
  return {
    opened(listener, found) {
      const shown = stream;
      if (shown === undefined) return;
      const isAlone = (): boolean =>
        socket._socket === shown && socket.emit === shown.emit && isOnly(socket.listeners?.("message"), listener);
      found({ stream: shown, isAlone });
    },
    end() {},
  };
}

/** The connection that a WebSocket of Node reads. */
interface Connection extends ByteStream {
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly destroyed?: boolean;
  destroy?(): unknown;
  /** In Node 22: the WebSocket that reads it. */
  readonly ws?: unknown;
}

/** What is used of Node's modules. */
interface Modules {
  "node:diagnostics_channel": {
    subscribe(channel: string, listener: (message: any) => void): void;
    unsubscribe(channel: string, listener: (message: any) => void): unknown;
  };
  "node:events": { getEventListeners(of: unknown, event: string): unknown[] };
}

/** A module of Node, where there is one; a bundler has no need to look for it. */
function builtin<Name extends keyof Modules>(name: Name): Modules[Name] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: Name): Modules[Name] | undefined } };
  return process?.getBuiltinModule?.(name);
}

/** As it was before anybody changed it. */
const dispatchEvent = globalThis.EventTarget?.prototype.dispatchEvent;

/** What those of Node read that are open. */
const connections = new WeakMap<WebSocketLike, Connection>();

/** Drops the connection at once, where that can be done: a browser's can only be closed, which waits for the server. */
export function drop(socket: WebSocketLike): void {
  if (socket.terminate !== undefined) socket.terminate();
  else socket.close();
  connections.get(socket)?.destroy?.();
}

/** How many WebSockets of Node connect. While any does, it is heard what Node tells by its channels of diagnostics. */
let connecting = 0;
/** The connections that were asked to become a WebSocket's, by their address on this side; undefined where that does not tell which. */
const asking = new Map<string, WeakRef<Connection> | undefined>();
/** What has become a WebSocket's in this step, which Node 22 tells before that tells that it is open. */
let latest: Connection | undefined;
/** Who waits for what their WebSocket reads, which Node 24 tells behind that. */
const waiting = new WeakMap<object, (stream: Connection) => void>();

function asked({ request, socket }: { request?: { upgrade?: unknown }; socket?: Connection }): void {
  if (request?.upgrade !== "websocket" || socket === undefined) return;
  const address = `${socket.localAddress} ${socket.localPort}`;
  const other = asking.get(address)?.deref();
  const isOnlyOne = other === undefined || other === socket || other.destroyed === true;
  asking.set(address, isOnlyOne ? new WeakRef(socket) : undefined);
}

function became({ websocket, address }: { websocket?: object; address?: { address?: string; port?: number } }): void {
  const from = `${address?.address} ${address?.port}`;
  const stream = asking.get(from)?.deref();
  asking.delete(from);
  if (stream === undefined) return;
  if (websocket !== undefined) {
    waiting.get(websocket)?.(stream);
    return;
  }
  latest = stream;
  // Who hears of that later has missed what was read meanwhile.
  queueMicrotask(() => (latest = undefined));
}

/** Node tells which connections are to become WebSockets, and which then did. */
function watchNode(socket: WebSocketLike & { readonly dispatchEvent?: unknown }): ReadingWatch {
  const diagnostics = builtin("node:diagnostics_channel");
  const events = builtin("node:events");
  if (diagnostics === undefined || events === undefined) return { opened() {}, end() {} };
  connecting += 1;
  if (connecting === 1) {
    diagnostics.subscribe("undici:client:sendHeaders", asked);
    diagnostics.subscribe("undici:websocket:open", became);
  }
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    connecting -= 1;
    waiting.delete(socket);
    if (connecting > 0) return;
    diagnostics.unsubscribe("undici:client:sendHeaders", asked);
    diagnostics.unsubscribe("undici:websocket:open", became);
    asking.clear();
  };
  return {
    opened(listener, found) {
      const isAlone = (): boolean =>
        socket.dispatchEvent === dispatchEvent && isOnly(events.getEventListeners(socket, "message"), listener);
      const use = (stream: Connection): void => {
        connections.set(socket, stream);
        found({ stream, isAlone });
      };
      if (latest?.ws === socket) use(latest);
      else waiting.set(socket, use);
      queueMicrotask(end);
    },
    end,
  };
}

function isOnly(listeners: readonly unknown[] | undefined, listener: unknown): boolean {
  return listeners !== undefined && listeners.length === 1 && listeners[0] === listener;
}
