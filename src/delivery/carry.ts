import { NOT_IN_TIME } from './policy.ts';
import type { Envelope, Provider, SendResult } from './provider.ts';

/** One try: what the provider answered and how long it took. A provider that throws or never answers is a `retry`. */
export interface Try {
  result: SendResult;
  tookMilliseconds: number;
  /** What it threw. */
  fault?: unknown;
}

/** Hands an envelope to a provider, for so long at most. Never rejects. */
export async function tryProvider(
  provider: Provider,
  makeEnvelope: () => Envelope,
  timeoutMilliseconds: number,
): Promise<Try> {
  const late = Promise.withResolvers<never>();
  const patience = new AbortController();
  const beganAt = performance.now();
  const timer = setTimeout(() => {
    const fault = new DOMException('the provider did not answer in time', NOT_IN_TIME);
    patience.abort(fault);
    // One that ignores the signal must not hold its place for ever: so many, and nothing leaves any more.
    late.reject(fault);
  }, timeoutMilliseconds);
  const took = (): number => Math.round(performance.now() - beganAt);
  try {
    const result = await Promise.race([provider.send(makeEnvelope(), patience.signal), late.promise]);
    return { result, tookMilliseconds: took() };
  } catch (fault) {
    const error = patience.signal.aborted ? NOT_IN_TIME : fault instanceof Error ? fault.name : 'failed';
    return { result: { state: 'retry', error }, tookMilliseconds: took(), fault };
  } finally {
    clearTimeout(timer);
  }
}
