import type { Message } from 'grammy/types';
import type { Conversation } from './conversation.ts';
import type { BotWords } from './words.ts';

/** Text of a command without its name, trimmed. */
export interface Command {
  /** Without the slash. */
  name: string;
  /** What the list of commands says; undefined: it is not listed. */
  description?: (words: BotWords, locale: string) => string;
  handle(conversation: Conversation, argument: string): Promise<void>;
}

/** A button of ours was pressed. Its data is `prefix:rest`; Telegram carries 64 bytes of it. */
export interface Callback {
  prefix: string;
  handle(conversation: Conversation, rest: string): Promise<void>;
}

/** /start with a payload that begins with `prefix`; the longest prefix wins. Telegram carries 64 characters of it. */
export interface StartPayload {
  prefix: string;
  handle(conversation: Conversation, payload: string): Promise<void>;
}

/** Plain text that is no command. The first that takes it answers. */
export interface PlainText {
  takes(text: string, conversation: Conversation): boolean;
  handle(conversation: Conversation, text: string): Promise<void>;
}

/** What one file of this folder adds to the bot. */
export interface Feature {
  commands?: readonly Command[];
  callbacks?: readonly Callback[];
  startPayloads?: readonly StartPayload[];
  texts?: readonly PlainText[];
  /** Somebody shared a contact; the whole message, as what makes it trustworthy stands around it. */
  contact?: (conversation: Conversation, message: Message) => Promise<void>;
}

/** All features as one table. Two of one name are a mistake of ours, found at start. */
export interface FeatureTable {
  commands: ReadonlyMap<string, Command>;
  callbacks: ReadonlyMap<string, Callback>;
  /** Longest prefix first. */
  startPayloads: readonly StartPayload[];
  texts: readonly PlainText[];
  contact: Feature['contact'];
}

export function tableOf(features: readonly Feature[]): FeatureTable {
  const contacts = features.flatMap(({ contact }) => (contact ? [contact] : []));
  if (contacts.length > 1) throw new Error('two features take contacts');
  return {
    commands: unique(features.flatMap(({ commands = [] }) => commands).map((one) => [one.name, one])),
    callbacks: unique(features.flatMap(({ callbacks = [] }) => callbacks).map((one) => [one.prefix, one])),
    startPayloads: features
      .flatMap(({ startPayloads = [] }) => startPayloads)
      .sort((left, right) => right.prefix.length - left.prefix.length),
    texts: features.flatMap(({ texts = [] }) => texts),
    contact: contacts[0],
  };
}

function unique<T>(entries: [string, T][]): Map<string, T> {
  const table = new Map(entries);
  if (table.size < entries.length) throw new Error('two features of the bot share a name');
  return table;
}
