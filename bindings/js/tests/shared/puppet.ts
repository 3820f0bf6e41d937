import type { WebSocketLike } from "chatnio";

/** A WebSocket whose server is the test. */
export class Puppet implements WebSocketLike {
  static last: Puppet;
  bufferedAmount = 0;
  readyState = 1;
  onopen: ((event: unknown) => void) | null = null;
  onmessage: ((event: unknown) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  onclose: ((event: unknown) => void) | null = null;
  readonly sent: string[] = [];
  isClosed = false;

  constructor(_url = "", isSilent = false) {
    Puppet.last = this;
    if (!isSilent) queueMicrotask(() => this.onopen?.({}));
  }

  send(message: string): void {
    this.sent.push(message);
  }

  close(): void {
    if (this.readyState === 3) return;
    this.isClosed = true;
    queueMicrotask(() => this.onclose?.({ code: 1000, reason: "", wasClean: true }));
  }

  says(message: object): void {
    this.onmessage?.({ data: JSON.stringify({ quota: 0, end: false, ...message }) });
  }

  /** The connection is gone. */
  breaks(): void {
    this.readyState = 3;
    this.onclose?.({ code: 1006, reason: "", wasClean: false });
  }

  get types(): string[] {
    return this.sent.map((message) => (JSON.parse(message) as { type?: string }).type ?? "auth");
  }
}
