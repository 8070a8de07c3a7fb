import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Branding, brandOf, codeTemplates, templateNames } from '../../tenants/tenants.ts';
import { contrast, readableOn } from '../../kernel/colours.ts';
import { displayText } from './display-text.ts';
import { messageLocales, renderMessage, type TemplateContent } from './templates.ts';
import { sizeOfSms } from '../segments.ts';
import type { SmsAutofill } from './sms-text.ts';
import { minutesIn } from './words.ts';

function render(content: Partial<TemplateContent>, branding: Branding = {}) {
  const whole: TemplateContent = {
    template: 'sign_in_code',
    channel: 'email',
    locale: 'en',
    tenantName: 'Akilesiya',
    name: null,
    code: '482913',
    expiresIn: 300,
    ...content,
  };
  return renderMessage(whole, brandOf({ name: whole.tenantName, branding }));
}

const decode = (html: string): string =>
  html.replace(/&#(\d+);/g, (_whole, code: string) => String.fromCharCode(Number(code)));

const NAMES = [
  'A School of 20 signs',
  'Школа номер двадцать',
  'Yigirma harfli nomli',
  'دبیرستان بیست نویسه‌',
  'ሃያ ፊደላት ያሉት ትምህርት ቤት',
  '“Curly” – quoted…',
  '€'.repeat(100),
  'W'.repeat(100),
  'Ж'.repeat(100),
  '🎓'.repeat(50),
  '  \u202e ',
];
const FILLED = { host: 'sign-in.example.com', androidHash: 'FA+9qCX9VSu' };
const AUTOFILLS = [
  { host: null, androidHash: null },
  { ...FILLED, androidHash: null },
  { ...FILLED, host: null },
  FILLED,
  { ...FILLED, host: `${'a'.repeat(60)}.example.com` },
];

test('every built-in SMS in every language is one segment, whatever the name, the code and what phones fill in', () => {
  for (const locale of messageLocales)
    for (const template of templateNames)
      for (const tenantName of NAMES)
        for (const code of ['482913', '4829130000'])
          for (const autofill of AUTOFILLS) {
            const { text, subject, html } = render({
              ...{ template, locale, tenantName, channel: 'sms', code, autofill },
            });
            const at = `${template}.${locale} ${tenantName} ${autofill.host}: ${text}`;
            assert.equal(sizeOfSms(text).segments, 1, at);
            assert.deepEqual([subject, html], [null, null]);
            assert.doesNotMatch(text, /\{\{|undefined|null/, at);
            const carriesCode = codeTemplates.some((name) => name === template);
            if (carriesCode) assert.match(text, new RegExp(`(?<!\\d)${code}(?!\\d)`), at);
            else assert.doesNotMatch(text, /@sign-in|FA\+9|482913/, at);
          }
});

test('texts of Latin languages stay GSM-7, whatever marks the name has', () => {
  for (const locale of ['en', 'uz'])
    for (const template of templateNames) {
      const { text } = render({ template, locale, tenantName: 'O‘quv “Mark” – 1…', channel: 'sms' });
      assert.equal(sizeOfSms(text).encoding, 'GSM-7', text);
      assert.match(text, /O'quv "Mark" - 1\.\.\./);
    }
});

test('what phones fill in stands below every code, the page last, for a host of 20 signs and a code of six digits', () => {
  const host = 'sign-in.example.comm';
  for (const locale of messageLocales)
    for (const template of codeTemplates) {
      const sms = (autofill: SmsAutofill) =>
        render({ template, locale, tenantName: 'Akilesiya', channel: 'sms', autofill }).text;
      assert.match(sms({ host, androidHash: null }), /.\n@sign-in\.example\.comm #482913$/s, locale);
      assert.match(sms({ host: null, androidHash: 'FA+9qCX9VSu' }), /.\nFA\+9qCX9VSu$/s, locale);
      // Both together leave too little of 70 places for the longer texts: the page is what stays.
      const both = sms({ host: 'id.example.com', androidHash: 'FA+9qCX9VSu' });
      const isShort = template === 'sign_in_code' || ['en', 'uz'].includes(locale);
      if (isShort) assert.match(both, /.\nFA\+9qCX9VSu\n@id\.example\.com #482913$/s, both);
      else assert.match(both, /.\n@id\.example\.com #482913$/s, both);
    }
});

test('what does not fit goes in its order: the name is cut, the advice goes, then what phones read', () => {
  const sms = (tenantName: string, host: string, locale = 'ru') =>
    render({ locale, tenantName, channel: 'sms', autofill: { host, androidHash: null } }).text;
  assert.equal(
    sms('Академия наук', 'a.example'),
    '482913 — код Академия наук. Никому не сообщайте.\n@a.example #482913',
  );
  assert.equal(
    sms('Академия наук', 'auth.example.com'),
    '482913 — код Академия. Никому не сообщайте.\n@auth.example.com #482913',
  );
  assert.equal(
    sms('Академия наук', 'accounts.academy.example'),
    '482913 — код Академия наук.\n@accounts.academy.example #482913',
  );
  assert.equal(
    sms('Академия наук', `${'a'.repeat(60)}.example`),
    '482913 — код Академия наук. Никому не сообщайте.',
  );
});

test('a call says the code digit by digit, whoever wrote the words, and reads no address of a page aloud', () => {
  const said = render({ channel: 'voice', autofill: FILLED });
  assert.equal(said.text, '4, 8, 2, 9, 1, 3 is your Akilesiya code. Never share it.');
  const messages = { sign_in_code: { en: { sms: '{{tenant}}: {{code}}, {{code}}' } } };
  assert.equal(
    render({ channel: 'voice' }, { messages }).text,
    'Akilesiya: 4, 8, 2, 9, 1, 3, 4, 8, 2, 9, 1, 3',
  );
  const notice = {
    template: 'password_changed',
    code: null,
    details: { link: 'https://a.example/x' },
  } as const;
  assert.doesNotMatch(render({ channel: 'voice', ...notice }).text, /https/);
  assert.match(render({ channel: 'sms', ...notice }).text, / https:\/\/a\.example\/x$/);
});

test('a tenant’s own SMS keeps its words and gets the lines below', () => {
  const branding: Branding = { messages: { sign_in_code: { en: { sms: 'G {{code}}' } } } };
  assert.equal(
    render({ channel: 'sms', autofill: FILLED }, branding).text,
    'G 482913\nFA+9qCX9VSu\n@sign-in.example.com #482913',
  );
  assert.equal(render({ channel: 'telegram', autofill: FILLED }, branding).text, 'G 482913');
});

test('every e-mail has all its words, in both parts, in every language', () => {
  for (const locale of messageLocales) {
    for (const template of templateNames) {
      const carriesCode = codeTemplates.some((name) => name === template);
      const name = locale === 'fa' ? 'مریم' : 'Ada';
      const { subject, text, html } = render(
        { template, locale, name, code: carriesCode ? '482913' : null },
        { support_address: 'help@school.example' },
      );
      const at = `${template}.${locale}`;
      for (const part of [subject, text, html]) {
        assert.ok(part, at);
        assert.doesNotMatch(part, /\{\{|undefined|null/, at);
      }
      assert.match(text, new RegExp(name), at);
      assert.match(text, /help@school\.example/, at);
      assert.ok(html?.includes(`<html lang="${locale}" dir="${locale === 'fa' ? 'rtl' : 'ltr'}">`), at);
      assert.ok(html?.includes('prefers-color-scheme:dark') && html.includes('name="color-scheme"'), at);
      assert.equal(/https?:|<a |href=/.test(html ?? ''), false, `${at} has a link`);
      if (carriesCode) assert.match(text, /^482913$/m, at);
    }
  }
});

test('the code is one word in the HTML, drawn apart, and told to a screen reader digit by digit', () => {
  const { html } = render({});
  const box = /<div class="code"([^>]*)>([^<]*)<\/div>/.exec(html ?? '');
  assert.equal(box?.[2], '482913');
  assert.match(box?.[1] ?? '', /role="img" aria-label="Your code: 4 8 2 9 1 3" dir="ltr"/);
  assert.match(box?.[1] ?? '', /letter-spacing:8px/);
});

test('minutes follow the plural rules and digits of the language, and never fall to none', () => {
  const said = (locale: string, seconds: number): string => minutesIn(locale, seconds).replace('\u00a0', ' ');
  assert.deepEqual(
    [30, 60, 120, 300].map((seconds) => said('ru', seconds)),
    ['1 минуту', '1 минуту', '2 минуты', '5 минут'],
  );
  assert.deepEqual(
    [said('en', 60), said('en', 299), said('fa', 300), said('uz', 600)],
    ['1 minute', '4 minutes', '۵ دقیقه', '10 daqiqa'],
  );
});

test('what strangers typed never becomes markup, a link, a header or another placeholder', () => {
  const { subject, text, html } = render(
    { tenantName: 'Tom & <b>Jerry</b>\r\nBcc: evil@evil.example', name: '{{code}}<img src=x onerror=1>' },
    {},
  );
  assert.doesNotMatch(subject ?? '', /[\r\n]/);
  assert.doesNotMatch(html ?? '', /<img|<b>/);
  assert.match(decode(html ?? ''), /Hello <bdi>\{\{code\}\}<img src=x onerror=1><\/bdi>,/);
  assert.match(text, /^Hello \{\{code\}\}<img src=x onerror=1>,$/m);
});

test('a name that would become a link, or hides what it says, is not repeated: the greeting is neutral', () => {
  for (const name of [
    'You won! evil.example/win',
    'https://evil.example',
    'www.evil',
    'mail ada@evil.example',
    'x'.repeat(61),
    '\u202e\u200b',
    '',
  ]) {
    assert.match(render({ name }).text, /^Hello,$/m, name);
  }
  assert.equal(displayText('Ada\r\nBcc: x'), 'Ada Bcc: x');
  for (const name of ['J. R. R. Tolkien', 'ʻAlī', 'መሐመድ', "O'Neil-Smith", 'Анна-Мария']) {
    assert.match(render({ name }).text, new RegExp(`^Hello ${name},$`, 'm'));
  }
});

test('a tenant’s own words replace subject, sentence and SMS; the code stays on its own line', () => {
  const branding: Branding = {
    colours: { primary: '#ffcc00' },
    messages: {
      sign_in_code: {
        en: {
          subject: 'Gate {{code}}',
          text: 'Dear {{name}} & co,\n\nenter at <b>{{tenant}}</b>.',
          sms: 'G {{code}}',
        },
      },
    },
  };
  const { subject, text, html } = render({ name: 'Ada' }, branding);
  assert.equal(subject, 'Gate 482913');
  assert.match(text, /Dear Ada & co,\n\nenter at <b>Akilesiya<\/b>\.\n\n482913\n/);
  assert.match(html ?? '', /enter at &#60;b&#62;<bdi>Akilesiya<\/bdi>&#60;\/b&#62;\./);
  assert.match(html ?? '', /background:#ffcc00;color:#111111/);
  assert.equal(render({ channel: 'sms' }, branding).text, 'G 482913');
  assert.match(render({ locale: 'ru' }, branding).subject ?? '', /ваш код/);
});

test('where no name is known, a tenant’s own words do without it and its comma', () => {
  const said = (text: string, name: string | null) =>
    render(
      { name },
      { messages: { sign_in_code: { en: { subject: text, text, sms: `${text} {{code}}` } } } },
    );
  for (const [words, withName, without] of [
    ['Welcome back, {{name}}.', 'Welcome back, Ada.', 'Welcome back.'],
    ['{{name}}, enter this:', 'Ada, enter this:', 'enter this:'],
    ['خوش آمدید، {{name}}!', 'خوش آمدید، Ada!', 'خوش آمدید!'],
    ['Hi {{name}} at {{tenant}}', 'Hi Ada at Akilesiya', 'Hi at Akilesiya'],
  ] as const) {
    assert.equal(said(words, 'Ada').subject, withName);
    const { subject, text, html } = said(words, null);
    assert.equal(subject, without);
    assert.ok(text.includes(`\n\n${without}\n\n482913`), text);
    assert.ok(!(html ?? '').includes('<bdi></bdi>'));
  }
  assert.equal(said('{{name}}', null).subject, '482913 is your Akilesiya code');
  const sms = { channel: 'sms', name: null } as const;
  const messages = { sign_in_code: { en: { sms: 'Hello, {{name}}: {{code}}' } } };
  assert.equal(render(sms, { messages }).text, 'Hello: 482913');
});

test('a notice tells device, place and time, and what to do if it was not you', () => {
  const { text, html } = render({
    template: 'new_device',
    code: '482913', // as a decoy may have one
    details: { deviceName: 'Chrome on Linux', place: 'https://evil.example', at: '2026-03-01T12:00:00.000Z' },
  });
  assert.match(text, /Device: Chrome on Linux\nTime: March 1, 2026 at 12:00\sPM UTC/);
  assert.doesNotMatch(html ?? '', /evil|class="code"/);
  assert.doesNotMatch(text, /482913/);
  assert.match(text, /If it was not you/);
});

test('text on the tenant’s colour is readable whatever the colour', () => {
  for (const colour of ['#ffffff', '#000000', '#ffcc00', '#4b3fa7', '#7f7f7f', '#ff0000', '#00aa55']) {
    assert.ok(contrast(colour, readableOn(colour)) >= 4.5, colour);
  }
});
