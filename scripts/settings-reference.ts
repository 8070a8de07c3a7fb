/** What the reference tells of one setting. */
export type DocumentedSetting = {
  readonly name: string;
  readonly section: string;
  readonly description: string;
  readonly default: string | undefined;
  readonly secret: boolean;
};

const BEGIN = '<!-- settings: written by `node scripts/check-docs.ts --write` -->';
const END = '<!-- end of settings -->';

/** The settings as Markdown: one table for each section, in the order of the schema. */
export function settingsTable(settings: readonly DocumentedSetting[]): string {
  const sections = [...new Set(settings.map((setting) => setting.section))];
  return sections
    .map((section) => {
      const rows = settings.filter((setting) => setting.section === section).map(row);
      const title = section.charAt(0).toUpperCase() + section.slice(1);
      return `### ${title}\n\n| name | default | meaning |\n|---|---|---|\n${rows.join('\n')}`;
    })
    .join('\n\n');
}

function row({ name, secret, default: value, description }: DocumentedSetting): string {
  const names = secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``;
  const shown = value === undefined || value === '' ? '' : `\`${value}\``;
  return `| ${names} | ${shown} | ${description.replaceAll('|', '\\|')} |`;
}

/** The page with the table of today between its marks; a page without marks gets them at its end. */
export function withSettingsTable(page: string, settings: readonly DocumentedSetting[]): string {
  return withBlock(page, BEGIN, settingsTable(settings), END);
}

/** The page with `text` between two marks; a page without the marks gets them at its end. */
export function withBlock(page: string, begin: string, text: string, end: string): string {
  const block = `${begin}\n\n${text}\n\n${end}`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to === -1) return `${page.trimEnd()}\n\n${block}\n`.trimStart();
  return `${page.slice(0, from)}${block}${page.slice(to + end.length)}`;
}

/** What .env.example lacks or has too much, or shows a value for that must stay secret. */
export function envExampleBreaches(example: string, settings: readonly DocumentedSetting[]): string[] {
  const lines = Array.from(example.matchAll(/^#?\s?([A-Z][A-Z0-9_]+)=(.*)$/gm), (match) => ({
    name: match[1] ?? '',
    value: match[2] ?? '',
  }));
  const missing = settings.filter(({ name }) => !lines.some((line) => line.name === name));
  const unknown = lines.filter((line) => !settings.some(({ name }) => name === line.name));
  const told = lines.filter((line) => line.name === 'FIRSTPROOF_SECRET' && line.value.trim() !== '');
  return [
    ...missing.map(({ name }) => `.env.example:1 docs: ${name} is missing.`),
    ...unknown.map(({ name }) => `.env.example:1 docs: ${name} is no setting.`),
    ...told.map(({ name }) => `.env.example:1 docs: ${name} must stand without a value.`),
  ];
}
