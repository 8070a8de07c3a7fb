import type { ElementWords } from './words.ts';

/** The button that asks for the code again: it tells how long that has to wait, and opens then. */
export function countDown(
  root: ParentNode,
  resendAt: number,
  wordsNow: () => ElementWords,
  isOver: () => boolean,
): void {
  const button = root.querySelector<HTMLButtonElement>('[data-resend]');
  if (!button || isOver()) return;
  const words = wordsNow();
  const left = Math.ceil((resendAt - performance.now()) / 1000);
  button.disabled = left > 0;
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
  button.textContent = left > 0 ? words.resendIn.replace('{time}', clock) : words.resend;
  if (left > 0) setTimeout(() => countDown(root, resendAt, wordsNow, isOver), 500);
}
