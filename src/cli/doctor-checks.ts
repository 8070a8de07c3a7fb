import type { Database } from '../db/database.ts';

/** Settings without which an acknowledged write may be lost (PostgreSQL manual, "Reliability"). */
export async function checkDurability(databases: readonly Database[]): Promise<string[]> {
  const sentences: string[] = [];
  for (const database of databases) {
    const [row] = await database.sql<
      { fsync: string; full_page_writes: string; synchronous_commit: string }[]
    >`
      select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
        current_setting('synchronous_commit') as synchronous_commit`;
    for (const [setting, value] of Object.entries(row ?? {})) {
      if (value === 'off') sentences.push(`Database "${database.name}" has ${setting}=off.`);
    }
  }
  return sentences;
}
