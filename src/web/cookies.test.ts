import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCookie } from './cookies.ts';

test('a cookie is found among others, with the value it was sent with', () => {
  assert.equal(readCookie('a=1; session=fps_x=y; b=2', 'session'), 'fps_x=y');
  assert.equal(readCookie('session=x', 'session'), 'x');
  assert.equal(readCookie(' session = x ', 'session'), 'x');
  assert.equal(readCookie('session=', 'session'), '');
});

test('a cookie is not found under a longer, shorter or differently written name', () => {
  for (const header of ['', 'session', '=x', 'sessions=x', 'Session=x', 'x; __session=y', 'a=session=x']) {
    assert.equal(readCookie(header, 'session'), undefined, header);
  }
});

test('a cookie that is there twice is not believed', () => {
  assert.equal(readCookie('session=mine; a=1; session=planted', 'session'), undefined);
});
