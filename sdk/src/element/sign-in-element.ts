import { FirstproofError } from '../errors.ts';
import { type Captcha, createTransport } from '../transport.ts';
import { type Calls, createCalls, type TelegramLink, type Ways } from './calls.ts';
import { countDown } from './count-down.ts';
import { make } from './dom.ts';
import { followLink } from './follow-link.ts';
import { en } from './languages/en.ts';
import { buttonOf, keepTyped, markFields } from './parts.ts';
import { createPersonCheck } from './person-check.ts';
import { problemOf } from './problems.ts';
import type { CodeScreen, Draft, Screen, Stage } from './screens.ts';
import { style } from './style.ts';
import { viewOf } from './views.ts';
import { startingScreen } from './ways.ts';
import { type ElementWords, elementWords, spokenOf } from './words.ts';

const RIGHT_TO_LEFT = new Set(['fa', 'ar', 'he', 'ur']);
const sheet = new CSSStyleSheet();
sheet.replaceSync(style);

/**
 * `<firstproof-sign-in server="https://auth.example.com" tenant="school" language="fa">`: a whole sign-in within a page
 * of one's own. `firstproof-signed-in` carries what the server answered (tokens, user); the element keeps none of it.
 */
export class FirstproofSignIn extends HTMLElement {
  static readonly observedAttributes = [
    'server',
    'tenant',
    'language',
    'words',
    'with',
    'view',
    'token-style',
  ];
  /** Shows the CAPTCHA that is asked for, in place of the element, and gives its token; undefined gives up. */
  onCaptcha: ((captcha: Captcha) => Promise<string | undefined>) | undefined;
  readonly #root = this.attachShadow({ mode: 'open', delegatesFocus: true });
  #calls: Calls | undefined;
  #ways: Ways | undefined;
  #screen: Screen = { at: 'loading' };
  /** The language that is spoken, once its words are there. */
  #language = 'en';
  #spoken: ElementWords = en;
  readonly #draft: Draft = new Map();
  readonly #person = createPersonCheck(this);
  #lastCode: CodeScreen | undefined;
  /** Changes with every screen: what an earlier one still awaits no longer matters. */
  #turn = 0;
  /** Changes with every server and tenant. */
  #beginning = 0;

  connectedCallback(): void {
    this.#root.adoptedStyleSheets = [sheet];
    void this.#begin();
  }

  disconnectedCallback(): void {
    this.#beginning += 1;
    this.#turn += 1;
    this.#person.end();
  }

  attributeChangedCallback(name: string): void {
    if (!this.isConnected) return;
    if (name === 'language' || name === 'words') void this.#speak().then(() => this.#draw());
    else if (name !== 'with' && name !== 'view') void this.#begin();
    else if (this.#ways && 'way' in this.#screen && this.#screen.at !== 'reset') this.#start();
  }

  /** The language chosen, else the page's, else the browser's, else the tenant's. */
  get #wish(): string {
    const page = this.closest('[lang]')?.getAttribute('lang');
    return spokenOf([this.getAttribute('language'), page, ...navigator.languages, this.#ways?.locale]);
  }

  /** Fetches the words of the language that is wished for. Where they do not come, English is better than nothing. */
  async #speak(): Promise<void> {
    const wish = this.#wish;
    const words = await elementWords[wish]?.().catch(() => undefined);
    // Another was wished for meanwhile, and speaks for itself.
    if (wish !== this.#wish) return;
    this.#language = words ? wish : 'en';
    this.#spoken = words ?? en;
  }

  /** Words of the `words` attribute (JSON) stand in place of ours, one by one. */
  get #words(): ElementWords {
    try {
      return {
        ...this.#spoken,
        ...(JSON.parse(this.getAttribute('words') ?? '{}') as Partial<ElementWords>),
      };
    } catch {
      return this.#spoken;
    }
  }

  async #begin(): Promise<void> {
    const tenant = this.getAttribute('tenant');
    const call = createTransport({
      baseUrl: this.getAttribute('server') ?? location.origin,
      ...(tenant === null ? {} : { tenant }),
      onCaptcha: (captcha) =>
        this.onCaptcha?.(captcha) ?? this.#person.ask(captcha, this.#words, this.#language),
      onWork: () => this.#person.work(this.#words),
    });
    this.#calls = createCalls(call, this.getAttribute('token-style') === 'opaque' ? 'opaque' : 'jwt');
    const beginning = ++this.#beginning;
    this.#lastCode = undefined;
    this.#show({ at: 'loading' });
    // Most often the language does not wait for the tenant's.
    const speaking = this.#speak();
    try {
      const ways = await this.#calls.ways();
      await speaking;
      if (beginning !== this.#beginning) return;
      this.#ways = ways;
      await this.#speak();
      if (beginning !== this.#beginning) return;
      this.#start();
      this.#tell('ready', { tenant: ways.tenant });
    } catch (fault) {
      await speaking;
      if (beginning === this.#beginning) this.#fail(fault, { at: 'away' });
    }
  }

  #start(): void {
    if (this.#ways)
      this.#show(startingScreen(this.#ways, this.getAttribute('view'), this.getAttribute('with')));
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(`firstproof-${name}`, { detail, bubbles: true, composed: true }));
  }

  /** Says what went wrong, beside the fields where it belongs and above the form, and says it to the page. */
  #fail(fault: unknown, screen: Screen): void {
    this.#person.end();
    const code = fault instanceof FirstproofError ? fault.code : 'NETWORK';
    const isGone = code === 'TOKEN_INVALID' || code === 'TOKEN_EXPIRED';
    if (screen.at === 'second-proof' && isGone) {
      const gone = new FirstproofError('VERIFICATION_NOT_FOUND', 404, '', {});
      return this.#fail(gone, screen.from);
    }
    if (screen.at === 'reset' && isGone) {
      if (screen.after) return this.#show({ at: 'done', signedIn: screen.after });
      return this.#fail(fault, { at: 'forgot', way: screen.way });
    }
    // A form keeps what was typed; a code that was wrong is typed anew.
    if (screen !== this.#screen || screen.at === 'code') this.#show(screen);
    const { text, fields } = problemOf(fault, this.#words, this.#language);
    const { first, isAll } = markFields(this.#root, fields);
    const alert = this.#root.querySelector<HTMLElement>('.alert');
    const isToldAbove = fields.size !== 1 || !isAll;
    if (alert) {
      alert.textContent = isToldAbove ? text : '';
      alert.hidden = !isToldAbove;
    }
    first?.focus();
    this.#tell('error', { code, message: text });
  }

  #show(screen: Screen): void {
    const isNew = screen.at !== this.#screen.at && this.#screen.at !== 'loading';
    this.#screen = screen;
    const turn = ++this.#turn;
    this.#person.end();
    this.#draw();
    if (isNew) this.#root.querySelector<HTMLElement>('input, .button')?.focus();
    if (screen.at === 'link') void this.#follow(screen.link, turn);
    if (screen.at === 'code') {
      this.#lastCode = screen;
      const isOver = (): boolean => turn !== this.#turn;
      countDown(this.#root, screen.resendAt, () => this.#words, isOver);
    }
    if (screen.at === 'done') {
      // What was typed is nobody else's to see.
      this.#draft.clear();
      this.#lastCode = undefined;
      this.#tell('signed-in', screen.signedIn);
    }
  }

  /** Draws the screen anew, in the language that is spoken. */
  #draw(): void {
    const form = this.#root.querySelector('form');
    if (form) keepTyped(form, this.#draft);
    const direction = RIGHT_TO_LEFT.has(this.#language) ? 'rtl' : 'ltr';
    this.setAttribute('dir', direction);
    const alert = make('p', { class: 'alert', part: 'alert', role: 'alert', hidden: true });
    const view =
      this.#screen.at === 'loading' ? [make('p', { class: 'soft', role: 'status' }, '…')] : undefined;
    this.#root.replaceChildren(
      make(
        'div',
        { class: 'card', part: 'card', lang: this.#language, dir: direction },
        ...(view ?? this.#view(alert) ?? [alert, buttonOf(this.#words.again, () => void this.#begin())]),
      ),
    );
    if (alert.isConnected) alert.after(this.#person.box);
  }

  #view(alert: HTMLElement): Node[] | undefined {
    const ways = this.#ways;
    if (!ways) return undefined;
    const stage: Stage = {
      words: this.#words,
      language: this.#language,
      ways,
      draft: this.#draft,
      lastCode: this.#lastCode,
      show: (screen) => this.#show(screen),
      start: () => this.#start(),
      go: (step) => this.#go(step),
    };
    return viewOf(this.#screen, stage, alert);
  }

  /** Goes where a step leads, unless the person has gone elsewhere. What it throws is told where it began. */
  async #go(step: (calls: Calls) => Promise<Screen>): Promise<void> {
    const screen = this.#screen;
    const turn = this.#turn;
    if (!this.#calls) return;
    try {
      const next = await step(this.#calls);
      if (turn !== this.#turn) return;
      this.#show(next);
      if (next.at !== 'code') return;
      this.#tell('code-sent', { channel: next.sent.channel, destination: next.sent.destination });
      const spoken = this.#root.querySelector('.spoken');
      if (spoken && next.isResent) spoken.textContent = this.#words.resent;
    } catch (fault) {
      if (turn === this.#turn) this.#fail(fault, screen);
    }
  }

  async #follow(link: TelegramLink, turn: number): Promise<void> {
    if (!this.#calls) return;
    const opened = (): void => {
      const told = this.#root.querySelector('[data-state]');
      if (told) told.textContent = this.#words.opened;
    };
    try {
      const done = await followLink(this.#calls, link, () => turn !== this.#turn, opened);
      if (done && turn === this.#turn) this.#show({ at: 'done', signedIn: done });
    } catch (fault) {
      if (turn === this.#turn) this.#fail(fault, { at: 'address', way: 'telegram', byPassword: false });
    }
  }
}

if (!customElements.get('firstproof-sign-in')) customElements.define('firstproof-sign-in', FirstproofSignIn);
