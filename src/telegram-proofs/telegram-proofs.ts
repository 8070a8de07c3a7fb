import { createHash } from 'node:crypto';
import type { Database, Fragment, Sql } from '../db/database.ts';
import type { Feed } from '../db/feed.ts';
import type { Secrets } from '../kernel/secrets.ts';
import {
  insertLinkFragment,
  LINKS_TOPIC,
  type LinkName,
  type LinkPurpose,
  type LinkRow,
  type LinkState,
  type LinkStep,
  readLink,
  readOpenedLink,
  spendLinkFragment,
  stepFragment,
  sweepLinks,
} from './link-store.ts';
import { createLinkWatch } from './link-watch.ts';
import { type BegunLogin, LOGIN_LIFE_SECONDS, newLogin, readLogin, writeLogin } from './login-handle.ts';
import { spendDataFragment, sweepLoginData } from './login-data-store.ts';
import {
  handleHashes,
  isLinkPayload,
  LINK_LIFE_SECONDS,
  LINK_PAYLOAD_PREFIX,
  LINKS_OPENED_PER_HOUR,
  matchChoices,
  matchNumber,
  payloadHashes,
  type ProofHandle,
  readHandle,
  writeHandle,
} from './policy.ts';

export type { LinkPurpose, LinkRow, LinkState, LinkStep };
export type { BegunLogin };
export { LINK_LIFE_SECONDS, LINK_PAYLOAD_PREFIX, LINKS_OPENED_PER_HOUR, LOGIN_LIFE_SECONDS };

/** A link just made: what the browser keeps, and what travels into Telegram. */
export interface NewLink {
  id: string;
  /** Secret of the browser. */
  linkId: string;
  /** What `?start=` carries: another secret, of Telegram's side. */
  payload: string;
  matchNumber: number;
  /** `insert …` for a `with` list. */
  insert: Fragment;
}

/** By what a Telegram account names a link. */
export type LinkReference = { payload: string } | { id: string };

/** Proofs of a Telegram account that come otherwise than by a code, each of them used once. */
export interface TelegramProofs {
  newLink(
    sql: Sql,
    link: {
      tenantId: string;
      purpose: LinkPurpose;
      userId: string | null;
      deviceName: string;
      ip: string;
      now: Fragment;
    },
  ): NewLink;
  /** What a handle is of; undefined when it can be none. No database is asked. */
  readLinkId(linkId: string): ProofHandle | undefined;
  findLink(database: Database, handle: ProofHandle): Promise<LinkRow | undefined>;
  /** Resolves when the link has moved on, or after so long; asks nobody. */
  linkMoved(id: string, milliseconds: number): Promise<void>;
  /** `update …` for a `with` list: one step by one Telegram account; undefined when it names no link. */
  step(
    sql: Sql,
    step: {
      tenantId: string;
      reference: LinkReference;
      telegramUserId: string;
      step: LinkStep;
      now: Fragment;
    },
  ): Fragment | undefined;
  findOpened(
    database: Database,
    of: { tenantId: string; reference: LinkReference; telegramUserId: string },
  ): Promise<LinkRow | undefined>;
  /** `update …` for a `with` list: the browser takes what was confirmed. */
  spendLink(
    sql: Sql,
    handle: ProofHandle,
    taken: { purpose: LinkPurpose; userId: string | null; now: Fragment },
  ): Fragment;
  matchNumber(tenantId: string, id: string): number;
  matchChoices(tenantId: string, id: string): number[];
  /** `insert …` for a `with` list: signed data is used, and proves `value`. Gives no row when it was before. */
  spendData(
    sql: Sql,
    data: { tenantId: string; name: string; value: string; lifeSeconds: number; now: Fragment },
  ): Fragment;
  /** Begins a sign-in by Telegram's OpenID Connect login. Nothing is stored: `loginId` holds it, sealed. */
  newLogin(login: Pick<BegunLogin, 'tenantId' | 'redirectUri' | 'phone' | 'userId'> & { now: Date }): {
    loginId: string;
    login: BegunLogin;
  };
  readLogin(loginId: string): BegunLogin | undefined;
  follow(feed: Feed): void;
  /** Nobody waits any longer: the server stops. */
  stop(): void;
}

export interface TelegramProofsOptions {
  secrets: Secrets;
  newId: () => string;
  randomBytes: (size: number) => Buffer;
}

export function createTelegramProofs(options: TelegramProofsOptions): TelegramProofs {
  const { secrets, newId, randomBytes } = options;
  const watch = createLinkWatch();

  function nameOf(tenantId: string, reference: LinkReference): LinkName | undefined {
    if ('id' in reference) return reference;
    if (!isLinkPayload(reference.payload)) return undefined;
    return { payloadHashes: payloadHashes(secrets, tenantId, reference.payload) };
  }

  return {
    newLink(sql, link) {
      const id = newId();
      const handle: ProofHandle = { tenantId: link.tenantId, id, random: randomBytes(16) };
      const payload = LINK_PAYLOAD_PREFIX + randomBytes(24).toString('base64url');
      const [handleHash] = handleHashes(secrets, handle);
      const [payloadHash] = payloadHashes(secrets, link.tenantId, payload);
      return {
        id,
        linkId: writeHandle(handle),
        payload,
        matchNumber: matchNumber(secrets, link.tenantId, id),
        insert: insertLinkFragment(sql, {
          ...link,
          id,
          handleHash: handleHash as Buffer,
          payloadHash: payloadHash as Buffer,
        }),
      };
    },
    readLinkId: (linkId) => readHandle(linkId),
    findLink: (database, handle) =>
      readLink(database, { ...handle, handleHashes: handleHashes(secrets, handle) }),
    linkMoved: (id, milliseconds) => watch.wait(id, milliseconds),
    step(sql, { reference, ...step }) {
      const name = nameOf(step.tenantId, reference);
      return name && stepFragment(sql, { ...step, name });
    },
    async findOpened(database, { reference, ...of }) {
      const name = nameOf(of.tenantId, reference);
      return name && readOpenedLink(database, { ...of, name });
    },
    spendLink: (sql, handle, taken) =>
      spendLinkFragment(sql, { ...handle, handleHashes: handleHashes(secrets, handle), ...taken }),
    matchNumber: (tenantId, id) => matchNumber(secrets, tenantId, id),
    matchChoices: (tenantId, id) => matchChoices(secrets, tenantId, id),
    spendData: (sql, { name, ...data }) =>
      spendDataFragment(sql, { ...data, hash: createHash('sha256').update(name).digest() }),
    newLogin(begun) {
      const login = newLogin(randomBytes, begun);
      return { loginId: writeLogin(secrets, login), login };
    },
    readLogin: (loginId) => readLogin(secrets, loginId),
    follow(feed) {
      feed.on(LINKS_TOPIC, watch.moved);
    },
    stop: watch.stop,
  };
}

const KEEP_ENDED_SECONDS = 86_400;

/** Removes what is long over. Gives how many rows went. */
export async function sweepTelegramProofs(database: Database, batch: number): Promise<number> {
  const links = await sweepLinks(database, KEEP_ENDED_SECONDS, batch);
  return Math.max(links, await sweepLoginData(database, batch));
}
export { endAllLinks, eraseLinks } from './person-store.ts';
