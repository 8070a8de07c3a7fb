/** One thing asked of the server, in Jepsen's words: `unknown` may have happened, `ok` must have, `fail` must not. */
export type Outcome = 'ok' | 'fail' | 'unknown';

/** What one person did, as far as the answers told. */
export interface Life {
  address: { email: string } | { phone: string };
  to: string;
  /** Where the rows are. */
  market: 'control' | 'us' | 'uz';
  verificationId?: string | undefined;
  code?: string | undefined;
  verify?: Outcome;
  user?: { id: string; sessionId: string };
  access?: string;
  /** Refresh tokens by counter, as far as they were answered. */
  refresh: string[];
  /** A refresh whose answer was lost: the counter may be one further. */
  refreshUnknown?: boolean;
  signOut?: Outcome;
}

/** Everything that was acknowledged, and what should never have been answered. */
export interface History {
  lives: Life[];
  acknowledged: number;
  unknown: number;
  /** Answers that no crash explains: a 500, a right code refused, a live token refused. */
  wrong: string[];
}

/** A life in few words, for a report. */
export function describe({ to, verify, signOut, user, refresh, refreshUnknown }: Life): string {
  const refreshed = `${Math.max(0, refresh.length - 1)}${refreshUnknown ? ' or one more' : ''}`;
  return `${to}, proof ${verify ?? 'not tried'}, user ${user?.id ?? 'none'}, refreshed ${refreshed}, sign-out ${signOut ?? 'not tried'}`;
}

export function newHistory(): History {
  return { lives: [], acknowledged: 0, unknown: 0, wrong: [] };
}
