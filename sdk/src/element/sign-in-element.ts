import type { SignedIn, VerificationSent } from '../answers.ts';
import { FirstproofError } from '../errors.ts';
import { createTransport } from '../transport.ts';
import { type Calls, createCalls, type TelegramLink, type Way, type Ways } from './calls.ts';
import { make } from './dom.ts';
import { followLink } from './follow-link.ts';
import { buttonOf, markField } from './parts.ts';
import { problemOf } from './problems.ts';
import { style } from './style.ts';
import { addressView, codeView, linkView, waysOf } from './views.ts';
import { type ElementWords, elementWords } from './words.ts';

/** What the element shows. */
type Screen =
  | { at: 'loading' | 'away' | 'done' }
  | { at: 'address'; way: Way; byPassword: boolean }
  | { at: 'code'; sent: VerificationSent; id: string; resendAt: number }
  | { at: 'link'; link: TelegramLink };

const RIGHT_TO_LEFT = new Set(['fa', 'ar', 'he', 'ur']);
const sheet = new CSSStyleSheet();
sheet.replaceSync(style);

/**
 * `<firstproof-sign-in server="https://auth.example.com" tenant="school" language="fa">`: a whole sign-in within a page
 * of one's own. `firstproof-signed-in` carries what the server answered (tokens, user); the element keeps none of it.
 */
export class FirstproofSignIn extends HTMLElement {
  static readonly observedAttributes = ['server', 'tenant', 'language', 'words', 'with', 'token-style'];
  readonly #root = this.attachShadow({ mode: 'open', delegatesFocus: true });
  #calls: Calls | undefined;
  #ways: Ways | undefined;
  #screen: Screen = { at: 'loading' };
  /** What was typed, so that going back loses nothing; never a password or a code. */
  readonly #typed = new Map<Way, string>();
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
  }

  attributeChangedCallback(name: string): void {
    if (!this.isConnected) return;
    if (name === 'language' || name === 'words') this.#show(this.#screen);
    else if (name !== 'with') void this.#begin();
    else if (this.#screen.at === 'address') this.#start();
  }

  /** The language chosen, else the page's, else the browser's, else the tenant's. */
  get #language(): string {
    const page = this.closest('[lang]')?.getAttribute('lang');
    const wishes = [this.getAttribute('language'), page, ...navigator.languages, this.#ways?.locale];
    for (const wish of wishes) {
      const language = (wish ?? '').toLowerCase().split('-')[0] ?? '';
      if (language in elementWords) return language;
    }
    return 'en';
  }

  /** Words of the `words` attribute (JSON) stand in place of ours, one by one. */
  get #words(): ElementWords {
    const words = elementWords[this.#language] as ElementWords;
    try {
      return { ...words, ...(JSON.parse(this.getAttribute('words') ?? '{}') as Partial<ElementWords>) };
    } catch {
      return words;
    }
  }

  async #begin(): Promise<void> {
    const tenant = this.getAttribute('tenant');
    const call = createTransport({
      baseUrl: this.getAttribute('server') ?? location.origin,
      ...(tenant === null ? {} : { tenant }),
    });
    this.#calls = createCalls(call, this.getAttribute('token-style') === 'opaque' ? 'opaque' : 'jwt');
    const beginning = ++this.#beginning;
    this.#show({ at: 'loading' });
    try {
      const ways = await this.#calls.ways();
      if (beginning !== this.#beginning) return;
      this.#ways = ways;
      this.#start();
      this.#tell('ready', { tenant: ways.tenant });
    } catch (fault) {
      if (beginning === this.#beginning) this.#fail(fault, { at: 'away' });
    }
  }

  #start(byPassword = this.#ways?.by_code.length === 0): void {
    const open = waysOf(this.#ways, byPassword);
    const wish = this.getAttribute('with');
    const way = open.find((each) => each === wish) ?? open[0];
    this.#show(way === undefined ? { at: 'away' } : { at: 'address', way, byPassword });
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(`firstproof-${name}`, { detail, bubbles: true, composed: true }));
  }

  #done(signedIn: SignedIn): void {
    this.#show({ at: 'done' });
    this.#tell('signed-in', signedIn);
  }

  /** Shows what went wrong on a screen, beside the field where it belongs, and says it to the page. */
  #fail(fault: unknown, screen: Screen): void {
    this.#show(screen);
    const { text, ofField } = problemOf(fault, this.#words, this.#language);
    const field = this.#root.querySelector('input');
    if (ofField && field) markField(field, text);
    else {
      const alert = this.#root.querySelector<HTMLElement>('.alert');
      if (alert) {
        alert.textContent = text;
        alert.hidden = false;
      }
      field?.focus();
    }
    const code = fault instanceof FirstproofError ? fault.code : 'NETWORK';
    this.#tell('error', { code, message: text });
  }

  /** Replaces what is seen. @returns its turn */
  #show(screen: Screen): number {
    const isNew = screen.at !== this.#screen.at && this.#screen.at !== 'loading';
    this.#screen = screen;
    const turn = ++this.#turn;
    const direction = RIGHT_TO_LEFT.has(this.#language) ? 'rtl' : 'ltr';
    this.setAttribute('dir', direction);
    const alert = make('p', { class: 'alert', part: 'alert', role: 'alert', hidden: true });
    this.#root.replaceChildren(
      make(
        'div',
        { class: 'card', part: 'card', lang: this.#language, dir: direction },
        ...this.#view(screen, alert),
      ),
    );
    if (isNew) this.#root.querySelector<HTMLElement>('input, .button')?.focus();
    if (screen.at === 'code') this.#countDown(screen.resendAt, turn);
    if (screen.at === 'link') void this.#follow(screen.link, turn);
    return turn;
  }

  #view(screen: Screen, alert: HTMLElement): Node[] {
    const words = this.#words;
    const ways = this.#ways;
    switch (screen.at) {
      case 'loading':
        return [make('p', { class: 'soft', role: 'status' }, '…')];
      case 'done':
        return [make('p', { part: 'done', role: 'status' }, words.done)];
      case 'address': {
        const { way, byPassword } = screen;
        if (!ways) break;
        const view = {
          words,
          ways,
          way,
          byPassword,
          typed: this.#typed.get(way),
          choose: (other: Way, isPassword: boolean) =>
            void this.#show({ at: 'address', way: other, byPassword: isPassword }),
          beginLink: () => void this.#try(() => this.#beginLink()),
          submit: (typed: string, password: string) =>
            this.#try(() => this.#submitAddress(screen, typed, password)),
        };
        return addressView(view, alert);
      }
      case 'code': {
        const submit = (code: string): Promise<void> => this.#try(() => this.#verify(screen, code));
        const resend = (): void => void this.#try(() => this.#resend(screen));
        return codeView({ words, sent: screen.sent, submit, resend, back: () => this.#start() }, alert);
      }
      case 'link':
        return linkView({ words, link: screen.link, back: () => this.#start() }, alert);
      case 'away':
    }
    return [alert, buttonOf(words.again, () => void this.#begin())];
  }

  /** Runs what a press began. What it throws is shown on the same screen, unless the person has gone on. */
  async #try(run: () => Promise<void>): Promise<void> {
    const screen = this.#screen;
    const turn = this.#turn;
    try {
      await run();
    } catch (fault) {
      if (turn === this.#turn) this.#fail(fault, screen);
    }
  }

  async #submitAddress(
    { way, byPassword }: Extract<Screen, { at: 'address' }>,
    typed: string,
    password: string,
  ): Promise<void> {
    this.#typed.set(way, typed);
    const address = { [way === 'telegram' ? 'telegram_user_id' : way]: typed };
    if (byPassword) return this.#logIn(address, password);
    const turn = this.#turn;
    const sent = await this.#calls?.send(address, this.#language);
    if (sent && turn === this.#turn) this.#sent(sent);
  }

  #sent(sent: VerificationSent, id = sent.verification_id ?? ''): void {
    this.#show({ at: 'code', sent, id, resendAt: performance.now() + sent.resend_in * 1000 });
    this.#tell('code-sent', { channel: sent.channel, destination: sent.destination });
  }

  async #logIn(address: Record<string, string>, password: string): Promise<void> {
    const turn = this.#turn;
    try {
      const done = await this.#calls?.login({ ...address, password });
      if (done && turn === this.#turn) this.#done(done);
    } catch (fault) {
      const details = fault instanceof FirstproofError ? fault.details : {};
      const id = details.verification_id;
      if (id === undefined || turn !== this.#turn) throw fault;
      // An address that waits for its proof: its code is on the way.
      const [destination = ''] = Object.values(address);
      const { expires_in = 0, resend_in = 0, channel = 'email' in address ? 'email' : 'sms' } = details;
      const known = { success: true, message: '', code_length: 0, attempts_left: 5 } as const;
      this.#sent({ ...known, channel, destination, expires_in, resend_in }, id);
    }
  }

  async #verify({ id }: Extract<Screen, { at: 'code' }>, code: string): Promise<void> {
    const turn = this.#turn;
    const done = await this.#calls?.verify(id, code);
    if (done && turn === this.#turn) this.#done(done);
  }

  async #resend({ id }: Extract<Screen, { at: 'code' }>): Promise<void> {
    const turn = this.#turn;
    const sent = await this.#calls?.resend(id);
    if (!sent || turn !== this.#turn) return;
    this.#sent(sent, sent.verification_id ?? id);
    const spoken = this.#root.querySelector('.spoken');
    if (spoken) spoken.textContent = this.#words.resent;
  }

  #countDown(resendAt: number, turn: number): void {
    const button = this.#root.querySelector<HTMLButtonElement>('[data-resend]');
    if (!button || turn !== this.#turn) return;
    const left = Math.ceil((resendAt - performance.now()) / 1000);
    button.disabled = left > 0;
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    button.textContent = left > 0 ? this.#words.resendIn.replace('{time}', clock) : this.#words.resend;
    if (left > 0) setTimeout(() => this.#countDown(resendAt, turn), 500);
  }

  async #beginLink(): Promise<void> {
    const turn = this.#turn;
    const link = await this.#calls?.beginLink();
    if (link && turn === this.#turn) this.#show({ at: 'link', link });
  }

  async #follow(link: TelegramLink, turn: number): Promise<void> {
    if (!this.#calls) return;
    const opened = (): void => {
      const told = this.#root.querySelector('[data-state]');
      if (told) told.textContent = this.#words.opened;
    };
    try {
      const done = await followLink(this.#calls, link, () => turn !== this.#turn, opened);
      if (done && turn === this.#turn) this.#done(done);
    } catch (fault) {
      if (turn === this.#turn) this.#fail(fault, { at: 'address', way: 'telegram', byPassword: false });
    }
  }
}

if (!customElements.get('firstproof-sign-in')) customElements.define('firstproof-sign-in', FirstproofSignIn);
