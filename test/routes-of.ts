import type { FastifyInstance } from 'fastify';

/** Every route of a running server as `METHOD /path/{parameter}`, from its router's own tree. */
export function routesOf(server: FastifyInstance): string[] {
  const routes: string[] = [];
  const parents: string[] = [];
  for (const line of server.printRoutes().split('\n')) {
    const match = /^([│ ]*)(?:├──|└──) (\S*)(?: \(([A-Z, ]+)\))?/.exec(line);
    if (!match) continue;
    const [, indent = '', part = '', methods] = match;
    const depth = indent.length / 4;
    parents.length = depth;
    parents.push(part);
    for (const method of methods?.split(', ') ?? []) {
      routes.push(`${method} ${parents.join('').replaceAll(/:(\w+)/g, '{$1}')}`);
    }
  }
  return routes;
}
