import { withBlock } from './settings-reference.ts';

/** The catalogue of errors by code, as `src/kernel/errors.ts` has it. */
export type DocumentedErrors = Readonly<
  Record<string, { readonly status: number; readonly message: string }>
>;

const BEGIN = '<!-- errors: written by `node scripts/check-docs.ts --write` -->';
const END = '<!-- end of errors -->';

/** The page with the errors of today between its marks, by status and then in the order of the catalogue. */
export function withErrorsTable(page: string, errors: DocumentedErrors): string {
  const rows = Object.entries(errors)
    .sort(([, a], [, b]) => a.status - b.status)
    .map(([code, { status, message }]) => `| ${status} | \`${code}\` | ${message.replaceAll('|', '\\|')} |`);
  const table = `| status | error | message |\n|---|---|---|\n${rows.join('\n')}`;
  return withBlock(page, BEGIN, table, END);
}
