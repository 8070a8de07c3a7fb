import type { Captcha } from '../transport.ts';
import { make } from './dom.ts';
import type { ElementWords } from './words.ts';

/** Where somebody shows that they are a person, before what they pressed goes on. */
export interface PersonCheck {
  /** To be put into each screen; it takes no room while nothing is asked. */
  box: HTMLElement;
  /** Shows a CAPTCHA. @returns its token; undefined once the person has gone elsewhere; throws where it does not load */
  ask(captcha: Captcha, words: ElementWords, language: string): Promise<string | undefined>;
  /** Says that the machine is at work. */
  work(words: ElementWords): void;
  end(): void;
}

/**
 * The CAPTCHA itself lies in the page and is only shown through a slot: providers look for their place in the
 * document, and their styles do not reach into a shadow root.
 */
export function createPersonCheck(host: HTMLElement): PersonCheck {
  const state = make('p', { id: 'person', role: 'status' });
  const box = make(
    'div',
    { class: 'person', part: 'person', role: 'group', tabindex: -1, 'aria-labelledby': 'person' },
    state,
    make('slot', { name: 'captcha' }),
  );
  let remove: (() => void) | undefined;
  let asked = 0;

  function end(): void {
    asked += 1;
    remove?.();
    remove = undefined;
    state.textContent = '';
    box.classList.remove('on');
  }

  function say(text: string): void {
    state.textContent = text;
    box.classList.add('on');
  }

  return {
    box,
    end,
    work: (words) => say(words.person),
    async ask(captcha, words, language) {
      end();
      const mine = asked;
      say(words.captchaLead);
      // Where it is told what is asked; the next tab is the CAPTCHA.
      box.focus();
      const { showCaptcha } = await import('./captcha.ts');
      if (mine !== asked) return undefined;
      const place = make('div', { slot: 'captcha' });
      host.append(place);
      try {
        return await new Promise<string | undefined>((resolve, reject) => {
          remove = () => {
            place.remove();
            resolve(undefined);
          };
          const width = box.clientWidth;
          showCaptcha(captcha, place, { isDark: isDark(host), isNarrow: width < 304, language }).then(
            resolve,
            reject,
          );
        });
      } finally {
        place.remove();
        if (mine === asked) box.focus();
      }
    },
  };
}

function isDark(host: HTMLElement): boolean {
  const scheme = getComputedStyle(host).colorScheme;
  if (!scheme.includes('dark')) return false;
  return !scheme.includes('light') || matchMedia('(prefers-color-scheme: dark)').matches;
}
