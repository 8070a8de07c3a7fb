import { profileIssues, type RegistrationData, type RegistrationFields, readRegistration } from './policy.ts';
import {
  changeFragment,
  claimFragment,
  keepFragment,
  readWaiting,
  sweepRegistrations,
  type WaitingRegistration,
  waitsFragment,
} from './store.ts';

/**
 * What people typed at sign-up, waiting for the proof of its address: a thing of its own, never an account. It knows
 * its tables and what may stand in them; who may change which is decided by the use case.
 */
export {
  changeFragment as changeRegistration,
  claimFragment as claimRegistration,
  keepFragment as keepRegistration,
  profileIssues,
  readRegistration,
  readWaiting as findWaitingRegistrations,
  sweepRegistrations,
  waitsFragment as registrationWaits,
};
export type { RegistrationData, RegistrationFields, WaitingRegistration };
export { eraseRegistrations, removeAllRegistrations } from './person-store.ts';
