import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { html, htmlText, trustedHtml } from './html.ts';

test('what is put in is escaped, in text and in attributes', () => {
  const typed = `"><script>alert('1')</script>&`;
  assert.equal(
    htmlText(html`<p title="${typed}">${typed}</p>`),
    '<p title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;">&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;</p>',
  );
});

test('markup stays markup, lists are joined, nothing is nothing, numbers are digits', () => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
  assert.equal(
    htmlText(html`<ul>${items}</ul>${null}${undefined}${false}${0}${trustedHtml('<hr>')}`),
    '<ul><li>a</li><li>&lt;b&gt;</li></ul>0<hr>',
  );
});

test('no text can open a tag or leave an attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (typed) => {
      const text = htmlText(html`${typed}`);
      assert.doesNotMatch(text, /[<>"']/);
      assert.doesNotMatch(text, /&(?!amp;|lt;|gt;|quot;|#39;)/);
    }),
  );
});
