/**
 * Too much waits already: what comes now is turned away before any of it is done, so that what is accepted is still
 * answered in time. Answered as OVERLOADED, 503 with Retry-After.
 */
export class QueueFull extends Error {
  readonly code = 'QUEUE_FULL';

  constructor(message: string) {
    // Thrown thousands of times a second when there is least time to draw a stack that nobody reads.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }
}
