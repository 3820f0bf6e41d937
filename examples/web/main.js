// A page that chats: who asks, and what is shown of the answers.

import { AnswerError, ChatNioError, Client } from "chatnio";
import { show } from "./markdown.js";

const at = (id) => document.getElementById(id);
const [messages, live, form, question, model, cost, state] = ["messages", "live", "form", "question", "model", "cost", "state"].map(at);
const [send, stop, again, connect, url, token, models] = ["send", "stop", "again", "connect", "url", "token", "models"].map(at);

/** Of which the loopback server plays some. */
const MODELS = ["gpt-4o", "gpt-4", "gpt-3.5-turbo", "hello", "slow", "unicode", "long-500"];

/** @type {Client | undefined} */
let client;
/** @type {import("chatnio").AnswerStream | undefined} */
let running;
/** An answer is asked for, or runs. */
let isBusy = false;
/** @type {Promise<Client> | undefined} */
let connecting;
let spent = 0;

const settings = new URLSearchParams(location.search);
url.value = settings.get("url") ?? location.origin.replace(/^http/, "ws");
token.value = settings.get("token") ?? "";
// An address is seen, stored and shared: a token does not stay there.
settings.delete("token");
history.replaceState(null, "", `?${settings}`);
model.value = settings.get("model") ?? "hello";
models.append(...MODELS.map((name) => new Option(name, name)));

/** Drawing for longer than this, in milliseconds, would be felt. */
const SLOW = 30;

/** What went wrong, in words for who chats. */
function inWords(error) {
  if (error instanceof AnswerError) return error.cause === undefined ? error.message : inWords(error.cause);
  if (!(error instanceof ChatNioError)) return String(error?.message ?? error);
  switch (error.code) {
    case "CHATNIO_CONNECT":
    case "CHATNIO_CONNECT_TIMEOUT":
      return "No connection. Is the server there? It may also be refusing you for a while, after too many connections.";
    case "CHATNIO_END_OF_STREAM":
      return "The connection was lost.";
    case "CHATNIO_CLOSED_BY_SERVER":
      return "The server has closed the connection.";
    case "CHATNIO_BUSY":
      return "The server is still busy with the last answer. Try again in a moment.";
    default:
      return error.message;
  }
}

function refresh() {
  const isRunning = running !== undefined;
  send.disabled = isBusy;
  stop.disabled = !isRunning;
  again.disabled = isBusy || messages.querySelector(".theirs") === null;
  state.textContent = client?.error ? "not connected" : client ? (isRunning ? "answering" : "connected") : "not connected";
  cost.textContent = spent > 0 ? `Spent: ${Number(spent.toPrecision(6))}` : "";
}

/** Connects, or connects anew: the conversation goes on. Who comes meanwhile waits for the same. */
async function connected() {
  if (client !== undefined && client.error === undefined) return client;
  connecting ??= open().finally(() => {
    connecting = undefined;
  });
  return connecting;
}

async function open() {
  state.textContent = "connecting";
  if (client !== undefined) await client.reconnect();
  else client = await Client.connect(url.value, { token: token.value || undefined });
  return client;
}

function add(kind) {
  const article = document.createElement("article");
  article.className = kind;
  messages.append(article);
  return article;
}

/** Streams an answer into the page. `ask` begins it. */
async function answer(ask) {
  const article = add("theirs");
  const body = article.appendChild(document.createElement("div"));
  const note = article.appendChild(document.createElement("footer"));
  let text = "";
  let isShown = true;
  let took = 0;
  // Not for every piece: what is not seen need not be drawn, and what is slow to be drawn is so less often.
  const draw = () => {
    if (isShown) return;
    isShown = true;
    const began = performance.now();
    const isAtEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 80;
    show(body, text);
    if (isAtEnd) messages.scrollTop = messages.scrollHeight;
    took = performance.now() - began;
  };
  article.setAttribute("aria-busy", "true");
  isBusy = true;
  refresh();
  try {
    running = ask(await connected());
    refresh();
    live.textContent = "The answer begins.";
    for await (const piece of running) {
      text += piece;
      if (isShown) took > SLOW ? setTimeout(draw, 4 * took) : requestAnimationFrame(draw);
      isShown = false;
    }
    const { outcome, quotaText, quota } = await running.result();
    spent += quota;
    note.textContent = `${outcome === "stopped" ? "Stopped. " : ""}Cost: ${quotaText}`;
    live.textContent = outcome === "stopped" ? "Stopped." : text;
  } catch (error) {
    if (error instanceof AnswerError) spent += error.answer.quota;
    note.textContent = inWords(error);
    note.className = "wrong";
    live.textContent = note.textContent;
  } finally {
    draw();
    article.removeAttribute("aria-busy");
    running = undefined;
    isBusy = false;
    refresh();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = question.value.trim();
  if (text === "" || isBusy) return;
  question.value = "";
  add("mine").textContent = text;
  messages.scrollTop = messages.scrollHeight;
  void answer((client) => client.ask(text, { model: model.value || undefined }));
});

question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.stop();
});

stop.addEventListener("click", () => {
  running?.stop();
  question.focus();
});

again.addEventListener("click", () => {
  messages.querySelector(".theirs:last-of-type")?.remove();
  void answer((client) => client.restart({ model: model.value || undefined }));
});

connect.addEventListener("click", async () => {
  await connecting?.catch(() => {});
  const old = client;
  client = undefined;
  await old?.close();
  try {
    await connected();
    live.textContent = "Connected.";
  } catch (error) {
    live.textContent = inWords(error);
    add("wrong").textContent = live.textContent;
  }
  refresh();
});

refresh();
question.focus();
