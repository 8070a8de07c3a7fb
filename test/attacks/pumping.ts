import { type Attack, inParallel, type Target, tally, wordOf } from './target.ts';

const NUMBERS = 5000;
const CALLERS = 1000;
const HOURS = 3;

/** Traffic pumping: codes to numbers whose owner earns by each message. */
export const pumping: Attack = {
  name: 'pumping',
  story: `${NUMBERS} numbers of one range from ${CALLERS} addresses, for ${HOURS} hours; then a whole country`,
  async run(target) {
    const range: number[] = [];
    for (let hour = 0; hour < HOURS; hour++) {
      range.push(await pump(target, (index) => `+1415555${String(index).padStart(4, '0')}`));
      if (hour < HOURS - 1) target.clock.advance(3600);
    }
    const mail = await target.ask('/api/v1/auth/send-verification', { email: 'not-pumped@example.com' });
    const elsewhere = await target.ask('/api/v1/auth/send-verification', { phone: '+998901234567' });
    // San Francisco's 415 alone: other area codes of +1 belong to a score of countries.
    const country = await pump(
      target,
      (index) => `+1415${200 + (index % 700)}${String(index).padStart(4, '0')}`,
    );
    const attack = 'pumping';
    return [
      { attack, figure: 'SMS to one range in its first hour', reached: range[0] ?? 0, most: 50 },
      {
        attack,
        figure: `SMS to one range in ${HOURS} hours`,
        reached: range.reduce((sum, one) => sum + one, 0),
        most: 50 * HOURS,
      },
      { attack, figure: 'SMS to one country in an hour, ranges changing', reached: country, most: 1000 },
      { attack, figure: 'e-mail meanwhile', reached: wordOf(mail) },
      { attack, figure: 'SMS to another country meanwhile', reached: wordOf(elsewhere) },
    ];
  },
};

async function pump(target: Target, numberOf: (index: number) => string): Promise<number> {
  const callers = Array.from({ length: CALLERS }, () => target.newCaller());
  const phones = Array.from({ length: NUMBERS }, (_, index) => numberOf(index));
  const answers = await inParallel(phones, 16, (phone, index) =>
    target.ask('/api/v1/auth/send-verification', { phone }, { from: callers[index % CALLERS] as string }),
  );
  return tally(answers.map(wordOf))['sent'] ?? 0;
}
