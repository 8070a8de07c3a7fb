import type { ProofWay, SignedIn, VerificationSent } from '../answers.ts';
import type { Calls, TelegramLink, Way, Ways } from './calls.ts';
import type { ElementWords } from './words.ts';

/** Where an address is typed. */
export type AddressScreen =
  | { at: 'address'; way: Way; byPassword: boolean }
  | { at: 'sign-up'; way: Way }
  | { at: 'forgot'; way: Way };

export interface CodeScreen {
  at: 'code';
  sent: VerificationSent;
  id: string;
  resendAt: number;
  isResent: boolean;
  /** Where the address was typed, and which. */
  from: AddressScreen;
  typed: string;
}

/** The number was right, but does not open its idle account alone. `token` is undefined where nothing else does. */
export interface SecondProofScreen {
  at: 'second-proof';
  token: string | undefined;
  ways: ProofWay[];
  /** Where the number was typed. */
  from: AddressScreen;
}

/** What the element shows. */
export type Screen =
  | { at: 'loading' | 'away' }
  | AddressScreen
  | CodeScreen
  | SecondProofScreen
  /** A new password. `after`: somebody is signed in by that already, and may leave it at that. */
  | { at: 'reset'; token: string; way: Way; after?: SignedIn }
  | { at: 'link'; link: TelegramLink }
  | { at: 'done'; signedIn: SignedIn };

/** What was typed, by the names of fields, so that no change of the screen loses it; never a password or a code. */
export type Draft = Map<string, string[]>;

/** What a view knows of the element around it. */
export interface Stage {
  words: ElementWords;
  language: string;
  ways: Ways;
  draft: Draft;
  /** The last code that was asked for here. */
  lastCode: CodeScreen | undefined;
  show(screen: Screen): void;
  /** Back to how it began. */
  start(): void;
  /** Goes where a step leads; what it throws is told on the screen that began it. */
  go(step: (calls: Calls) => Promise<Screen>): Promise<void>;
}
