// Sessions: requests, events, deadlines, errors.

import { ChatNioError, type Request, Session, type SessionOptions, type Settings, version } from "chatnio";
import * as abi from "../../dist/abi.js";
import { library } from "../../dist/load.js";
import { equal, ok, type Test, throws } from "./check.js";

/** A session that has sent this question, and forgotten what it sent. */
function asked(options: SessionOptions = {}): Session {
  const session = new Session({ token: "sk-secret", ...options }, 0);
  session.request({ type: "chat", message: "hi" }, 0);
  sent(session);
  return session;
}

/** What is to be sent. */
function sent(session: Session): string[] {
  const messages: string[] = [];
  for (let message = session.nextMessage(); message !== undefined; message = session.nextMessage()) messages.push(message);
  return messages;
}

const REQUESTS: readonly [Request, object][] = [
  [{ type: "chat", message: 'h\u00e9 "\ud83d\ude00"\u0000' }, { type: "chat", message: 'h\u00e9 "\ud83d\ude00"\u0000' }],
  [
    {
      type: "chat",
      message: "hi",
      model: "gpt-4",
      web: true,
      ignoreContext: false,
      context: -1,
      maxTokens: 2 ** 53 - 1,
      temperature: 0.5,
      topP: 0.25,
      topK: 40,
      presencePenalty: -1.5,
      frequencyPenalty: 0,
      repetitionPenalty: 1,
    },
    {
      type: "chat",
      message: "hi",
      model: "gpt-4",
      web: true,
      ignore_context: false,
      context: -1,
      max_tokens: 2 ** 53 - 1,
      temperature: 0.5,
      top_p: 0.25,
      top_k: 40,
      presence_penalty: -1.5,
      frequency_penalty: 0,
      repetition_penalty: 1,
    },
  ],
  [
    { type: "chat", message: "hi", topK: 3, extra: { think: true, "n\u00e9": { by: ["\ud83d\ude00", 1.5, null] }, not: undefined } },
    { type: "chat", message: "hi", top_k: 3, think: true, "n\u00e9": { by: ["\ud83d\ude00", 1.5, null] } },
  ],
  [{ type: "share", hash: "ab12" }, { type: "share", message: "ab12" }],
  [
    { type: "mask", messages: [{ role: "system", content: "S\u00ef" }, { role: "user", content: "" }, { role: "assistant", content: "x".repeat(9000) }] },
    { type: "mask", message: `[{"role":"system","content":"S\u00ef"},{"role":"user","content":""},{"role":"assistant","content":"${"x".repeat(9000)}"}]` },
  ],
  [{ type: "edit", index: 4294967295, message: "a:b" }, { type: "edit", message: "4294967295:a:b" }],
  [{ type: "remove", index: 0 }, { type: "remove", message: "0" }],
];

const REFUSED: readonly [ConstructorParameters<typeof ChatNioError>[0], unknown][] = [
  ["CHATNIO_EMPTY_MESSAGE", { type: "chat", message: " \n" }],
  ["CHATNIO_EMPTY_SHARE", { type: "share", hash: "" }],
  ["CHATNIO_BAD_MASK", { type: "mask", messages: [] }],
  ["CHATNIO_BAD_MASK", { type: "mask", messages: [{ role: "robot", content: "x" }] }],
  ["CHATNIO_NOT_FINITE", { type: "chat", message: "x", temperature: Number.NaN }],
  ["CHATNIO_NOT_FINITE", { type: "chat", message: "x", topP: 1e300 }],
  ["CHATNIO_NOTHING_TO_RESTART", { type: "restart" }],
  ["CHATNIO_NOT_UTF8", { type: "chat", message: "x\ud800" }],
  ["CHATNIO_REQUEST_TOO_LONG", { type: "chat", message: "x".repeat(8 << 20) }],
  ["CHATNIO_INVALID", { type: "chat", message: 7 }],
  ["CHATNIO_INVALID", { type: "chat", message: "x", web: "false" }],
  ["CHATNIO_INVALID", { type: "chat", message: "x", maxTokens: 1.5 }],
  ["CHATNIO_INVALID", { type: "chat", message: "x", temperature: "0.5" }],
  ["CHATNIO_KNOWN_FIELD", { type: "chat", message: "x", extra: { model: "m" } }],
  ["CHATNIO_KNOWN_FIELD", { type: "chat", message: "x", extra: { Type: "stop" } }],
  ["CHATNIO_INVALID", { type: "chat", message: "x", extra: ["think"] }],
  ["CHATNIO_INVALID", { type: "chat", message: "x", extra: { think: 1n } }],
  ["CHATNIO_INVALID", { type: "chat", message: "x", extra: { think: () => 1 } }],
  ["CHATNIO_INVALID", { type: "edit", index: -1, message: "x" }],
  ["CHATNIO_INVALID", { type: "remove", index: 2 ** 32 }],
  ["CHATNIO_INVALID", { type: "nonsense" }],
];

const BAD_SETTINGS: readonly [ConstructorParameters<typeof ChatNioError>[0], unknown][] = [
  ["CHATNIO_EMPTY_TOKEN", { token: " " }],
  ["CHATNIO_EMPTY_SHARE", { share: "" }],
  ["CHATNIO_BAD_CONVERSATION", { conversation: 0 }],
  ["CHATNIO_REQUEST_TOO_LONG", { token: "sk-secret".repeat(99), maxRequest: 50 }],
  ["CHATNIO_INVALID", { conversation: 1.5 }],
  ["CHATNIO_INVALID", { conversation: 2 ** 53 }],
  ["CHATNIO_INVALID", { conversation: 2n ** 63n }],
  ["CHATNIO_INVALID", { token: 7 }],
  ["CHATNIO_INVALID", { record: "false" }],
  ["CHATNIO_INVALID", { keepAlive: -1 }],
  ["CHATNIO_INVALID", { firstFrame: Number.POSITIVE_INFINITY }],
  ["CHATNIO_INVALID", { maxAnswer: 2 ** 32 }],
  ["CHATNIO_INVALID", { stopRepeats: [5, 5] }],
];

export const tests: Test[] = [
  {
    name: "every enum of the header has the names that the library gives",
    run() {
      const names = {
        chatnio_event_kind_name: abi.EventKind,
        chatnio_request_type_name: abi.RequestType,
        chatnio_outcome_name: abi.Outcome,
        chatnio_interruption_name: abi.Interruption,
        chatnio_conversation_kind_name: abi.ConversationKind,
        chatnio_state_name: abi.State,
        chatnio_status_name: abi.Status,
      } as const;
      const loaded = library();
      for (const [of, numbers] of Object.entries(names)) {
        for (const [name, number] of Object.entries(numbers)) {
          const told = loaded.cString(loaded.call((exports) => exports[of as keyof typeof names](number)));
          equal(told.replaceAll(" ", "-"), name, of);
        }
      }
      const fatal = Object.entries(abi.Status).filter(([, number]) => loaded.call((exports) => exports.chatnio_status_is_fatal(number)) !== 0);
      ok(fatal.length > 20, "some are fatal");
      const found = Object.keys(abi.Status).filter((name) => new ChatNioError(name as keyof typeof abi.Status, "").isFatal);
      equal(found, fatal.map(([name]) => name));
      ok(/^\d+\.\d+\.\d+$/.test(version()), version());
    },
  },
  {
    name: "every request is sent as the protocol has it",
    run() {
      for (const [request, expected] of REQUESTS) {
        const session = new Session({ token: "sk-secret", conversation: 7, share: "h" }, 0);
        session.request(request, 0);
        const [auth, message, ...rest] = sent(session);
        equal(JSON.parse(auth ?? ""), { token: "sk-secret", id: 7, ref: "h" });
        equal(JSON.parse(message ?? ""), expected);
        equal(rest, []);
      }
      const session = asked();
      equal(session.stop(0), true);
      equal(session.stop(0), false);
      equal(sent(session), ['{"type":"stop"}']);
      equal(sent(new Session({ authAtOnce: true }, 0)), ['{"token":"anonymous","id":-1}']);
    },
  },
  {
    name: "what cannot be sent is refused, and nothing has changed",
    run() {
      const session = new Session({ token: "sk-secret" }, 0);
      for (const [code, request] of REFUSED) {
        const error = throws(code, () => session.request(request as Request, 0));
        ok(!error.message.includes("sk-secret"), error.message);
        equal(error.isFatal, false);
      }
      equal(sent(session), []);
      session.request({ type: "chat", message: "hi" }, 0);
      throws("CHATNIO_BUSY", () => session.request({ type: "chat", message: "hi" }, 0));
      equal(sent(session).length, 2);
      session.closed("host");
      equal(throws("CHATNIO_CLOSED", () => session.request({ type: "chat", message: "hi" }, 0)).isFatal, true);
      throws("CHATNIO_CLOSED", () => session.receive("{}", 0));
      throws("CHATNIO_INVALID", () => new Session({}, Number.NaN));
    },
  },
  {
    name: "settings that cannot be are refused",
    run() {
      for (const [code, settings] of BAD_SETTINGS) {
        const error = throws(code, () => new Session(settings as Settings, 0));
        ok(!error.message.includes("sk-secret"), error.message);
      }
      // None is forgotten: each is used by a session that can be made.
      new Session(
        {
          authAtOnce: true, keepText: false, keepAlive: 0, firstFrame: 1, nextFrame: 1, answerWithin: 1, afterStop: 1,
          settle: 1, stopRepeats: [], maxMessage: 0, maxRequest: 0, maxAnswer: 0, record: true, maxRecording: 10,
        },
        0,
      );
    },
  },
  {
    name: "a turn's events say what there is to say",
    run() {
      const session = asked({ record: true });
      equal(session.state, "asking");
      const opener = '{"conversation":7,"quota":0,"keyword":"","message":"","end":false,"plan":false}\n';
      equal(session.receive(opener, 5), {
        kind: "opened", turn: 1, conversation: { kind: "new", id: 7, asked: 0 }, quota: 0, quotaText: "0", raw: opener,
      });
      const frame = '{"message":"h\u00e9 \\ud83d\\ude00","quota":0.10,"end":false,"title":"x"}';
      equal(session.receive(frame, 6), { kind: "delta", turn: 1, text: "h\u00e9 \ud83d\ude00", quota: 0.1, quotaText: "0.10", raw: frame });
      equal(session.answer?.text, "h\u00e9 \ud83d\ude00");
      equal(session.state, "answering");
      const long = "\u00fc".repeat(50_000);
      const event = session.receive(`{"message":"${long}","quota":1e2,"end":true}`, 7);
      ok(event.kind === "end", event.kind);
      equal(event.text, long);
      equal({ ...event.answer, text: event.answer.text.length }, {
        turn: 1, request: "chat", outcome: "complete", interruption: "none", reason: undefined, text: 50_005,
        notice: undefined, keyword: "", quota: 100, quotaText: "1e2", conversation: 7, plan: false, chunks: 2, malformed: 0,
      });
      equal(session.answer, undefined);
      const malformed = session.receive("nonsense", 9);
      ok(malformed.kind === "malformed" && malformed.code === "CHATNIO_MALFORMED" && malformed.raw === "nonsense", "it is malformed");
      equal(session.receiveBinary(10).kind, "malformed");
      // An end too many, where nothing was stopped: it tells what it is, and ends the session.
      equal(session.receive('{"message":"","quota":2,"end":true}', 8), {
        kind: "stray", text: "", quota: 2, quotaText: "2", isEnd: true, raw: '{"message":"","quota":2,"end":true}',
      });
      equal(session.state, "closed");
      equal(session.counters, { strays: 1, malformed: 2, repeatedStops: 0 });
      equal(session.conversation, { kind: "new", id: 7, asked: 0 });
      const recorded = session.transcript?.text ?? "";
      ok(recorded.includes("> SEND") && !recorded.includes("sk-secret"), recorded);
      ok(session.memory > 100, "it holds something");
    },
  },
  {
    name: "ids are exact where numbers are not",
    run() {
      for (const [text, id] of [["9007199254740991", 9007199254740991], ["9007199254740993", 9007199254740993n], ["-1", -1]] as const) {
        const session = asked();
        const event = session.receive(`{"conversation":${text},"quota":0,"message":"","end":false}`, 1);
        ok(event.kind === "opened", event.kind);
        equal(event.conversation.id, id);
        if (id === -1) continue;
        session.closed("lost");
        session.reconnect(2);
        session.request({ type: "chat", message: "more" }, 2);
        ok(session.nextMessage()?.includes(`"id":${text}`), "it continues there");
        ok(new Session({ conversation: id }, 0).conversation, "it can be asked for");
      }
    },
  },
  {
    name: "deadlines are told, and do what they say",
    run() {
      const session = asked({ firstFrame: 1000, nextFrame: 500, afterStop: 300, stopRepeats: [100, 200], keepAlive: 0 });
      equal(session.deadline, 1000);
      equal(session.handleTimeout(999), undefined);
      session.receive('{"message":"a","quota":0,"end":false}', 999.9);
      equal(session.deadline, 1499);
      // Going back is standing still.
      session.stop(500);
      equal(session.deadline, 1099);
      equal(session.handleTimeout(1099), { kind: "stop-repeated", turn: 1 });
      session.handleTimeout(1199);
      equal(sent(session), ['{"type":"stop"}', '{"type":"stop"}', '{"type":"stop"}']);
      const end = session.handleTimeout(1299);
      ok(end?.kind === "end", "it has ended");
      equal([end.answer.outcome, end.answer.interruption, end.raw], ["interrupted", "after-stop-deadline", undefined]);
      equal(session.state, "draining");
      throws("CHATNIO_BUSY", () => session.request({ type: "chat", message: "x" }, 1300));
      equal(session.deadline, undefined);
    },
  },
  {
    name: "a request has deadlines of its own",
    run() {
      const ask = (request: object, settings: Settings = {}): Session => {
        const session = new Session({ keepAlive: 0, ...settings }, 0);
        session.request({ type: "chat", message: "hi", ...request }, 0);
        return session;
      };
      equal(ask({ firstFrame: 2000 }).deadline, 2000);
      equal(ask({ firstFrame: 0 }).deadline, undefined);
      const next = ask({ nextFrame: 1500 });
      next.receive('{"message":"a","end":false}', 10);
      equal(next.deadline, 1510);
      for (const session of [ask({ answerWithin: 700 }), ask({}, { answerWithin: 700 })]) {
        equal(session.deadline, 700);
        const end = session.handleTimeout(700);
        ok(end?.kind === "end" && end.answer.interruption === "answer-deadline", JSON.stringify(end));
      }
      throws("CHATNIO_INVALID", () => ask({ answerWithin: -1 }));
    },
  },
  {
    name: "what the server could lose after an end is held",
    run() {
      for (const [settings, held] of [[{}, 250], [{ settle: 400 }, 400]] as const) {
        const session = asked(settings);
        sent(session);
        session.receive('{"message":"","quota":0.5,"end":true}', 0);
        session.request({ type: "remove", index: 0 }, 100);
        equal(sent(session), []);
        equal(session.deadline, held);
        equal(session.handleTimeout(held), undefined);
        equal(sent(session), ['{"type":"remove","message":"0"}']);
      }
    },
  },
  {
    name: "what is held goes out before the host closes",
    run() {
      for (const [why, goes] of [["host", true], ["server", false], ["lost", false]] as const) {
        const session = asked({});
        sent(session);
        session.receive('{"message":"","quota":0.5,"end":true}', 0);
        session.request({ type: "remove", index: 0 }, 100);
        equal(sent(session), []);
        equal(session.closed(why), undefined);
        equal(sent(session), goes ? ['{"type":"remove","message":"0"}'] : []);
      }
    },
  },
  {
    name: "silence is kept alive",
    run() {
      const session = new Session({ keepAlive: 1000 }, 0);
      equal(session.deadline, 1000);
      equal(session.handleTimeout(1000), { kind: "keep-alive" });
      ok(sent(session).at(-1)?.includes("ping"), "it is sent");
    },
  },
  {
    name: "limits hold",
    run() {
      const session = asked({ maxMessage: 100, maxAnswer: 10 });
      const long = session.receive(`{"message":"${"x".repeat(100)}"}`, 1);
      ok(long.kind === "end" && long.answer.interruption === "message-too-long", JSON.stringify(long));
      const other = asked({ maxAnswer: 10 });
      const event = other.receive(`{"message":"${"x".repeat(11)}","end":false}`, 1);
      ok(event.kind === "end" && event.answer.interruption === "answer-too-long", JSON.stringify(event));
    },
  },
  {
    name: "a message may come as bytes, and nothing of a text is lost",
    run() {
      const letters = ["\ufeffa", "\ufeff", "plain", "sixteen letters.", "seventeen letters", "\u00fc\u4f60\ud83d\ude00", "x".repeat(9999)];
      for (const piece of letters) {
        const message = JSON.stringify({ message: piece, quota: 0.25, end: false });
        const texts = [message, new TextEncoder().encode(message)].map((form) => asked({}).receive(form, 1));
        for (const event of texts) {
          equal(event, { kind: "delta", turn: 1, text: piece, quota: 0.25, quotaText: "0.25", raw: message });
        }
      }
      const session = asked({});
      throws("CHATNIO_NOT_UTF8", () => session.receive(Uint8Array.of(0x22, 0xff, 0x22), 1));
      throws("CHATNIO_NOT_UTF8", () => session.receive('"\udc00"', 1));
      equal(session.counters.malformed, 0);
      // Of one that holds two frames, what it was made from.
      const two = new TextEncoder().encode('{"message":"a","end":false}{"message":"b","end":false}');
      const event = session.receive(two, 1);
      equal("raw" in event && event.raw, '{"message":"a","end":false}');
    },
  },
];
