/**
 * The Chat Nio (CoAI) streaming chat protocol, in browsers, Node, Deno and Bun.
 *
 * @packageDocumentation
 */

export type {
  Answer,
  Conversation,
  ConversationId,
  Counters,
  Interruption,
  Outcome,
  State,
} from "./answer.js";
export { type AskOptions, Client, type ClientOptions } from "./client.js";
export { chatUrl } from "./endpoint.js";
export { AnswerError, ChatNioError, type Code } from "./errors.js";
export type { Delta, End, Event, KeepAlive, Malformed, Opened, Stray, StopRepeated, Unknown } from "./event.js";
export { load } from "./load.js";
export type { Source } from "./loader.js";
export { Replay, type Replayed, type ReplayedRequest, replay, type Step } from "./replay.js";
export type {
  ChatRequest,
  Command,
  MaskMessage,
  Parameters,
  Question,
  Request,
  RestartRequest,
} from "./request.js";
export { Session, type SessionOptions } from "./session.js";
export type { Authentication, Settings } from "./settings.js";
export type { WebSocketConstructor, WebSocketLike } from "./socket.js";
export type { AnswerStream } from "./stream.js";
export { Transcript } from "./transcript.js";
export type { TurnEvent } from "./turn.js";
export { version } from "./version.js";
