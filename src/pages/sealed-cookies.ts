import { openText, randomToken } from '../kernel/secrets.ts';
import { cookieName, cookiesNamed, readCookie } from '../web/cookies.ts';
import { textOf } from './context.ts';
import { setCookie, type Visit } from './visit.ts';

/** What is kept, under the name by which pages speak of it: a few characters that open nothing by themselves. */
export interface Named<T> {
  id: string;
  flow: T;
}

/** Something under way, kept in the browser: sealed, one cookie for each, so that two tabs never mix. */
export interface SealedCookies<T> {
  /** @returns its name; with `id` what was kept under it is replaced. */
  keep(visit: Visit, flow: T, id?: string): string;
  drop(visit: Visit, id: string): void;
  /** The one that the page's address names, else the only one there is. */
  find(visit: Visit): Named<T> | undefined;
  /** The one of this name. */
  open(visit: Visit, id: string): T | undefined;
  /** All of this browser, the newest first. */
  all(visit: Visit): Named<T>[];
}

interface Sealed<T> {
  flow: T;
  base: string;
  until: number;
}

/** @param options.name of the cookies, before each one's own; `most`: older ones go */
export function sealedCookies<T>(options: {
  name: string;
  most: number;
  lifeSeconds: number;
}): SealedCookies<T> {
  const { name, most, lifeSeconds } = options;
  const prefix = `firstproof-${name}-`;
  const contextOf = (visit: Visit, id: string): string => `page-${name}:${visit.site.base}:${id}`;

  function read(visit: Visit, id: string): Sealed<T> | undefined {
    if (!/^[\w-]{8}$/.test(id)) return undefined;
    const { context, site, request } = visit;
    const value = readCookie(request.headers.cookie ?? '', cookieName(prefix + id, visit.secure));
    if (!value) return undefined;
    const text = openText(context.secrets, Buffer.from(value, 'base64url'), contextOf(visit, id));
    // Cut, changed, of another flow, or sealed with a secret that is gone: the person starts again.
    if (text === undefined) return undefined;
    const sealed = JSON.parse(text) as Sealed<T>;
    const isOurs = sealed.base === site.base && sealed.until > context.clock.now().getTime();
    return isOurs ? sealed : undefined;
  }

  function all(visit: Visit): Named<T>[] {
    const begin = cookieName(prefix, visit.secure);
    return cookiesNamed(visit.request.headers.cookie ?? '', begin)
      .flatMap((cookie) => {
        const id = cookie.slice(begin.length);
        const sealed = read(visit, id);
        return sealed ? [{ id, ...sealed }] : [];
      })
      .sort((left, right) => right.until - left.until)
      .map(({ id, flow }) => ({ id, flow }));
  }

  const drop = (visit: Visit, id: string): void => setCookie(visit, prefix + id, '', 0);
  const open = (visit: Visit, id: string): T | undefined => read(visit, id)?.flow;

  return {
    keep(visit, flow, id = randomToken(6)) {
      const now = visit.context.clock.now().getTime();
      const sealed: Sealed<T> = { flow, base: visit.site.base, until: now + lifeSeconds * 1000 };
      const value = visit.context.secrets
        .seal(JSON.stringify(sealed), contextOf(visit, id))
        .toString('base64url');
      const others = all(visit).filter((other) => other.id !== id);
      for (const { id: old } of others.slice(most - 1)) drop(visit, old);
      setCookie(visit, prefix + id, value, lifeSeconds);
      return id;
    },
    drop,
    open,
    find(visit) {
      const id = textOf(visit.form, 'flow') || textOf(visit.query, 'flow');
      if (id !== '') {
        const flow = open(visit, id);
        return flow && { id, flow };
      }
      const kept = all(visit);
      return kept.length === 1 ? kept[0] : undefined;
    },
    all,
  };
}
