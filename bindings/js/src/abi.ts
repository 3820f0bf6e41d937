// Made of ffi/include/chatnio.h by abi/generate.mjs: do not edit.

/** An address in the module's memory; 0 is NULL. */
export type Pointer = number;

/** `chatnio_status` */
export const Status = {
  CHATNIO_OK: 0,
  CHATNIO_AGAIN: 4001,
  CHATNIO_INTERRUPTED: 4002,
  CHATNIO_BUSY: 4003,
  CHATNIO_UNDRAINED: 4004,
  CHATNIO_ABSENT: 4005,
  CHATNIO_UNSENT: 4006,
  CHATNIO_INVALID: 4101,
  CHATNIO_NOT_UTF8: 4102,
  CHATNIO_FROZEN: 4103,
  CHATNIO_BAD_URL: 4104,
  CHATNIO_BAD_HEADER: 4105,
  CHATNIO_BAD_ROOTS: 4106,
  CHATNIO_BAD_TRANSCRIPT: 4107,
  CHATNIO_EMPTY_TOKEN: 4108,
  CHATNIO_BAD_CONVERSATION: 4109,
  CHATNIO_PLAIN_TOKEN: 4110,
  CHATNIO_EMPTY_MESSAGE: 4111,
  CHATNIO_EMPTY_SHARE: 4112,
  CHATNIO_BAD_MASK: 4113,
  CHATNIO_NOT_FINITE: 4114,
  CHATNIO_BAD_PARAMETERS: 4115,
  CHATNIO_REQUEST_TOO_LONG: 4116,
  CHATNIO_NOTHING_TO_RESTART: 4117,
  CHATNIO_GIVEN_SOCKET: 4118,
  CHATNIO_BAD_PROXY: 4119,
  CHATNIO_BAD_CERTIFICATE: 4120,
  CHATNIO_BAD_TOKEN: 4121,
  CHATNIO_KNOWN_FIELD: 4122,
  CHATNIO_BAD_EXTRA: 4123,
  CHATNIO_MALFORMED: 4201,
  CHATNIO_MESSAGE_TOO_LONG: 4202,
  CHATNIO_REST_BAD_KEY: 4301,
  CHATNIO_REST_NO_KEY: 4302,
  CHATNIO_REST_BLACK_LISTED: 4303,
  CHATNIO_REST_THROTTLED: 4304,
  CHATNIO_REST_NOT_FOUND: 4305,
  CHATNIO_REST_REFUSED: 4306,
  CHATNIO_REST_NO_SUCH_CALL: 4307,
  CHATNIO_REST_WEB_PAGE: 4308,
  CHATNIO_REST_HTTP: 4309,
  CHATNIO_REST_MALFORMED: 4310,
  CHATNIO_CLOSED: 4901,
  CHATNIO_CLOSED_BY_SERVER: 4902,
  CHATNIO_END_OF_STREAM: 4903,
  CHATNIO_TRUNCATED: 4904,
  CHATNIO_IO: 4905,
  CHATNIO_UNRESPONSIVE: 4906,
  CHATNIO_CLOSE_TIMEOUT: 4907,
  CHATNIO_PROTOCOL: 4908,
  CHATNIO_SERVER_NOT_UTF8: 4909,
  CHATNIO_OVERSIZED: 4910,
  CHATNIO_RESOLVE: 4921,
  CHATNIO_CONNECT: 4922,
  CHATNIO_CONNECT_TIMEOUT: 4923,
  CHATNIO_HANDSHAKE_TIMEOUT: 4924,
  CHATNIO_THROTTLED: 4925,
  CHATNIO_REFUSED: 4926,
  CHATNIO_HTTP: 4927,
  CHATNIO_UPGRADE: 4928,
  CHATNIO_BAD_HTTP: 4929,
  CHATNIO_UNAVAILABLE: 4930,
  CHATNIO_TLS_UNKNOWN_ISSUER: 4931,
  CHATNIO_TLS_WRONG_NAME: 4932,
  CHATNIO_TLS_EXPIRED: 4933,
  CHATNIO_TLS_NOT_YET_VALID: 4934,
  CHATNIO_TLS_CERTIFICATE: 4935,
  CHATNIO_TLS_NOT_TLS: 4936,
  CHATNIO_TLS_NO_ROOTS: 4937,
  CHATNIO_TLS: 4938,
  CHATNIO_TLS_CLIENT_CERTIFICATE: 4939,
  CHATNIO_PROXY_AUTH: 4941,
  CHATNIO_PROXY_REFUSED: 4942,
  CHATNIO_NOT_A_PROXY: 4943,
  CHATNIO_NO_RANDOM: 4951,
  CHATNIO_SYSTEM: 4952,
  CHATNIO_PANIC: 4999,
} as const;

/** `chatnio_feature` */
export const Feature = {
  session: 1,
  connection: 2,
  client: 4,
  rest: 8,
} as const;

/** `chatnio_request_type` */
export const RequestType = {
  chat: 1,
  restart: 2,
  stop: 3,
  share: 4,
  mask: 5,
  edit: 6,
  remove: 7,
} as const;

/** `chatnio_event_kind` */
export const EventKind = {
  none: 0,
  open: 1,
  opened: 2,
  delta: 3,
  end: 4,
  stray: 5,
  malformed: 6,
  "stop-repeated": 7,
  "keep-alive": 8,
  closed: 9,
} as const;

/** `chatnio_outcome` */
export const Outcome = {
  none: 0,
  complete: 1,
  stopped: 2,
  notice: 3,
  interrupted: 4,
} as const;

/** `chatnio_interruption` */
export const Interruption = {
  none: 0,
  "first-frame-deadline": 1,
  "next-frame-deadline": 2,
  "after-stop-deadline": 3,
  "message-too-long": 4,
  "answer-too-long": 5,
  "closed-by-server": 6,
  "connection-lost": 7,
  "closed-by-host": 8,
  reconnected: 9,
  "answer-deadline": 10,
  "not-connected": 11,
  "protocol-broken": 12,
  "invalid-utf8": 13,
  unresponsive: 14,
  "tls-failed": 15,
} as const;

/** `chatnio_conversation_kind` */
export const ConversationKind = {
  unknown: 0,
  new: 1,
  resumed: 2,
  replaced: 3,
} as const;

/** `chatnio_state` */
export const State = {
  idle: 1,
  asking: 2,
  answering: 3,
  stopping: 4,
  draining: 5,
  closed: 6,
} as const;

/** `chatnio_close_reason` */
export const CloseReason = {
  host: 1,
  server: 2,
  lost: 3,
} as const;

/** `chatnio_refusal_part` */
export const RefusalPart = {
  body: 1,
  reason: 2,
  location: 3,
  "www-authenticate": 4,
} as const;

/** `chatnio_retry_cause` */
export const RetryCause = {
  throttled: 1,
  unavailable: 2,
  lost: 3,
} as const;

/** `chatnio_trust` */
export const Trust = {
  platform: 1,
  "added-only": 2,
} as const;

/** `chatnio_step_kind` */
export const StepKind = {
  request: 1,
  receive: 2,
  closed: 3,
  warning: 4,
} as const;

/** `chatnio_rest_type` */
export const RestType = {
  conversations: 1,
  conversation: 2,
  "delete-conversation": 3,
  "rename-conversation": 4,
  "share-conversation": 5,
  quota: 6,
  subscription: 7,
  package: 8,
  buy: 9,
  subscribe: 10,
  models: 11,
  charges: 12,
  "shared-conversation": 13,
  shares: 14,
  "delete-share": 15,
  masks: 16,
  "save-mask": 17,
  "delete-mask": 18,
  user: 19,
  info: 20,
  market: 21,
  plans: 22,
  "billing-usage": 23,
  "billing-limits": 24,
  "api-key": 25,
  invite: 26,
  redeem: 27,
} as const;

/** Where the fields of `chatnio_text` are, and how large it is. */
export const textAt = {
  sizeof: 8,
  data: 0,
  len: 4,
} as const;

/** Where the fields of `chatnio_answer` are, and how large it is. */
export const answerAt = {
  sizeof: 104,
  size: 0,
  turn: 8,
  request_type: 16,
  outcome: 20,
  interruption: 24,
  plan: 28,
  has_conversation: 29,
  text: 32,
  notice: 40,
  keyword: 48,
  reason: 56,
  quota: 64,
  quota_text: 72,
  conversation: 80,
  chunks: 88,
  malformed: 96,
} as const;

/** Where the fields of `chatnio_conversation` are, and how large it is. */
export const conversationAt = {
  sizeof: 24,
  kind: 0,
  id: 8,
  asked: 16,
} as const;

/** Where the fields of `chatnio_event` are, and how large it is. */
export const eventAt = {
  sizeof: 104,
  size: 0,
  kind: 4,
  status: 8,
  turn: 16,
  text: 24,
  raw: 32,
  quota: 40,
  quota_text: 48,
  answer: 56,
  conversation: 64,
  outcome: 88,
  interruption: 92,
  code: 96,
  frame_end: 100,
} as const;

/** Where the fields of `chatnio_counters` are, and how large it is. */
export const countersAt = {
  sizeof: 32,
  size: 0,
  strays: 8,
  malformed: 16,
  repeated_stops: 24,
} as const;

/** Where the fields of `chatnio_bytes` are, and how large it is. */
export const bytesAt = {
  sizeof: 8,
  data: 0,
  len: 4,
} as const;

/** Where the fields of `chatnio_wants` are, and how large it is. */
export const wantsAt = {
  sizeof: 24,
  size: 0,
  deadline: 8,
  want_read: 16,
  want_write: 17,
  finished: 18,
} as const;

/** Where the fields of `chatnio_step` are, and how large it is. */
export const stepAt = {
  sizeof: 24,
  size: 0,
  kind: 4,
  line: 8,
  text: 12,
  request: 20,
} as const;

/** Where the fields of `chatnio_rest_conversation` are, and how large it is. */
export const restConversationAt = {
  sizeof: 48,
  size: 0,
  id: 8,
  name: 16,
  model: 24,
  messages: 32,
  web: 36,
  shared: 37,
  context: 40,
} as const;

/** Where the fields of `chatnio_rest_message` are, and how large it is. */
export const restMessageAt = {
  sizeof: 20,
  size: 0,
  role: 4,
  content: 12,
} as const;

/** Where the fields of `chatnio_rest_model` are, and how large it is. */
export const restModelAt = {
  sizeof: 32,
  size: 0,
  id: 4,
  owned_by: 12,
  created: 24,
} as const;

/** Where the fields of `chatnio_rest_charge` are, and how large it is. */
export const restChargeAt = {
  sizeof: 48,
  size: 0,
  id: 8,
  kind: 16,
  input: 24,
  output: 32,
  models: 40,
  anonymous: 44,
} as const;

/** Where the fields of `chatnio_rest_share` are, and how large it is. */
export const restShareAt = {
  sizeof: 40,
  size: 0,
  hash: 4,
  conversation_id: 16,
  name: 24,
  time: 32,
} as const;

/** Where the fields of `chatnio_rest_subscription` are, and how large it is. */
export const restSubscriptionAt = {
  sizeof: 48,
  size: 0,
  is_subscribed: 4,
  enterprise: 5,
  level: 8,
  expired: 16,
  expired_at: 24,
  refresh: 32,
  refresh_at: 40,
} as const;

/** What both modules export. */
export interface CommonExports {
  memory: { readonly buffer: ArrayBuffer };
  chatnio_wasm_alloc(size: number): Pointer;
  chatnio_wasm_free(data: Pointer, size: number): void;
  chatnio_version(): Pointer;
  chatnio_version_number(): number;
  chatnio_features(): number;
  chatnio_status_name(status: number): Pointer;
  chatnio_status_message(status: number): Pointer;
  chatnio_status_is_fatal(status: number): number;
  chatnio_auth_new(token: Pointer, tokenLen: number, out: Pointer): number;
  chatnio_auth_set_conversation(auth: Pointer, id: bigint): number;
  chatnio_auth_set_share(auth: Pointer, hash: Pointer, hashLen: number): number;
  chatnio_auth_free(auth: Pointer): void;
}

/** What chatnio.wasm exports. */
export interface Exports extends CommonExports {
  chatnio_error_status(error: Pointer, status: Pointer): number;
  chatnio_error_message(error: Pointer, message: Pointer): number;
  chatnio_error_code(error: Pointer, code: Pointer): number;
  chatnio_error_body(error: Pointer, body: Pointer): number;
  chatnio_error_refusal(error: Pointer, part: number, text: Pointer): number;
  chatnio_error_retry_after(error: Pointer, ms: Pointer): number;
  chatnio_error_free(error: Pointer): void;
  chatnio_timeout_ms(deadline: bigint, now: bigint): number;
  chatnio_config_new(out: Pointer): number;
  chatnio_config_retain(config: Pointer): number;
  chatnio_config_free(config: Pointer): void;
  chatnio_config_error(config: Pointer, buffer: Pointer, capacity: number, length: Pointer): number;
  chatnio_config_set_auth_at_once(config: Pointer, on: number): number;
  chatnio_config_set_keep_text(config: Pointer, on: number): number;
  chatnio_config_set_keep_alive(config: Pointer, ms: bigint): number;
  chatnio_config_set_first_frame(config: Pointer, ms: bigint): number;
  chatnio_config_set_next_frame(config: Pointer, ms: bigint): number;
  chatnio_config_set_answer_within(config: Pointer, ms: bigint): number;
  chatnio_config_set_after_stop(config: Pointer, ms: bigint): number;
  chatnio_config_set_settle(config: Pointer, ms: bigint): number;
  chatnio_config_set_stop_repeats(config: Pointer, ms: Pointer, count: number): number;
  chatnio_config_set_max_message(config: Pointer, bytes: number): number;
  chatnio_config_set_max_request(config: Pointer, bytes: number): number;
  chatnio_config_set_max_answer(config: Pointer, bytes: number): number;
  chatnio_config_set_record(config: Pointer, on: number): number;
  chatnio_config_set_max_recording(config: Pointer, bytes: number): number;
  chatnio_request_new(requestType: number, out: Pointer): number;
  chatnio_request_get_type(request: Pointer, requestType: Pointer): number;
  chatnio_request_set_message(request: Pointer, message: Pointer, messageLen: number): number;
  chatnio_request_add_mask(request: Pointer, role: Pointer, roleLen: number, content: Pointer, contentLen: number): number;
  chatnio_request_set_index(request: Pointer, index: number): number;
  chatnio_request_set_model(request: Pointer, model: Pointer, modelLen: number): number;
  chatnio_request_set_web(request: Pointer, on: number): number;
  chatnio_request_set_ignore_context(request: Pointer, on: number): number;
  chatnio_request_set_context(request: Pointer, messages: bigint): number;
  chatnio_request_set_max_tokens(request: Pointer, tokens: bigint): number;
  chatnio_request_set_temperature(request: Pointer, value: number): number;
  chatnio_request_set_top_p(request: Pointer, value: number): number;
  chatnio_request_set_top_k(request: Pointer, value: bigint): number;
  chatnio_request_set_presence_penalty(request: Pointer, value: number): number;
  chatnio_request_set_frequency_penalty(request: Pointer, value: number): number;
  chatnio_request_set_repetition_penalty(request: Pointer, value: number): number;
  chatnio_request_set_first_frame(request: Pointer, ms: bigint): number;
  chatnio_request_set_next_frame(request: Pointer, ms: bigint): number;
  chatnio_request_set_answer_within(request: Pointer, ms: bigint): number;
  chatnio_request_add_extra(request: Pointer, name: Pointer, nameLen: number, json: Pointer, jsonLen: number): number;
  chatnio_request_free(request: Pointer): void;
  chatnio_event_field(event: Pointer, name: Pointer, nameLen: number, value: Pointer): number;
  chatnio_session_new(config: Pointer, auth: Pointer, now: bigint, out: Pointer, error: Pointer): number;
  chatnio_session_request(session: Pointer, now: bigint, request: Pointer): number;
  chatnio_session_stop(session: Pointer, now: bigint, sent: Pointer): number;
  chatnio_session_receive(session: Pointer, now: bigint, message: Pointer, messageLen: number, event: Pointer): number;
  chatnio_session_receive_binary(session: Pointer, now: bigint, event: Pointer): number;
  chatnio_session_next_transmit(session: Pointer, message: Pointer): number;
  chatnio_session_deadline(session: Pointer, deadline: Pointer): number;
  chatnio_session_handle_timeout(session: Pointer, now: bigint, event: Pointer): number;
  chatnio_session_closed(session: Pointer, reason: number, event: Pointer): number;
  chatnio_session_reconnect(session: Pointer, now: bigint, event: Pointer): number;
  chatnio_session_state(session: Pointer, state: Pointer): number;
  chatnio_session_answer(session: Pointer, answer: Pointer): number;
  chatnio_session_conversation(session: Pointer, conversation: Pointer): number;
  chatnio_session_counters(session: Pointer, counters: Pointer): number;
  chatnio_session_memory(session: Pointer, bytes: Pointer): number;
  chatnio_session_transcript(session: Pointer, out: Pointer): number;
  chatnio_session_error(session: Pointer, buffer: Pointer, capacity: number, length: Pointer): number;
  chatnio_session_free(session: Pointer): void;
  chatnio_transcript_parse(text: Pointer, textLen: number, out: Pointer, error: Pointer): number;
  chatnio_transcript_text(transcript: Pointer, text: Pointer): number;
  chatnio_transcript_free(transcript: Pointer): void;
  chatnio_replay_new(transcript: Pointer, out: Pointer): number;
  chatnio_replay_auth(replay: Pointer, out: Pointer): number;
  chatnio_replay_next_step(replay: Pointer, state: number, step: Pointer): number;
  chatnio_replay_free(replay: Pointer): void;
  chatnio_event_kind_name(kind: number): Pointer;
  chatnio_request_type_name(requestType: number): Pointer;
  chatnio_outcome_name(outcome: number): Pointer;
  chatnio_interruption_name(interruption: number): Pointer;
  chatnio_conversation_kind_name(kind: number): Pointer;
  chatnio_state_name(state: number): Pointer;
}

/** What rest.wasm exports. */
export interface RestExports extends CommonExports {
  chatnio_rest_call_new(restType: number, out: Pointer): number;
  chatnio_rest_call_set_id(call: Pointer, id: bigint): number;
  chatnio_rest_call_set_text(call: Pointer, text: Pointer, textLen: number): number;
  chatnio_rest_call_set_amount(call: Pointer, amount: bigint): number;
  chatnio_rest_call_set_months(call: Pointer, months: bigint): number;
  chatnio_rest_call_add_index(call: Pointer, index: bigint): number;
  chatnio_rest_call_add_mask(call: Pointer, role: Pointer, roleLen: number, content: Pointer, contentLen: number): number;
  chatnio_rest_call_describe_mask(call: Pointer, description: Pointer, descriptionLen: number, avatar: Pointer, avatarLen: number): number;
  chatnio_rest_call_prepare(call: Pointer, auth: Pointer, prefix: Pointer, prefixLen: number): number;
  chatnio_rest_call_method(call: Pointer, method: Pointer): number;
  chatnio_rest_call_target(call: Pointer, target: Pointer): number;
  chatnio_rest_call_body(call: Pointer, body: Pointer): number;
  chatnio_rest_call_header(call: Pointer, index: number, name: Pointer, value: Pointer): number;
  chatnio_rest_call_decode(call: Pointer, httpStatus: number, body: Pointer, bodyLen: number, answer: Pointer): number;
  chatnio_rest_call_words(call: Pointer, words: Pointer): number;
  chatnio_rest_call_is_repeatable(call: Pointer, isRepeatable: Pointer): number;
  chatnio_rest_call_is_retryable(call: Pointer, isRetryable: Pointer): number;
  chatnio_rest_call_error(call: Pointer, buffer: Pointer, capacity: number, length: Pointer): number;
  chatnio_rest_call_free(call: Pointer): void;
  chatnio_rest_prefix_len(path: Pointer, pathLen: number, prefixLen: Pointer): number;
  chatnio_rest_answer_json(answer: Pointer, json: Pointer): number;
  chatnio_rest_answer_number(answer: Pointer, number: Pointer): number;
  chatnio_rest_answer_text(answer: Pointer, text: Pointer): number;
  chatnio_rest_answer_count(answer: Pointer, count: Pointer): number;
  chatnio_rest_answer_conversation(answer: Pointer, index: number, conversation: Pointer): number;
  chatnio_rest_answer_message(answer: Pointer, index: number, message: Pointer): number;
  chatnio_rest_answer_model(answer: Pointer, index: number, model: Pointer): number;
  chatnio_rest_answer_charge(answer: Pointer, index: number, charge: Pointer): number;
  chatnio_rest_answer_charge_model(answer: Pointer, index: number, nth: number, model: Pointer): number;
  chatnio_rest_answer_share(answer: Pointer, index: number, share: Pointer): number;
  chatnio_rest_answer_subscription(answer: Pointer, subscription: Pointer): number;
  chatnio_rest_answer_free(answer: Pointer): void;
}
