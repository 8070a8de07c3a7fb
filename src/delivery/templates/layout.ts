import { readableOn } from '../../kernel/colours.ts';
import { escapeHtml } from './substitute.ts';

/** The parts of an e-mail. All text but the names of the brand is HTML already. */
export interface Letter {
  locale: string;
  direction: 'ltr' | 'rtl';
  subject: string;
  brandName: string;
  logoUrl: string | null;
  primaryColour: string;
  preheader: string;
  greeting: string;
  paragraphs: readonly string[];
  code: { digits: string; label: string } | null;
  facts: readonly { label: string; value: string }[];
  /** The one thing to do, where there is one. */
  action: { label: string; url: string } | null;
  /** The one thing to notice: when the code ends, or what to do if it was not you. */
  notice: string;
  advice: readonly string[];
  footer: readonly string[];
}

const FONT =
  "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Noto Sans','Noto Sans Ethiopic',Tahoma,Arial,sans-serif";
const CODE_FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace";

// Programs that drop <style> still get a whole light e-mail: every rule that matters is inline as well.
const STYLE = `:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (max-width:480px){.outer{padding:0!important}.card{border-radius:0!important;border-left:0!important;border-right:0!important}.pad{padding-left:24px!important;padding-right:24px!important}}
@media (prefers-color-scheme:dark){.page{background:#101114!important}.card{background:#1b1d21!important;border-color:#2c2f36!important}.text{color:#e9eaed!important}.quiet{color:#a5a9b4!important}.code{background:#26292f!important;color:#ffffff!important;border-color:#3a3e47!important}.notice{background:#352c16!important;color:#f3d99b!important}.rule{border-color:#2c2f36!important}}`;

/** The e-mail as HTML: one card in a table, because that is what every mail program draws alike. */
export function renderLetter(letter: Letter): string {
  const { direction } = letter;
  const start = direction === 'rtl' ? 'right' : 'left';
  const body = [
    paragraph(
      letter.greeting,
      'text',
      'margin:0 0 12px;font-size:17px;line-height:1.5;font-weight:600;color:#17181c',
    ),
    ...letter.paragraphs.map((text) =>
      paragraph(text, 'text', 'margin:0 0 12px;font-size:16px;line-height:1.6;color:#17181c'),
    ),
    letter.code === null ? '' : codeBox(letter.code),
    letter.facts.length === 0 ? '' : factTable(letter.facts, start),
    paragraph(
      letter.notice,
      'notice',
      'margin:0 0 20px;padding:12px 16px;border-radius:8px;background:#fff6df;color:#6b4a00;font-size:15px;line-height:1.5',
    ),
    letter.action === null ? '' : actionButton(letter.action),
    ...letter.advice.map((text) =>
      paragraph(text, 'quiet', 'margin:0 0 10px;font-size:14px;line-height:1.6;color:#5a5f6b'),
    ),
  ].filter((part) => part !== '');
  return `<!doctype html>
<html lang="${escapeHtml(letter.locale)}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${escapeHtml(letter.subject)}</title>
<style>${STYLE}</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f3f4f6;-webkit-text-size-adjust:100%">
<div style="display:none;max-height:0;overflow:hidden;opacity:0;mso-hide:all">${letter.preheader}${'&#847;&zwnj;&nbsp;'.repeat(60)}</div>
<table role="presentation" class="page" dir="${direction}" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f3f4f6;font-family:${FONT}">
<tr><td class="outer" align="center" style="padding:32px 16px">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:520px;background:#ffffff;border:1px solid #e3e5ea;border-radius:14px;border-collapse:separate;overflow:hidden">
<tr><td class="pad" align="${start}" style="padding:20px 36px;background:${letter.primaryColour};color:${readableOn(letter.primaryColour)};font-size:18px;line-height:1.4;font-weight:700">${header(letter)}</td></tr>
<tr><td class="pad" align="${start}" style="padding:32px 36px 22px;text-align:${start}">
${body.join('\n')}
</td></tr>
<tr><td class="pad rule" align="${start}" style="padding:18px 36px 24px;border-top:1px solid #e3e5ea;text-align:${start}">
${letter.footer.map((text) => paragraph(text, 'quiet', 'margin:0 0 4px;font-size:13px;line-height:1.6;color:#5a5f6b')).join('\n')}
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>`;
}

function paragraph(html: string, className: string, style: string): string {
  return `<p class="${className}" style="${style}">${html}</p>`;
}

/** The logo on white, so that a dark one is seen on every colour; the name where there is none or images are off. */
function header({ logoUrl, brandName }: Letter): string {
  const name = `<bdi>${escapeHtml(brandName)}</bdi>`;
  if (logoUrl === null) return name;
  return `<img src="${escapeHtml(logoUrl)}" alt="${escapeHtml(brandName)}" height="32" style="display:block;height:32px;max-width:240px;padding:6px 10px;background:#ffffff;color:#17181c;border-radius:8px;border:0">`;
}

/**
 * The code is one run of digits, so that a double click selects it whole; the space between them is drawn, not
 * written. A screen reader gets them one by one from the label, not as a number of hundreds of thousands.
 */
function codeBox({ digits, label }: { digits: string; label: string }): string {
  const [size, gap] = digits.length > 7 ? [26, 3] : [36, 8];
  const spoken = `${label}: ${digits.split('').join(' ')}`;
  return `<div class="code" role="img" aria-label="${escapeHtml(spoken)}" dir="ltr" style="margin:20px 0;padding:18px 8px 18px ${8 + gap}px;border:1px solid #dfe2e8;border-radius:10px;background:#f6f7f9;color:#101114;text-align:center;font-family:${CODE_FONT};font-size:${size}px;line-height:1.2;font-weight:700;letter-spacing:${gap}px;-webkit-user-select:all;user-select:all">${escapeHtml(digits)}</div>`;
}

/** A link drawn as a button; programs without styles show a plain link. */
function actionButton({ label, url }: { label: string; url: string }): string {
  return `<p style="margin:0 0 22px"><a class="action" href="${escapeHtml(url)}" style="display:inline-block;padding:12px 20px;border:2px solid #b3261e;border-radius:8px;background:#ffffff;color:#b3261e;font-size:15px;line-height:1.4;font-weight:600;text-decoration:none">${escapeHtml(label)}</a></p>`;
}

function factTable(facts: Letter['facts'], start: string): string {
  const rows = facts.map(
    ({ label, value }) =>
      `<tr><th class="quiet" scope="row" align="${start}" style="padding:7px 0;font-size:14px;line-height:1.5;font-weight:400;color:#5a5f6b;vertical-align:top;white-space:nowrap">${escapeHtml(label)}</th><td class="text" align="${start}" style="padding:7px 16px;font-size:15px;line-height:1.5;font-weight:600;color:#17181c"><bdi>${escapeHtml(value)}</bdi></td></tr>`,
  );
  return `<table cellpadding="0" cellspacing="0" border="0" style="margin:12px 0 20px">${rows.join('')}</table>`;
}
