/**
 * Too much waits already: what comes now is turned away before any of it is done, so that what is accepted is still
 * answered in time. Answered as OVERLOADED, 503 with Retry-After.
 */
export class QueueFull extends Error {
  readonly code = 'QUEUE_FULL';
}
