// The event log: what an event says as JSON, from its public fields alone. The same in every language, byte for byte.
//
//     {"event":"delta","turn":1,"text":"Hello","quota":0.1}
//     {"event":"stray","text":"","quota":0.1,"end":true}
//     {"event":"warning","line":7,"message":"skipped: the message is empty: it would never be answered"}
//     {"event":"end","turn":1,"request":"chat","outcome":"complete","text":"Hello","notice":null,...}
//
// Keys in this order, no spaces, raw UTF-8, LF. There is no delta for an empty piece. A quota is the number's text as the
// server wrote it, which is why JSON.stringify() does not make the lines.

import type { Answer, Event } from "chatnio";

export class EventLog {
  text = "";

  /** `line` is the transcript's, where it was a line of it that came in. */
  event(event: Event | undefined, line?: number): void {
    switch (event?.kind) {
      case "delta":
        this.#delta(event.turn, event.text, event.quotaText);
        break;
      case "end":
        this.#delta(event.turn, event.text, event.answer.quotaText);
        this.#end(event.answer);
        break;
      case "stray":
        this.text += `{"event":"stray","text":${quoted(event.text)},"quota":${event.quotaText},"end":${event.isEnd}}\n`;
        break;
      case "malformed":
        this.warning(line, event.message);
        break;
      default:
        break;
    }
  }

  warning(line: number | undefined, message: string): void {
    this.text += `{"event":"warning","line":${line ?? null},"message":${quoted(message)}}\n`;
  }

  #delta(turn: number, text: string, quota: string): void {
    if (text !== "") this.text += `{"event":"delta","turn":${turn},"text":${quoted(text)},"quota":${quota}}\n`;
  }

  #end(answer: Answer): void {
    this.text +=
      `{"event":"end","turn":${answer.turn},"request":"${answer.request}","outcome":"${answer.outcome}",` +
      `"text":${quoted(answer.text)},"notice":${answer.notice === undefined ? null : quoted(answer.notice)},` +
      `"quota":${answer.quotaText},"keyword":${quoted(answer.keyword)},"conversation":${answer.conversation ?? null},` +
      `"plan":${answer.plan},"chunks":${answer.chunks}}\n`;
  }
}

/** JSON.stringify() escapes what the log escapes: `"`, `\`, \b \f \n \r \t, and other controls as \u00xx. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
