import type { Issue } from '../../kernel/errors.ts';
import type { ImportedUser } from '../../users/users.ts';

/** About 60 MB. Past that the database alone knows, and the reason says "here already" instead of the line. */
const MOST_REMEMBERED = 500_000;

/**
 * Remembers whose line each address and username of the file stood in, so that a repeated one is told with it.
 * @param all remembers without bound: a dry run writes nothing that the database could know
 */
export function createSeen(all: boolean): { issuesOf(user: ImportedUser, line: number): Issue[] } {
  const lines = new Map<string, number>();
  return {
    issuesOf(user, line) {
      const keys = new Map(
        user.identities.map(({ kind, value }) => [
          `${kind}:${value}`,
          `/${kind === 'telegram' ? 'telegram_user_id' : kind}`,
        ]),
      );
      if (user.username !== null) keys.set(`username:${user.username.toLowerCase()}`, '/username');
      const issues = [...keys].flatMap(([key, path]): Issue[] => {
        const earlier = lines.get(key);
        return earlier === undefined ? [] : [{ path, message: `stands in line ${earlier} already` }];
      });
      if (issues.length === 0 && (all || lines.size < MOST_REMEMBERED)) {
        for (const key of keys.keys()) lines.set(key, line);
      }
      return issues;
    },
  };
}
