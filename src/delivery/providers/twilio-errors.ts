import type { DeliveryReport, SendResult } from '../provider.ts';

/**
 * What a Twilio error asks for. retry: the same way again, later. next: another channel. suppress: this number is not
 * reached this way at all. alarm: another channel, and somebody has to look.
 */
type TwilioVerdict = 'retry' | 'next' | 'suppress' | 'alarm';

/** https://www.twilio.com/docs/api/errors; each with its meaning for a code that has to arrive. */
const twilioErrors: Readonly<Record<number, TwilioVerdict>> = {
  // The account.
  20001: 'alarm', // a parameter of the service is wrong
  20003: 'alarm', // credentials
  20008: 'alarm', // test credentials on a live resource
  20404: 'alarm', // the service or the account of the configuration does not exist
  20429: 'retry', // too many requests at once
  20500: 'retry', // Twilio's own fault
  20503: 'retry', // Twilio's own fault
  21608: 'alarm', // a trial account, or no compliance profile
  // The number.
  21211: 'next', // not a number that can be written to
  21217: 'next', // not a number that can be called
  21408: 'next', // the account may not send to this region
  21610: 'suppress', // its owner has answered STOP
  21611: 'retry', // the sender's queue is full
  21612: 'suppress', // no way from this sender to this number
  21614: 'suppress', // no mobile number
  21635: 'suppress', // a landline
  // On the way.
  30001: 'retry', // queue overflow
  30002: 'alarm', // the account is suspended
  30003: 'retry', // unreachable at the moment: once more may help
  30004: 'suppress', // blocked by its owner or carrier
  30005: 'suppress', // unknown
  30006: 'suppress', // a landline, or a carrier that cannot be reached
  30007: 'alarm', // filtered as spam
  30008: 'next', // the carrier gives no reason
  30034: 'alarm', // a sender not registered for A2P 10DLC
  30036: 'next', // too late
  30450: 'alarm', // SMS pumping protection has struck
  // Verify.
  60200: 'next', // a parameter is not valid
  60202: 'next', // five wrong codes at Twilio
  60203: 'next', // five sends in ten minutes at Twilio
  60205: 'suppress', // a landline
  60207: 'retry', // the service's own rate limit
  60212: 'alarm', // too many at once for one number: our own budget should have held it
  60223: 'alarm', // the channel is switched off in the console
  60238: 'next', // blocked by Twilio
  60410: 'alarm', // Fraud Guard has closed this prefix for up to twelve hours
  60412: 'alarm', // taken for a fraudulent sign-up
  60605: 'next', // the country is closed in the geographic permissions
};

/**
 * The result of a send that Twilio refused.
 * @param code Twilio's own; undefined where the answer had none
 */
export function resultOfTwilioError(code: number, retryAfterSeconds?: number): SendResult | undefined {
  const verdict = twilioErrors[code];
  const error = `twilio ${code}`;
  switch (verdict) {
    case undefined:
      return undefined;
    case 'retry':
      return { state: 'retry', error, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
    case 'next':
      return { state: 'refused', error };
    case 'suppress':
    case 'alarm':
      return { state: 'refused', error, remedy: verdict };
  }
}

/** What a message that Twilio took and could not deliver asks for. */
export function remedyOfTwilioError(code: number): DeliveryReport['remedy'] {
  const verdict = twilioErrors[code];
  return verdict === 'suppress' || verdict === 'alarm' ? verdict : undefined;
}
