/**
 * A gateway for messages, in a process of its own: answers at once, or never while it is told to hang, and remembers
 * when each request had arrived. Told by its parent through IPC: `hang`, `answer`, `report`.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the parent gets for `report`: when the first message for each phone had arrived, milliseconds since 1970. */
export interface Arrivals {
  arrived: [phone: string, at: number][];
}

const arrived: [string, number][] = [];
let isHanging = false;

const server = createServer((request, response) => {
  // Before the body is read: what is measured is the way to the socket.
  const at = performance.timeOrigin + performance.now();
  let text = '';
  request.on('data', (chunk) => (text += String(chunk)));
  request.on('end', () => {
    arrived.push([(JSON.parse(text) as { to: string }).to, at]);
    if (isHanging) return;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});
server.keepAliveTimeout = 30_000;
process.on('message', (word) => {
  if (word === 'report') process.send?.({ arrived: arrived.splice(0) } satisfies Arrivals);
  else isHanging = word === 'hang';
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
