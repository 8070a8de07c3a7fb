import type { Way, Ways } from './calls.ts';
import type { Screen } from './screens.ts';

/** By what somebody may say who they are, in this way of signing in. */
export function waysOf(ways: Ways, byPassword: boolean): Way[] {
  return byPassword ? ways.by_password : ways.by_code;
}

/** Telegram proves itself; there is nothing to be typed first. */
function typedWays(ways: Ways): Way[] {
  return ways.by_code.filter((way) => way !== 'telegram');
}

/** Empty where new accounts are not open. */
export function signUpWays(ways: Ways): Way[] {
  return ways.sign_up ? typedWays(ways) : [];
}

/** Empty where there are no passwords to forget. */
export function forgotWays(ways: Ways): Way[] {
  return ways.by_password.length > 0 ? typedWays(ways) : [];
}

/** The way that stays where another screen offers it too. */
export function nearest(ways: readonly Way[], way: Way): Way | undefined {
  return ways.includes(way) ? way : ways[0];
}

export function signInWith(ways: Ways, way: Way, byPassword: boolean): Screen | undefined {
  const same = nearest(waysOf(ways, byPassword), way);
  return same && { at: 'address', way: same, byPassword };
}

/** How it begins: with the view and the way that are wished for, as far as the tenant has them open. */
export function startingScreen(ways: Ways, view: string | null, wish: string | null): Screen {
  const choose = (open: readonly Way[]): Way | undefined => open.find((each) => each === wish) ?? open[0];
  const signUp = view === 'sign-up' ? choose(signUpWays(ways)) : undefined;
  if (signUp) return { at: 'sign-up', way: signUp };
  const forgot = view === 'forgot-password' ? choose(forgotWays(ways)) : undefined;
  if (forgot) return { at: 'forgot', way: forgot };
  const byPassword = ways.by_code.length === 0;
  const way = choose(waysOf(ways, byPassword));
  return way === undefined ? { at: 'away' } : { at: 'address', way, byPassword };
}
