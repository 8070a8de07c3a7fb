/** The words of a code message in one language. `{{code}}`, `{{tenant}}` and `{{minutes}}` are filled in. */
interface CodeWords {
  /** One SMS segment: within 160 GSM-7 characters, or 70 where the script needs UCS-2. */
  sms: string;
  subject: string;
  greeting: string;
  intro: string;
  expiry: string;
  advice: string;
}

const english: CodeWords = {
  sms: '{{code}} is your {{tenant}} code. Do not share it with anyone.',
  subject: '{{code}} is your {{tenant}} code',
  greeting: 'Hello,',
  intro: 'use this code to sign in to {{tenant}}:',
  expiry: 'It works for {{minutes}} minutes, once.',
  advice: 'Nobody from {{tenant}} will ever ask you for it. If you did not ask for it, ignore this message.',
};

const words: Record<string, CodeWords> = {
  en: english,
  ru: {
    sms: '{{code}} - код {{tenant}}. Никому его не сообщайте.',
    subject: '{{code}} — ваш код {{tenant}}',
    greeting: 'Здравствуйте!',
    intro: 'Код для входа в {{tenant}}:',
    expiry: 'Действует {{minutes}} мин., один раз.',
    advice: 'Никто из {{tenant}} никогда его не спросит. Если вы его не запрашивали, ничего не делайте.',
  },
  uz: {
    sms: '{{code}} - {{tenant}} kodingiz. Uni hech kimga aytmang.',
    subject: '{{code}} — {{tenant}} kodingiz',
    greeting: 'Assalomu alaykum!',
    intro: '{{tenant}}ga kirish uchun kod:',
    expiry: 'U {{minutes}} daqiqa, bir marta ishlaydi.',
    advice: '{{tenant}} xodimlari kodni hech qachon soʻramaydi. Siz soʻramagan boʻlsangiz, eʼtibor bermang.',
  },
  fa: {
    sms: 'کد {{tenant}}: {{code}}\nآن را به کسی ندهید.',
    subject: 'کد {{tenant}} شما: {{code}}',
    greeting: 'سلام،',
    intro: 'کد ورود به {{tenant}}:',
    expiry: 'این کد {{minutes}} دقیقه و فقط یک بار کار می‌کند.',
    advice: 'هیچ‌کس از {{tenant}} این کد را از شما نمی‌خواهد. اگر درخواست نکرده‌اید، این پیام را نادیده بگیرید.',
  },
  am: {
    sms: '{{code}} የ{{tenant}} ኮድዎ ነው። ለማንም አይንገሩ።',
    subject: '{{code}} የ{{tenant}} ኮድዎ ነው',
    greeting: 'ሰላም፣',
    intro: 'ወደ {{tenant}} ለመግባት ይህን ኮድ ይጠቀሙ፦',
    expiry: 'ለ{{minutes}} ደቂቃ፣ አንድ ጊዜ ብቻ ይሠራል።',
    advice: 'ከ{{tenant}} ማንም ይህን ኮድ አይጠይቅዎትም። እርስዎ ካልጠየቁ ይህን መልእክት ችላ ይበሉ።',
  },
};

/** Languages that code messages are written in. */
export const messageLocales: readonly string[] = Object.keys(words);

export interface CodeMessage {
  locale: string;
  channel: string;
  code: string;
  tenantName: string;
  /** Seconds the code still lives. */
  expiresIn: number;
}

/** Renders the message that carries a code: an SMS text, or an e-mail with subject, text and HTML. */
export function renderCodeMessage(message: CodeMessage): {
  subject: string | null;
  text: string;
  html: string | null;
} {
  const chosen = words[message.locale] ?? english;
  const values: Record<string, string> = {
    code: message.code,
    tenant: message.tenantName,
    minutes: String(Math.max(1, Math.floor(message.expiresIn / 60))),
  };
  const fill = (text: string): string =>
    text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);
  if (message.channel !== 'email') return { subject: null, text: fill(chosen.sms), html: null };

  const lines = [chosen.greeting, chosen.intro, message.code, chosen.expiry, chosen.advice].map(fill);
  const [greeting = '', intro = '', code = '', expiry = '', advice = ''] = lines.map(escapeHtml);
  const direction = message.locale === 'fa' ? 'rtl' : 'ltr';
  return {
    subject: fill(chosen.subject),
    text: lines.join('\n\n'),
    html: `<!doctype html>
<html lang="${escapeHtml(message.locale)}" dir="${direction}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
<div style="max-width:480px;margin:0 auto">
<p>${greeting}</p>
<p>${intro}</p>
<p style="font-size:32px;font-weight:700;letter-spacing:.12em;margin:24px 0" dir="ltr">${code}</p>
<p>${expiry}</p>
<p style="opacity:.75;font-size:14px">${advice}</p>
</div>
</body>
</html>`,
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
