import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

/** What Prometheus may scrape from the management port. Labels are routes and codes, never addresses. */
export interface Metrics {
  answered(method: string, route: string, status: number, milliseconds: number): void;
  /** The text exposition format and its content type. */
  render(): Promise<{ contentType: string; text: string }>;
}

/** Counters of one server process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'firstproof_' });
  const answers = new Counter({
    name: 'firstproof_http_answers_total',
    help: 'Answers by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'firstproof_http_answer_seconds',
    help: 'Time from request to answer.',
    labelNames: ['route'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.3, 1, 3],
    registers: [registry],
  });
  return {
    answered(method, route, status, milliseconds) {
      answers.inc({ method, route, status });
      seconds.observe({ route }, milliseconds / 1000);
    },
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
