import { rmSync } from 'node:fs';
import { createTestApp, TEST_SECRET, type TestApp } from '../create-test-app.ts';
import { makeFolder, type Ran, runCli } from './run-cli.ts';

/** A server, and the command line on its databases, as an operator uses it beside a running server. */
export interface BesideServer {
  app: TestApp;
  /** Where the program runs: empty at first. */
  folder: string;
  env: Record<string, string>;
  cli(words: readonly string[]): Promise<Ran>;
  close(): Promise<void>;
}

export async function createBesideServer(options: { start?: Date } = {}): Promise<BesideServer> {
  const app = await createTestApp(options);
  const folder = makeFolder();
  const env = {
    DATABASE_URL: app.urls.get('control') ?? '',
    FIRSTPROOF_DATABASES: `us=${app.urls.get('us')},uz=${app.urls.get('uz')}`,
    FIRSTPROOF_PUBLIC_URL: 'https://auth.test',
    FIRSTPROOF_SECRET: TEST_SECRET,
  };
  return {
    app,
    folder,
    env,
    cli: (words) => runCli(words, { cwd: folder, env }),
    async close() {
      await app.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
