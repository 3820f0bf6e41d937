/**
 * The companion HTTP calls: stored conversations, the quota, models, whether a key is good.
 *
 *     import { RestClient, conversations, quota } from "chatnio/rest";
 *
 *     const client = new RestClient("wss://api.chatnio.net", { token: "sk-..." });
 *     console.log(await client.call(quota()), "left");
 *     for (const { id, name } of await client.call(conversations())) console.log(id, name);
 *
 * A `Call` does no I/O: `Call.request()` gives the HTTP request as data, `Call.decode()` reads the answer, for those who have an
 * HTTP client of their own.
 *
 * @packageDocumentation
 */

export type { ConversationId } from "../answer.js";
export { ChatNioError, type Code } from "../errors.js";
export type { Source } from "../loader.js";
export { type AnswerHeaders, Call, HttpRequest, prefixOf, type RequestOptions } from "./call.js";
export * from "./calls.js";
export { type CallOptions, RestClient, type RestClientOptions } from "./client.js";
export { CallError } from "./errors.js";
export { load } from "./load.js";
export type {
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
  WithOther,
} from "./results.js";
