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
  destroy?(): unknown;
  /** In Node 22: the WebSocket that reads it. */
  readonly ws?: unknown;
}

/** What those of Node read that are open. */
const connections = new WeakMap<WebSocketLike, Connection>();

/** Drops the connection at once, where that can be done: a browser's can only be closed, which waits for the server. */
export function drop(socket: WebSocketLike): void {
  if (socket.terminate !== undefined) socket.terminate();
  else socket.close();
  connections.get(socket)?.destroy?.();
}

/** What is used of Node's modules. */
interface Modules {
  "node:diagnostics_channel": {
    subscribe(channel: string, listener: (message: any) => void): void;
    unsubscribe(channel: string, listener: (message: any) => void): unknown;
  };
  "node:events": { getEventListeners(of: unknown, event: string): unknown[] };
}

/** Node tells by its channels of diagnostics which connections ask for a WebSocket, and from version 24 on whose that became. */
function watchNode(socket: WebSocketLike & { readonly dispatchEvent?: unknown }): ReadingWatch {
  const diagnostics = builtin("node:diagnostics_channel");
  const events = builtin("node:events");
  if (diagnostics === undefined || events === undefined) return { opened() {}, end() {} };
  const asking = new Set<Connection>();
  let use: ((stream: Connection) => void) | undefined;
  const asked = ({ request, socket }: { request?: { upgrade?: unknown }; socket?: Connection }): void => {
    if (request?.upgrade === "websocket" && socket !== undefined) asking.add(socket);
  };
  // Just behind its event `open`.
  const became = ({ websocket, address }: { websocket?: unknown; address?: { address?: string; port?: number } }): void => {
    if (websocket !== socket) return;
    const [from, ...others] = [...asking].filter(
      ({ localAddress, localPort }) => localAddress === address?.address && localPort === address?.port,
    );
    if (from !== undefined && others.length === 0) use?.(from);
  };
  diagnostics.subscribe("undici:client:sendHeaders", asked);
  diagnostics.subscribe("undici:websocket:open", became);
  const end = (): void => {
    diagnostics.unsubscribe("undici:client:sendHeaders", asked);
    diagnostics.unsubscribe("undici:websocket:open", became);
  };
  const { dispatchEvent } = EventTarget.prototype;
  return {
    opened(listener, found) {
      const isAlone = (): boolean =>
        socket.dispatchEvent === dispatchEvent && isOnly(events.getEventListeners(socket, "message"), listener);
      use = (stream) => {
        use = undefined;
        connections.set(socket, stream);
        found({ stream, isAlone });
      };
      for (const stream of asking) if (stream.ws === socket) use?.(stream);
      queueMicrotask(end);
    },
    end,
  };
}

/** A module of Node, where there is one; a bundler has no need to look for it. */
function builtin<Name extends keyof Modules>(name: Name): Modules[Name] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: Name): Modules[Name] | undefined } };
  return process?.getBuiltinModule?.(name);
}

function isOnly(listeners: readonly unknown[] | undefined, listener: unknown): boolean {
  return listeners !== undefined && listeners.length === 1 && listeners[0] === listener;
}
