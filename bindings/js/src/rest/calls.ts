// The calls: one function for each.

import { restConversationAt, restShareAt } from "../abi.js";
import type { ConversationId } from "../answer.js";
import { ChatNioError } from "../errors.js";
import { textOf, whole } from "../settings.js";
import { Call, check, type Found, type Setting } from "./call.js";
import type {
  BillingLimits,
  BillingUsage,
  Charge,
  Info,
  Mask,
  Message,
  Model,
  Package,
  Share,
  SharedConversation,
  StoredConversation,
  Subscription,
  Usage,
  User,
} from "./results.js";

type Read<Result> = (json: unknown, found: Found) => Result;

/** The fields of a result: each by its name in the module's JSON, or also how it is read. */
type Fields<Result> = {
  readonly [Name in Exclude<keyof Result, "other">]: string | readonly [string, Read<Result[Name]>];
};

/** Reads an object; the fields that it does not have are its `other`. */
function record<Result>(fields: Fields<Result>): Read<Result> {
  return (json, found) => {
    const other = { ...(json as Record<string, unknown>) };
    const known: Record<string, unknown> = {};
    for (const [name, field] of Object.entries<string | readonly [string, Read<unknown>]>(fields)) {
      const [from, read] = typeof field === "string" ? [field] : field;
      known[name] = read === undefined ? other[from] : read(other[from], found);
      delete other[from];
    }
    return { ...known, other } as Result;
  };
}

function list<Item>(read: Read<Item>): Read<readonly Item[]> {
  return (json, found) => (json as readonly unknown[]).map((item) => read(item, found));
}

/** `null` is undefined. */
function optional<Result>(read: Read<Result>): Read<Result | undefined> {
  return (json, found) => (json === null ? undefined : read(json, found));
}

function same<Result>(json: unknown): Result {
  return json as Result;
}

function nothing(): void {}

const message = /* @__PURE__ */ record<Message>({ role: "role", content: "content" });
const messages = /* @__PURE__ */ list(message);

const storedConversation = /* @__PURE__ */ record<StoredConversation>({
  id: "id",
  name: "name",
  model: "model",
  messages: ["messages", /* @__PURE__ */ optional(messages)],
  web: "web",
  shared: "shared",
  context: "context",
});

const share = /* @__PURE__ */ record<Share>({ hash: "hash", conversationId: "conversation_id", name: "name", time: "time" });

/** Where the ids of conversations are: in the structs that these functions fill. */
const IDS = {
  chatnio_rest_answer_conversation: { size: restConversationAt.sizeof, at: restConversationAt.id },
  chatnio_rest_answer_share: { size: restShareAt.sizeof, at: restShareAt.conversation_id },
} as const;

/** An id as it was sent: `JSON.parse` has rounded it where JavaScript's numbers are not exact. */
function exact({ library, pointer }: Found, index: number, id: ConversationId, get: keyof typeof IDS): ConversationId {
  if (Number.isSafeInteger(id)) return id;
  const { size, at } = IDS[get];
  const out = library.prepare(size);
  library.check((exports) => exports[get](pointer, index, out));
  return library.int64(out + at);
}

function conversationOf(json: unknown, found: Found, index: number): StoredConversation {
  const read = storedConversation(json, found);
  return { ...read, id: exact(found, index, read.id, "chatnio_rest_answer_conversation") };
}

function shareOf(json: unknown, found: Found, index: number): Share {
  const read = share(json, found);
  return { ...read, conversationId: exact(found, index, read.conversationId, "chatnio_rest_answer_share") };
}

/** The id of a mask, which the module has in JSON alone: a rounded one would be another mask's. */
function maskId(json: unknown): number {
  if (Number.isSafeInteger(json)) return json as number;
  throw new ChatNioError("CHATNIO_REST_MALFORMED", "the id of a mask is larger than JavaScript's numbers are exact");
}

const mask = /* @__PURE__ */ record<Mask>({
  id: ["id", maskId],
  avatar: "avatar",
  name: "name",
  description: "description",
  context: ["context", messages],
});

const usage = /* @__PURE__ */ record<Usage>({ used: "used", total: "total" });

function usages(json: unknown, found: Found): ReadonlyMap<string, Usage> {
  return new Map(Object.entries(json as Record<string, unknown>).map(([name, used]) => [name, usage(used, found)]));
}

const setId = (id: ConversationId): Setting => {
  const value = whole("id", id);
  return (library, call) => check(library, call, (exports) => exports.chatnio_rest_call_set_id(call, value));
};

const setText = (name: string, text: string): Setting => {
  textOf(name, text);
  return (library, call) => {
    const length = library.write(text);
    check(library, call, (exports) => exports.chatnio_rest_call_set_text(call, library.input, length));
  };
};

const setAmount = (name: string, amount: number): Setting => {
  const value = whole(name, amount);
  return (library, call) => check(library, call, (exports) => exports.chatnio_rest_call_set_amount(call, value));
};

/** The stored conversations, newest first, at most the last 100; without their messages. */
export function conversations(): Call<readonly StoredConversation[]> {
  return new Call("conversations", "conversations", (json, found) =>
    (json as readonly unknown[]).map((item, index) => conversationOf(item, found, index)),
  );
}

/** A stored conversation with its messages. */
export function conversation(id: ConversationId): Call<StoredConversation> {
  return new Call("conversation", "conversation", (json, found) => conversationOf(json, found, 0), [setId(id)]);
}

/** Deletes a conversation, for good. */
export function deleteConversation(id: ConversationId): Call<void> {
  return new Call("deleteConversation", "delete-conversation", nothing, [setId(id)]);
}

/** Renames a conversation. Not on servers of 2023. */
export function renameConversation(id: ConversationId, name: string): Call<void> {
  return new Call("renameConversation", "rename-conversation", nothing, [setId(id), setText("name", name)]);
}

/**
 * Shares messages of a conversation, by their indexes from 0; without any, all of them. The result is the hash that the
 * option `share` of a client takes. A server gives a hash also for a conversation that does not exist.
 */
export function shareConversation(id: ConversationId, indexes: readonly number[] = []): Call<string> {
  const added = indexes.map((index): Setting => {
    const value = whole("each of indexes", index);
    return (library, call) => check(library, call, (exports) => exports.chatnio_rest_call_add_index(call, value));
  });
  return new Call("shareConversation", "share-conversation", same<string>, [setId(id), ...added]);
}

/** The quota that is left. The cheapest way to find out whether a key is good: the chat never says. */
export function quota(): Call<number> {
  return new Call("quota", "quota", same<number>);
}

/** The subscription. */
export function subscription(): Call<Subscription> {
  return new Call(
    "subscription",
    "subscription",
    record<Subscription>({
      isSubscribed: "is_subscribed",
      enterprise: "enterprise",
      level: "level",
      expired: "expired",
      expiredAt: "expired_at",
      refresh: "refresh",
      refreshAt: "refresh_at",
      usage: ["usage", usages],
    }),
  );
}

/** The packages; undefined where the server has none. */
function packages(): Call<Package | undefined> {
  return new Call("package", "package", optional(record<Package>({ cert: "cert", teenager: "teenager" })));
}
// No function can be called so, but its export can.
export { packages as package };

/** Buys so much quota. */
export function buy(quota: number): Call<void> {
  return new Call("buy", "buy", nothing, [setAmount("quota", quota)]);
}

/** Subscribes to a level, for so many months. */
export function subscribe(level: number, months: number): Call<void> {
  const value = whole("months", months);
  const setMonths: Setting = (library, call) =>
    check(library, call, (exports) => exports.chatnio_rest_call_set_months(call, value));
  return new Call("subscribe", "subscribe", nothing, [setAmount("level", level), setMonths]);
}

/** The models. Needs no key, but a wrong one is refused. */
export function models(): Call<readonly Model[]> {
  return new Call("models", "models", list(record<Model>({ id: "id", ownedBy: "owned_by", created: "created" })));
}

/** What models cost. Needs no key. Not on servers of 2023. */
export function charges(): Call<readonly Charge[]> {
  return new Call(
    "charges",
    "charges",
    list(
      record<Charge>({
        id: "id",
        type: "type",
        models: "models",
        input: "input",
        output: "output",
        anonymous: "anonymous",
      }),
    ),
  );
}

/** The conversation behind a share's hash. */
export function sharedConversation(hash: string): Call<SharedConversation> {
  return new Call(
    "sharedConversation",
    "shared-conversation",
    record<SharedConversation>({ username: "username", name: "name", messages: ["messages", messages] }),
    [setText("hash", hash)],
  );
}

/** One's own shares. */
export function shares(): Call<readonly Share[]> {
  return new Call("shares", "shares", (json, found) =>
    (json as readonly unknown[]).map((item, index) => shareOf(item, found, index)),
  );
}

/** Ends a share. */
export function deleteShare(hash: string): Call<void> {
  return new Call("deleteShare", "delete-share", nothing, [setText("hash", hash)]);
}

/** The stored masks. Not on servers of 2023. */
export function masks(): Call<readonly Mask[]> {
  return new Call("masks", "masks", list(mask));
}

/** A mask to store. */
export interface NewMask {
  /** Its name. */
  readonly name: string;
  /** Its messages. */
  readonly context: readonly { readonly role: string; readonly content: string }[];
  /** What it is for. */
  readonly description?: string | undefined;
  /** Its picture, as the server's web page takes it. */
  readonly avatar?: string | undefined;
  /** That of the stored mask to replace; without one a new one is stored. */
  readonly id?: number | undefined;
}

/** Stores a mask. Not on servers of 2023. */
export function saveMask({ name, context, description = "", avatar = "", id }: NewMask): Call<void> {
  const [about, picture] = [textOf("description", description), textOf("avatar", avatar)];
  const described: Setting = (library, call) => {
    const [one, two] = library.writeTwo(about, picture);
    const { input } = library;
    check(library, call, (exports) => exports.chatnio_rest_call_describe_mask(call, input, one, input + one, two));
  };
  const added = context.map(({ role, content }): Setting => {
    const [who, what] = [textOf("each role", role), textOf("each content", content)];
    return (library, call) => {
      const [one, two] = library.writeTwo(who, what);
      const { input } = library;
      check(library, call, (exports) => exports.chatnio_rest_call_add_mask(call, input, one, input + one, two));
    };
  });
  const replaced = id === undefined ? [] : [setId(id)];
  return new Call("saveMask", "save-mask", nothing, [setText("name", name), ...replaced, described, ...added]);
}

/** Deletes a stored mask. Not on servers of 2023. */
export function deleteMask(id: number): Call<void> {
  return new Call("deleteMask", "delete-mask", nothing, [setId(id)]);
}

/** Whether the key is good, and whose it is. */
export function user(): Call<User> {
  return new Call("user", "user", record<User>({ name: "name", admin: "admin" }));
}

/** What the server says of itself. Needs no key. Not on servers of 2023. */
export function info(): Call<Info> {
  return new Call(
    "info",
    "info",
    record<Info>({ title: "title", logo: "logo", file: "file", docs: "docs", announcement: "announcement" }),
  );
}

/** The models that the server advertises, each as the server describes it. Needs no key. Not on servers of 2023. */
export function market(): Call<readonly Readonly<Record<string, unknown>>[]> {
  return new Call("market", "market", same<readonly Readonly<Record<string, unknown>>[]>);
}

/** The subscriptions that the server offers, each as the server describes it. Needs no key. Not on servers of 2023. */
export function plans(): Call<readonly Readonly<Record<string, unknown>>[]> {
  return new Call("plans", "plans", same<readonly Readonly<Record<string, unknown>>[]>);
}

/** What was spent, in OpenAI's shape. */
export function billingUsage(): Call<BillingUsage> {
  return new Call("billingUsage", "billing-usage", record<BillingUsage>({ totalUsage: "total_usage" }));
}

/** What may be spent, in OpenAI's shape. */
export function billingLimits(): Call<BillingLimits> {
  return new Call(
    "billingLimits",
    "billing-limits",
    record<BillingLimits>({ softLimit: "soft_limit", hardLimit: "hard_limit" }),
  );
}

/** The API key of the account, for those who came by a login token. The result is a secret. */
export function apiKey(): Call<string> {
  return new Call("apiKey", "api-key", same<string>);
}

/** Takes an invitation up; the result is the quota that it brought. */
export function invite(code: string): Call<number> {
  return new Call("invite", "invite", same<number>, [setText("code", code)]);
}

/** Redeems a code; the result is the quota that it brought. */
export function redeem(code: string): Call<number> {
  return new Call("redeem", "redeem", same<number>, [setText("code", code)]);
}
