import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A name that begins with firstproof_, a sentence, and the labels; never an address among them. */
export interface MetricOptions<Label extends string> {
  name: string;
  help: string;
  labelNames: readonly Label[];
}

/** What Prometheus may scrape from the management port. Labels are routes and codes, never addresses. */
export interface Metrics {
  answered(method: string, route: string, status: number, milliseconds: number): void;
  counter<Label extends string>(options: MetricOptions<Label>): Counter<Label>;
  gauge<Label extends string>(options: MetricOptions<Label>): Gauge<Label>;
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
  // The library finds a child by hashing its labels at each use; routes and statuses are few, so each is found once.
  const children = new Map<string, { count: () => void; observe: (seconds: number) => void }>();
  return {
    answered(method, route, status, milliseconds) {
      const key = `${method} ${status} ${route}`;
      let child = children.get(key);
      if (!child) {
        const counter = answers.labels(method, route, String(status));
        const histogram = seconds.labels(route);
        child = { count: () => counter.inc(), observe: (value) => histogram.observe(value) };
        children.set(key, child);
      }
      child.count();
      child.observe(milliseconds / 1000);
    },
    counter: (options) => new Counter({ ...options, registers: [registry] }),
    gauge: (options) => new Gauge({ ...options, registers: [registry] }),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
