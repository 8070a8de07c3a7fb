import { createRequire } from 'node:module';
import type * as Libphonenumber from 'libphonenumber-js/max';

const require = createRequire(import.meta.url);
const { getCountries, getCountryCallingCode, getExampleNumber, parsePhoneNumberFromString } =
  require('libphonenumber-js/max') as typeof Libphonenumber;

/** A country whose numbers can be read. */
export interface PhoneCountry {
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** With the plus. */
  callingCode: string;
  /** How a mobile number is written there, each digit as 0: `(000) 000-0000`. */
  shape: string;
  /** Such a number in E.164; nobody has it. */
  example: string;
}

let known: readonly PhoneCountry[] | undefined;

/** Every country with a numbering plan, read once, when the first page asks for a phone. */
export function phoneCountries(): readonly PhoneCountry[] {
  known ??= readCountries();
  return known;
}

function readCountries(): PhoneCountry[] {
  const examples = require('libphonenumber-js/mobile/examples') as Libphonenumber.Examples;
  return getCountries().map((country) => {
    const example = getExampleNumber(country, examples);
    return {
      country,
      callingCode: `+${getCountryCallingCode(country)}`,
      shape: example?.formatNational().replace(/\d/g, '0') ?? '',
      example: example?.number ?? '',
    };
  });
}

/** An E.164 number as people write it: `+1 415 555 2671`. What is no number stays as it is. */
export function formatPhone(phone: string): string {
  return parsePhoneNumberFromString(phone)?.formatInternational() ?? phone;
}

/** An E.164 number by its country and its national form, for a form that asks for both. */
export function splitPhone(phone: string): { country: string; national: string } | undefined {
  const parsed = parsePhoneNumberFromString(phone);
  return parsed?.country && { country: parsed.country, national: parsed.formatNational() };
}
