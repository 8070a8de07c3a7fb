import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findImports, maskSource } from './source-text.ts';

const specifiers = (text: string): (string | null)[] => findImports(text).map((found) => found.specifier);

test('masking keeps length and lines, and blanks comments, strings and regular expressions', () => {
  const text =
    "const a = 'Math.random()'; // Math.random()\n/* Math\n.random() */ const b = /Math'.random/;\nb;";
  const masked = maskSource(text);
  assert.equal(masked.length, text.length);
  assert.equal(masked.split('\n').length, text.split('\n').length);
  assert.ok(!masked.includes('random'));
  assert.ok(masked.endsWith('\nb;'));
});

test('code inside a template stays code, its text does not', () => {
  const masked = maskSource('const a = `x Math.random() ${Math.random() + `y ${z({ a: 1 })} q`} w`; done();');
  assert.equal(masked.match(/Math\.random/g)?.length, 1);
  assert.match(masked, /z\(\{ a: 1 \}\)/);
  assert.match(masked, /done\(\)/);
  assert.ok(!/[xyqw] /.test(masked));
});

test('a division is not a regular expression, an apostrophe inside one opens no string', () => {
  assert.match(maskSource("const a = (b) / c; const d = e / f; g('h');"), /c; const d = e \/ f; g\(' '\)/);
  assert.match(maskSource('const a = b.replace(/[\'"/]/g, x); real(y);'), /x\); real\(y\)/);
  assert.match(maskSource('const a = /[/`]/.test(b); real(y);'), /real\(y\)/);
});

test('every way to name a module is found', () => {
  assert.deepEqual(
    specifiers(`
      import a from './a.ts';
      import type { B,
        C } from "./b.ts";
      import * as d from './d.ts';
      import e, { f as g } from './e.ts';
      import './side-effect.ts';
      export { h } from './h.ts';
      export type { H } from './h-type.ts';
      export * from './i.ts';
      export * as j from './j.ts';
      const k = await import('./k.ts');
      type L = import('./l.ts').L;
      const m = require('./m.ts');
      const n = await import(\`./n.ts\`);
    `),
    ['a', 'b', 'd', 'e', 'side-effect', 'h', 'h-type', 'i', 'j', 'k', 'l', 'm', 'n'].map(
      (name) => `./${name}.ts`,
    ),
  );
});

test('prose, strings and members that look like imports are not imports', () => {
  assert.deepEqual(
    specifiers(`
      // import a from './a.ts'
      const text = "import a from './a.ts'";
      console.log(import.meta.url, module.require('./x.ts'), from('./y.ts'));
      export const from = './z.ts';
      export { text };
      const more = Array.from('./w.ts');
    `),
    [],
  );
});

test('a computed import is told as null', () => {
  assert.deepEqual(specifiers("await import(name); await import('./a' + b); await import(`./${c}.ts`);"), [
    null,
    null,
    null,
  ]);
});

test('the line is the one of the specifier', () => {
  assert.deepEqual(findImports("\nimport {\n  a,\n} from './a.ts';\n"), [{ specifier: './a.ts', line: 4 }]);
});
