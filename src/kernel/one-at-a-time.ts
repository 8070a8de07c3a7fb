/**
 * Makes re-reading safe: each call resolves once a read that began after it has ended, calls that wait share one read,
 * and no two run at once, so that an older read which ended later can never overwrite a newer one.
 */
export function oneAtATime(read: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  return () => {
    waiting ??= underWay
      .catch(() => {})
      .then(() => {
        waiting = undefined;
        underWay = read();
        return underWay;
      });
    return waiting;
  };
}
