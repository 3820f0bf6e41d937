// A bot that sums up a text in one word, and says so when it cannot.

import { AnswerError } from "chatnio";

/** Asks for one word; of a longer answer the first counts, and the rest is not paid for. */
export async function oneWord(client, text) {
  let word = "";
  try {
    for await (const piece of client.ask(`Sum up in one word: ${text}`, { model: "gpt-4" })) {
      word += piece;
      if (/\S\s/.test(word)) break;
    }
  } catch (error) {
    if (error instanceof AnswerError) return `(no answer: ${error.message})`;
    throw error;
  }
  return word.trim().split(/\s/)[0];
}
