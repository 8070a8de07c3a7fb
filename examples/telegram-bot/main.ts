import { PhoneAuth } from '../../sdk/src/phone-auth.ts';
import { createExampleBot } from './bot.ts';

const { TELEGRAM_BOT_TOKEN: token, FIRSTPROOF_API_KEY: apiKey, FIRSTPROOF_URL: baseUrl } = process.env;
if (!token || !apiKey) {
  console.error(
    'Set TELEGRAM_BOT_TOKEN (of @BotFather) and FIRSTPROOF_API_KEY (scope service): see README.md.',
  );
  process.exit(2);
}
const auth = new PhoneAuth({ baseUrl: baseUrl ?? 'http://localhost:3000', apiKey });
const onFault = (fault: unknown) => console.error(fault instanceof Error ? fault.message : fault);
const bot = createExampleBot({ token, auth, onFault });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void bot.stop());
await bot.start({ onStart: ({ username }) => console.log(`https://t.me/${username} is ready.`) });
