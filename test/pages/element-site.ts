import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { serveExample } from '../../examples/embedded/serve.ts';
import type { TestApp, TestAppOptions } from '../create-test-app.ts';
import { createPagesApp, openContext, startBrowser } from './browser.ts';

/** What the page is told when somebody is signed in. */
interface Told {
  access_token: string;
  is_new_user: boolean;
  user: { custom_fields: Record<string, unknown> };
}

export interface ElementSite {
  app: TestApp;
  /** Where the built client lies. */
  client: string;
  /** The example's page, another origin than the server's: what a customer's page is. */
  open(
    attributes?: Record<string, string>,
    options?: BrowserContextOptions,
  ): Promise<{
    context: BrowserContext;
    page: Page;
    /** The `detail` of the first `firstproof-signed-in`. */
    answer: Promise<Told>;
    /** The languages that were fetched so far, English aside. */
    languages: string[];
  }>;
  /** The address of the example's page. */
  pageOf(server: string, attributes?: Record<string, string>): string;
  /** A browser's empty page. */
  openBare(): Promise<{ context: BrowserContext; page: Page }>;
  close(): Promise<void>;
}

/** A server, the client as `tsc` builds it, the example's page on a port of its own, and a browser. */
export async function createElementSite(options: TestAppOptions = {}): Promise<ElementSite> {
  const root = join(import.meta.dirname, '../..');
  const client = mkdtempSync(join(tmpdir(), 'firstproof-element-'));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const [browser, app] = await Promise.all([
    startBrowser(),
    createPagesApp(options),
    promisify(execFile)(process.execPath, [tsc, '-p', join(root, 'sdk'), '--outDir', client]),
  ]);
  const site = await serveExample(0, client);
  const { port } = site.address() as AddressInfo;
  const pageOf = (server: string, more: Record<string, string> = {}): string =>
    `http://localhost:${port}/?${new URLSearchParams({ server, ...more }).toString()}`;

  return {
    app,
    client,
    pageOf,
    openBare: () => openContext(browser, app),
    async open(attributes = {}, contextOptions = {}) {
      const { context, page } = await openContext(browser, app, contextOptions);
      const languages: string[] = [];
      page.on('request', (request) => {
        const [, language] = /languages\/(\w+)\.js$/.exec(request.url()) ?? [];
        if (language !== undefined && language !== 'en') languages.push(language);
      });
      await page.goto(pageOf(app.url.replace('127.0.0.1', 'localhost'), attributes));
      await page.locator('firstproof-sign-in h2').waitFor();
      const answer = page.evaluate<Told>(
        "new Promise((resolve) => document.querySelector('firstproof-sign-in').addEventListener('firstproof-signed-in', (event) => resolve(event.detail)))",
      );
      // A test that signs nobody in closes its page without one.
      answer.catch(() => undefined);
      return { context, page, answer, languages };
    },
    async close() {
      site.closeAllConnections();
      site.close();
      rmSync(client, { recursive: true, force: true });
      await browser.close();
      await app.close();
    },
  };
}
