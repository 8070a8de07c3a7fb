import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createHearing, type Hearing } from './hearing.ts';

const LEASE = 600;

/** Servers on one feed that delivers in order; `deaf` ones get nothing and say nothing. */
function feedOf(names: readonly string[]) {
  const servers = new Map<string, Hearing>();
  const deaf = new Set<string>();
  const told: string[] = [];
  const say = (from: string, payload: string): void => {
    if (deaf.has(from)) return;
    told.push(payload);
    const colon = payload.indexOf(':');
    for (const [name, server] of servers) {
      if (!deaf.has(name)) server.receive(payload.slice(0, colon), payload.slice(colon + 1));
    }
  };
  for (const node of names) {
    const tell = async (payload: string): Promise<void> => {
      await wait(1);
      say(node, payload);
    };
    servers.set(node, createHearing({ node, leaseMilliseconds: LEASE, now: () => performance.now(), tell }));
  }
  const server = (name: string): Hearing => servers.get(name) as Hearing;
  return { say, deaf, told, server, greet: () => names.forEach((name) => say(name, `hello:${name}`)) };
}

async function millisecondsOf(work: Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

test('a server that is alone has its own question answered by itself', async () => {
  const { server } = feedOf(['a']);
  assert.ok((await millisecondsOf(server('a').all())) < LEASE / 2);
});

test('S14 resolves once every server has answered, and not before', async () => {
  const { server, greet, told } = feedOf(['a', 'b', 'c']);
  greet();
  assert.ok((await millisecondsOf(server('a').all())) < LEASE / 2);
  assert.deepEqual(told.filter((payload) => payload.startsWith('heard:')).sort(), [
    'heard:a 1 b',
    'heard:a 1 c',
  ]);
});

test('S14 a server that does not answer is waited for until its lease has run out', async () => {
  const { server, greet, deaf } = feedOf(['a', 'b']);
  greet();
  deaf.add('b');
  assert.ok((await millisecondsOf(server('a').all())) >= LEASE - 2);
  await wait(5);
  assert.ok((await millisecondsOf(server('a').all())) < LEASE / 2, 'and then no longer counted');
});

test('S14 a server that connects again has read what it missed, so its hello is its answer', async () => {
  const { server, greet, deaf, say } = feedOf(['a', 'b']);
  greet();
  deaf.add('b');
  const all = server('a').all();
  await wait(10);
  deaf.delete('b');
  say('b', 'hello:b');
  assert.ok((await millisecondsOf(all)) < LEASE - 20);
});

test('a server that has left is not waited for', async () => {
  const { server, greet, deaf, say } = feedOf(['a', 'b']);
  greet();
  say('b', 'left:b');
  deaf.add('b');
  assert.ok((await millisecondsOf(server('a').all())) < LEASE / 2);
});

test('a server nobody has told of yet is waited for when its hello came before the question', async () => {
  const { server, say, told } = feedOf(['a', 'b']);
  const all = server('a').all();
  say('b', 'hello:b');
  await all;
  assert.ok(told.includes('heard:a 1 b'));
});

test('a feed that cannot tell is decided by the lease, and many that wait share a question', async () => {
  let questions = 0;
  const tell = (): Promise<void> => {
    questions++;
    return Promise.reject(new Error('away'));
  };
  const alone = createHearing({ node: 'a', leaseMilliseconds: LEASE, now: () => performance.now(), tell });
  const took = await millisecondsOf(
    Promise.all(Array.from({ length: 50 }, () => alone.all())).then(() => {}),
  );
  assert.ok(took >= LEASE - 2);
  assert.equal(questions, 1);
});

test('an answer to an earlier question answers no later one', async () => {
  const { server, greet, deaf, say } = feedOf(['a', 'b']);
  greet();
  deaf.add('b');
  const all = server('a').all();
  await wait(10);
  say('a', 'heard:a 0 b');
  assert.ok((await millisecondsOf(all)) > LEASE / 2);
});
