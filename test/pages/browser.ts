import chromium from '@sparticuz/chromium';
import axe from 'axe-core';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium as playwright,
  type Page,
} from 'playwright-core';
import { createTestApp, type TestApp, type TestAppOptions } from '../create-test-app.ts';
import { freePort } from '../free-port.ts';

/**
 * Made for running programs in, Chromium comes with switches that no person's browser has. In one process, closing the
 * first page would end it; without web security it would ask nobody whether a page may call another origin.
 */
const UNLIKE_PEOPLES = [
  '--single-process',
  '--no-zygote',
  '--disable-web-security',
  '--allow-running-insecure-content',
];

/** A real Chromium, as it comes from npm. */
export async function startBrowser(): Promise<Browser> {
  return playwright.launch({
    args: chromium.args.filter((argument) => !UNLIKE_PEOPLES.includes(argument)),
    executablePath: await chromium.executablePath(),
    headless: true,
  });
}

/** A server that knows by which address the browser reaches it. */
export async function createPagesApp(options: TestAppOptions = {}): Promise<TestApp> {
  const port = await freePort();
  return createTestApp({ ...options, port, publicUrl: `http://localhost:${port}` });
}

/** One person's browser: its own cookies; nothing that is asked of another host is answered. */
export async function openContext(
  browser: Browser,
  app: TestApp,
  options: BrowserContextOptions = {},
): Promise<{ context: BrowserContext; page: Page; foreign: string[] }> {
  const context = await browser.newContext({ baseURL: urlOf(app), locale: 'en-US', ...options });
  const page = await context.newPage();
  // A machine that does much else is slow; nothing here is about time.
  page.setDefaultTimeout(40_000);
  const foreign: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(urlOf(app)) && !request.url().startsWith('data:'))
      foreign.push(request.url());
  });
  return { context, page, foreign };
}

/** By the name that the server's public URL has. */
function urlOf(app: TestApp): string {
  return app.url.replace('127.0.0.1', 'localhost');
}

/** The code in the form on the page: typed, which sends it where scripts run. */
export async function typeCode(page: Page, code: string, script = true): Promise<void> {
  await page.locator('#field-code').fill(code);
  if (!script) await page.getByRole('button', { name: /continue/i }).click();
}

interface AxeResult {
  violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
}

/** What axe-core has against the page as it stands: a line each. */
export async function violationsOf(page: Page): Promise<string[]> {
  const found = (await page.evaluate(
    `${axe.source}; axe.run(document, { resultTypes: ['violations'] })`,
  )) as AxeResult;
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
  );
}
