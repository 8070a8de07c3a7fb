import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { openConnection, parseAnswer, readHeaders, writeRequest } from './http-client.ts';

test('an answer is read once its whole length is there', () => {
  const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
  assert.equal(parseAnswer(whole.slice(0, 20)), undefined);
  assert.equal(parseAnswer(whole.slice(0, -1)), undefined);
  assert.deepEqual(parseAnswer(whole)?.body, 'hello');
});

test('an answer in chunks is read once its last chunk is there', () => {
  const whole = 'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n';
  assert.equal(parseAnswer(whole.slice(0, -2)), undefined);
  const answer = parseAnswer(whole);
  assert.equal(answer?.status, 201);
  assert.equal(answer?.body, 'hello');
});

test('an answer without content needs no length', () => {
  assert.deepEqual(parseAnswer('HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n')?.status, 204);
});

test('every header of a name is found, whatever its case', () => {
  const head = 'HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\nSet-Cookie-Not: c=3';
  assert.deepEqual(readHeaders(head, 'set-cookie'), ['a=1; Path=/', 'b=2']);
});

test('one connection serves many requests, and is opened again after the server closed it', async () => {
  let connections = 0;
  const server = createServer((request, response) => {
    if (request.url === '/close') response.setHeader('connection', 'close');
    request.resume().on('end', () => response.end(`${request.method} ${request.url}`));
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  const connection = openConnection(address.port);
  try {
    assert.equal((await connection.exchange(writeRequest('GET', '/one', []))).body, 'GET /one');
    assert.equal((await connection.exchange(writeRequest('POST', '/two', [], { a: 1 }))).body, 'POST /two');
    assert.equal(connections, 1);
    await connection.exchange(writeRequest('GET', '/close', []));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal((await connection.exchange(writeRequest('GET', '/three', []))).body, 'GET /three');
    assert.equal(connections, 2);
  } finally {
    connection.close();
    server.close();
  }
});
