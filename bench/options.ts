import { parseArgs } from 'node:util';

/** The parts of a run that can be asked for one by one. */
export const sections = [
  'sign-up',
  'sign-up-phone',
  'sign-in',
  'session-check',
  'refresh',
  'processes',
  'users',
  'start',
] as const;
export type Section = (typeof sections)[number];

/** What the command line asks for. */
export interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
  readonly connections: number;
  readonly sessions: number;
  readonly users: number | undefined;
  readonly only: readonly Section[];
  readonly markdown: string | undefined;
}

/** The text of --help. */
export const help = `npm run bench -- [options]

  --rounds N        rounds per scenario, interleaved (3)
  --seconds N       length of a round (5)
  --warm-up N       seconds of warm-up per server and scenario (2)
  --connections N   concurrent keep-alive connections (32)
  --sessions N      accounts that sign in again, and live sessions that are checked (1000)
  --users N         also store N accounts and compare sign-in with 1,000 stored (e.g. 1000000)
  --only LIST       ${sections.join(',')}
  --markdown FILE   write the report to a file instead of stdout
`;

function readNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!(value >= least) || !Number.isFinite(value))
    throw new Error(`--${name} takes a number of at least ${least}`);
  return value;
}

/** Reads the command line. Throws an Error whose message tells the person what to write instead. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '2' },
      connections: { type: 'string', default: '32' },
      sessions: { type: 'string', default: '1000' },
      users: { type: 'string' },
      only: { type: 'string' },
      markdown: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const only = (values.only ?? sections.join(',')).split(',').map((name) => {
    const section = sections.find((known) => known === name.trim());
    if (section === undefined) throw new Error(`--only takes a list of ${sections.join(', ')}`);
    return section;
  });
  const connections = readNumber('connections', values.connections, 1);
  return {
    rounds: readNumber('rounds', values.rounds, 1),
    seconds: readNumber('seconds', values.seconds, 0.1),
    warmUp: readNumber('warm-up', values['warm-up'], 0.1),
    connections,
    // Fewer accounts than connections would make two virtual users share an address.
    sessions: readNumber('sessions', values.sessions, connections),
    users: values.users === undefined ? undefined : readNumber('users', values.users, 1_000),
    only,
    markdown: values.markdown,
  };
}
