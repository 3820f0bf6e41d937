// What the companion calls answer.

import type { ConversationId } from "../answer.js";

/** What every result has beside its own fields. */
export interface WithOther {
  /** Further fields, as the server sent them; numbers in them are as exact as JavaScript's. */
  readonly other: Readonly<Record<string, unknown>>;
}

/** A message of a conversation. */
export interface Message extends WithOther {
  /** Who says it: `user`, `assistant`, `system`. */
  readonly role: string;
  /** What is said. Content that is no text is its JSON. */
  readonly content: string;
}

/** A stored conversation. */
export interface StoredConversation extends WithOther {
  /** Its id, for the option `conversation` of a client. */
  readonly id: ConversationId;
  /** Its name: the first question's beginning, or what it was renamed to. */
  readonly name: string;
  /** The model that was asked last; empty where the server does not say. */
  readonly model: string;
  /** Its messages, oldest first; undefined in a list, which brings none. */
  readonly messages: readonly Message[] | undefined;
  /** Whether its last question searched the web. */
  readonly web: boolean;
  /** Whether a share was put in front of it. */
  readonly shared: boolean;
  /** How many messages went to the model with the last question; 0 is the server's default. */
  readonly context: number;
}

/** A conversation that somebody shares. */
export interface SharedConversation extends WithOther {
  /** Whose it is. */
  readonly username: string;
  /** The conversation's name. */
  readonly name: string;
  /** Its messages, oldest first. */
  readonly messages: readonly Message[];
}

/** A share of one's own. */
export interface Share extends WithOther {
  /** What the option `share` of a client takes, and a request of type `share`. */
  readonly hash: string;
  /** The id of the conversation that it shows. */
  readonly conversationId: ConversationId;
  /** That conversation's name. */
  readonly name: string;
  /** When it was made, as the server writes it: `2026-11-28T11:31:29Z`. */
  readonly time: string;
}

/** A stored mask: messages to put before a conversation. */
export interface Mask extends WithOther {
  /** Its id. */
  readonly id: number;
  /** Its picture, as the server's web page takes it. */
  readonly avatar: string;
  /** Its name. */
  readonly name: string;
  /** What it is for. */
  readonly description: string;
  /** Its messages. */
  readonly context: readonly Message[];
}

/** What was used of one part of a subscription. */
export interface Usage extends WithOther {
  /** How often it was used. */
  readonly used: number;
  /** How often it may be used; -1 is no limit. */
  readonly total: number;
}

/** A subscription. Without one all is empty. */
export interface Subscription extends WithOther {
  /** Whether there is one. */
  readonly isSubscribed: boolean;
  /** Whether it is one for enterprises. */
  readonly enterprise: boolean;
  /** Its level; 0 is none. */
  readonly level: number;
  /** The days until it ends. */
  readonly expired: number;
  /** When it ends, as the server writes it; empty on servers that do not say. */
  readonly expiredAt: string;
  /** The days until its usage begins anew; 0 on servers that do not say. */
  readonly refresh: number;
  /** When its usage begins anew, as the server writes it; empty on servers that do not say. */
  readonly refreshAt: string;
  /** What was used of it, by the name of what it includes. */
  readonly usage: ReadonlyMap<string, Usage>;
}

/** The packages of an account. */
export interface Package extends WithOther {
  /** Whether it is certified. */
  readonly cert: boolean;
  /** Whether it is that of a teenager. */
  readonly teenager: boolean;
}

/** A model. */
export interface Model extends WithOther {
  /** Its id, for the parameter `model` of a question. */
  readonly id: string;
  /** Whose it is; empty where the server does not say. */
  readonly ownedBy: string;
  /** When it was made, in seconds since 1970; 0 where the server does not say. */
  readonly created: number;
}

/** The price of models. */
export interface Charge extends WithOther {
  /** Its id. */
  readonly id: number;
  /** How it counts: `token-billing`, `times-billing` or `non-billing`. */
  readonly type: string;
  /** The models that it is for. */
  readonly models: readonly string[];
  /** The quota for 1000 tokens of the question. */
  readonly input: number;
  /** The quota for 1000 tokens of the answer; for one question with `times-billing`. */
  readonly output: number;
  /** Whether the models answer without an account, too. */
  readonly anonymous: boolean;
}

/** Whose key it is. */
export interface User extends WithOther {
  /** The user's name. */
  readonly name: string;
  /** Whether it is an administrator. */
  readonly admin: boolean;
}

/** What a server says of itself. */
export interface Info extends WithOther {
  /** Its title. */
  readonly title: string;
  /** The URL of its logo. */
  readonly logo: string;
  /** The URL of its file service. */
  readonly file: string;
  /** The URL of its documentation. */
  readonly docs: string;
  /** What it announces. */
  readonly announcement: string;
}

/** What was spent, in OpenAI's shape. */
export interface BillingUsage extends WithOther {
  /** All that was used. */
  readonly totalUsage: number;
}

/** What may be spent, in OpenAI's shape. */
export interface BillingLimits extends WithOther {
  /** The quota that is left. */
  readonly softLimit: number;
  /** The quota that there was. */
  readonly hardLimit: number;
}
