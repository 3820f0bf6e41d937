import { type Exports, type Pointer, RequestType } from "./abi.js";
import { Handle, type Library } from "./library.js";
import { flag, keysOf, refuse, textOf, time } from "./settings.js";

/** What a chat or a restart may say besides. What is left out takes the server's default. */
export interface Parameters {
  /** The model's id. Left out: `gpt-3.5-turbo`, also on a restart. */
  readonly model?: string | undefined;
  /** Searches the web first, which can make the first frame late. */
  readonly web?: boolean | undefined;
  /** Answers without the conversation so far. */
  readonly ignoreContext?: boolean | undefined;
  /** How many messages go to the model, the question included; 0 or negative is the server's default of 8. */
  readonly context?: number | undefined;
  /** The most tokens that the model may answer with. */
  readonly maxTokens?: number | undefined;
  /** The sampling temperature. */
  readonly temperature?: number | undefined;
  /** Nucleus sampling: the share of probability to sample from. */
  readonly topP?: number | undefined;
  /** How many of the likeliest tokens to sample from. */
  readonly topK?: number | undefined;
  /** The penalty on tokens that have occurred. */
  readonly presencePenalty?: number | undefined;
  /** The penalty on tokens by how often they have occurred. */
  readonly frequencyPenalty?: number | undefined;
  /** The penalty on repetition. */
  readonly repetitionPenalty?: number | undefined;
  /**
   * Fields that this package does not know, by their names; their values as `JSON.stringify` takes them. Newer servers know
   * `think`, `web_search_mode` and `enable_mcp`, say; others ignore them.
   */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  /** How many milliseconds the answer's first frame may take, in place of the setting `firstFrame`; 0 for no limit. */
  readonly firstFrame?: number | undefined;
  /** The same for each further frame, in place of `nextFrame`. */
  readonly nextFrame?: number | undefined;
  /** The same for the whole answer, in place of `answerWithin`. */
  readonly answerWithin?: number | undefined;
}

/** A message to put at the front of a conversation. */
export interface MaskMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A question. It is answered. */
export interface ChatRequest extends Parameters {
  readonly type: "chat";
  readonly message: string;
}

/** The last question again, with these parameters. It is answered. */
export interface RestartRequest extends Parameters {
  readonly type: "restart";
}

/** A request that is answered. */
export type Question = ChatRequest | RestartRequest;

/** A request that is not answered. */
export type Command =
  /** A shared conversation, by the share's hash, before this one. */
  | { readonly type: "share"; readonly hash: string }
  /** Messages at the front of the conversation; at least one. */
  | { readonly type: "mask"; readonly messages: readonly MaskMessage[] }
  /**
   * Another text for a stored message, unknown to servers of 2023. The index is from 0: each chat has stored two
   * messages (question; answer or notice), a restart one, masks and shares theirs at the front.
   */
  | { readonly type: "edit"; readonly index: number; readonly message: string }
  /** A stored message away, by its index as in an edit. Unknown to servers of 2023. */
  | { readonly type: "remove"; readonly index: number };

/** Any request. */
export type Request = Question | Command | { readonly type: "stop" };

const TEXTS = { model: "chatnio_request_set_model" } as const;

const FLAGS = {
  web: "chatnio_request_set_web",
  ignoreContext: "chatnio_request_set_ignore_context",
} as const;

const INTEGERS = {
  context: "chatnio_request_set_context",
  maxTokens: "chatnio_request_set_max_tokens",
  topK: "chatnio_request_set_top_k",
} as const;

const FLOATS = {
  temperature: "chatnio_request_set_temperature",
  topP: "chatnio_request_set_top_p",
  presencePenalty: "chatnio_request_set_presence_penalty",
  frequencyPenalty: "chatnio_request_set_frequency_penalty",
  repetitionPenalty: "chatnio_request_set_repetition_penalty",
} as const;

const TIMES = {
  firstFrame: "chatnio_request_set_first_frame",
  nextFrame: "chatnio_request_set_next_frame",
  answerWithin: "chatnio_request_set_answer_within",
} as const;

/** The largest index. */
const MAX_INDEX = 2 ** 32 - 1;

function integer(name: string, value: unknown): bigint {
  return Number.isSafeInteger(value) ? BigInt(value as number) : refuse(name, "a whole number", value);
}

function float(name: string, value: unknown): number {
  // NaN and infinity are refused with the rest of the request.
  return typeof value === "number" ? value : refuse(name, "a number", value);
}

function index(value: unknown): number {
  const isIndex = Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_INDEX;
  return isIndex ? (value as number) : refuse("index", "the index of a message, 0 or more", value);
}

/** Makes a request as the module takes it, for `use`, and frees it. */
export function withRequest<Result>(library: Library, request: Request, use: (request: Pointer) => Result): Result {
  const isType = Object.hasOwn(RequestType, request.type);
  const type = isType ? RequestType[request.type] : refuse("type", "that of a request", request.type);
  const handle = new Handle(
    library,
    "request",
    library.construct((exports, out) => exports.chatnio_request_new(type, out)),
    (exports, pointer) => exports.chatnio_request_free(pointer),
  );
  try {
    fill(library, handle.pointer, request);
    return use(handle.pointer);
  } finally {
    handle.free();
    library.tidy();
  }
}

function fill(library: Library, pointer: Pointer, request: Request): void {
  const setText = (name: keyof Exports & `chatnio_request_set_${"message" | "model"}`, text: string): void => {
    const length = library.write(text);
    library.check((exports) => exports[name](pointer, library.input, length));
  };
  switch (request.type) {
    case "chat":
      setText("chatnio_request_set_message", textOf("message", request.message));
      fillParameters(library, pointer, request, setText);
      break;
    case "restart":
      fillParameters(library, pointer, request, setText);
      break;
    case "stop":
      break;
    case "share":
      setText("chatnio_request_set_message", textOf("hash", request.hash));
      break;
    case "mask":
      if (!Array.isArray(request.messages)) refuse("messages", "an array of messages", request.messages);
      for (const message of request.messages) {
        addMask(library, pointer, textOf("role", message?.role), textOf("content", message?.content));
      }
      break;
    case "edit":
      library.check((exports) => exports.chatnio_request_set_index(pointer, index(request.index)));
      setText("chatnio_request_set_message", textOf("message", request.message));
      break;
    case "remove":
      library.check((exports) => exports.chatnio_request_set_index(pointer, index(request.index)));
      break;
  }
}

function addMask(library: Library, pointer: Pointer, role: string, content: string): void {
  const [roleLength, contentLength] = library.writeTwo(role, content);
  library.check((exports) =>
    exports.chatnio_request_add_mask(pointer, library.input, roleLength, library.input + roleLength, contentLength),
  );
}

function fillParameters(
  library: Library,
  pointer: Pointer,
  request: Question,
  setText: (name: "chatnio_request_set_model", text: string) => void,
): void {
  for (const name of keysOf(TEXTS)) {
    const value = request[name];
    if (value !== undefined) setText(TEXTS[name], textOf(name, value));
  }
  for (const name of keysOf(FLAGS)) {
    const value = request[name];
    if (value !== undefined) library.check((exports) => exports[FLAGS[name]](pointer, flag(name, value)));
  }
  for (const name of keysOf(INTEGERS)) {
    const value = request[name];
    if (value !== undefined) library.check((exports) => exports[INTEGERS[name]](pointer, integer(name, value)));
  }
  for (const name of keysOf(FLOATS)) {
    const value = request[name];
    if (value !== undefined) library.check((exports) => exports[FLOATS[name]](pointer, float(name, value)));
  }
  for (const name of keysOf(TIMES)) {
    const value = request[name];
    if (value !== undefined) library.check((exports) => exports[TIMES[name]](pointer, time(name, value)));
  }
  const extra: unknown = request.extra;
  if (extra !== undefined) {
    if (typeof extra !== "object" || extra === null || Array.isArray(extra)) refuse("extra", "an object", extra);
    for (const [name, value] of Object.entries(extra)) if (value !== undefined) addExtra(library, pointer, name, json(name, value));
  }
}

function json(name: string, value: unknown): string {
  let text: unknown;
  try {
    text = JSON.stringify(value);
  } catch {
    // It refers to itself, or holds what has no JSON.
  }
  return typeof text === "string" ? text : refuse(`extra.${name}`, "a value that can be JSON", value);
}

function addExtra(library: Library, pointer: Pointer, name: string, json: string): void {
  const [nameLength, jsonLength] = library.writeTwo(name, json);
  library.check((exports) =>
    exports.chatnio_request_add_extra(pointer, library.input, nameLength, library.input + nameLength, jsonLength),
  );
}
