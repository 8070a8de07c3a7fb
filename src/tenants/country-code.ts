import { Type } from 'typebox';
import { textOf } from '../web/schema-issues.ts';

/** ISO 3166-1 alpha-2. */
export const countryCode = Type.String(
  textOf('^[A-Z]{2}$', 'must be a country of ISO 3166-1, two capital letters such as UZ'),
);
