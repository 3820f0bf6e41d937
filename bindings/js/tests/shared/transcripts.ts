// Every transcript gives the event log beside it, byte for byte.

import { ChatNioError, Client, type Event, Replay, replay, Session, Transcript } from "chatnio";
import { transcriptWebSocket } from "chatnio/testing";
import { equal, ok, type Test, throws } from "./check.js";
import { EventLog } from "./event-log.js";

/** What a transcript gives, step by step. */
function byStep(text: string): string {
  const log = new EventLog();
  const steps = new Replay(new Transcript(text));
  const session = new Session({ replay: steps }, 0);
  for (let step = steps.nextStep(session.state); step !== undefined; step = steps.nextStep(session.state)) {
    switch (step.kind) {
      case "warning":
        log.warning(step.line, step.text);
        break;
      case "request":
        try {
          session.request(step.request, 0);
        } catch (error) {
          if (!(error instanceof ChatNioError)) throw error;
          log.warning(step.line, `skipped: ${error.message}`);
        }
        while (session.nextMessage() !== undefined);
        break;
      case "receive": {
        // The frames behind the first are due at once.
        for (let event: Event | undefined = session.receive(step.text, 0); event; event = session.handleTimeout(0)) {
          if ("raw" in event) ok(step.text.includes(event.raw ?? ""), "a frame is as it was received");
          log.event(event, step.line);
        }
        break;
      }
      case "closed":
        log.event(session.closed("server"));
        break;
    }
  }
  log.event(session.closed("host"));
  return log.text;
}

export const tests: Test[] = [
  {
    name: "every transcript gives its log, step by step",
    run({ transcripts }) {
      ok(transcripts.length >= 35, `only ${transcripts.length} transcripts`);
      for (const { name, text, log } of transcripts) equal(byStep(text), log, name);
    },
  },
  {
    name: "every transcript gives its log, at once",
    run({ transcripts }) {
      for (const { name, text, log } of transcripts) {
        const found = new EventLog();
        for (const { event, warning, line } of replay(new Transcript(text))) {
          if (event === undefined) found.warning(line, warning);
          else found.event(event, line);
        }
        equal(found.text, log, name);
      }
    },
  },
  {
    name: "a transcript reads what it writes",
    run({ transcripts }) {
      for (const { name, text } of transcripts) {
        const written = new Transcript(text).text;
        equal(new Transcript(written).text, written, name);
        equal(String(new Transcript(text)), written, name);
      }
    },
  },
  {
    name: "a text that is no transcript is refused, and its line is named",
    run() {
      const error = throws("CHATNIO_BAD_TRANSCRIPT", () => new Transcript("WEBSOCKET ws://h/\n\nnonsense\n"));
      ok(error.message.includes("line 3"), error.message);
      throws("CHATNIO_NOT_UTF8", () => new Transcript("// \ud800"));
    },
  },
  {
    name: "the request of a step is refused once that is over",
    run() {
      const steps = new Replay(new Transcript('> SEND {"type":"chat","message":"hi"}\n< RECV {"message":"x","end":true}\n'));
      const session = new Session({ replay: steps }, 0);
      let step = steps.nextStep(session.state);
      while (step !== undefined && step.kind !== "request") step = steps.nextStep(session.state);
      ok(step, "there is a request");
      equal(step.request.type, "chat");
      session.request(step.request, 0);
      steps.nextStep(session.state);
      throws("CHATNIO_INVALID", () => session.request(step.request, 0));
    },
  },
  {
    name: "a client over a transcript's WebSocket gives its answers",
    async run({ transcripts }) {
      const text = transcripts.find(({ name }) => name === "2026-03/two_turns")?.text;
      ok(text, "the transcript is there");
      const expected = replay(new Transcript(text)).flatMap(({ event }) => (event?.kind === "end" ? [event.answer.text] : []));
      equal(expected.length, 2);
      const Fake = transcriptWebSocket(text);
      const client = await Client.connect("ws://localhost", { token: "sk-secret", WebSocket: Fake });
      equal([await client.ask("one").text(), await client.ask("two").text()], expected);
      equal(Fake.sent[0]?.map((message) => JSON.parse(message).type ?? "auth"), ["auth", "chat", "chat"]);
      const error = await client.ask("three").text().catch((error: unknown) => error);
      ok(error instanceof Error && error.message.includes("the transcript has no chat left"), String(error));
      await client.close();
    },
  },
];
