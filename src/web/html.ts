const CONTENT = Symbol('html');

/** Markup that may stand in a page as it is. Only `html` and `trustedHtml` make it. */
export interface Html {
  readonly [CONTENT]: string;
}

/** What may stand between the markup: text is escaped, markup stays, nothing is nothing, lists are joined. */
export type HtmlChild = Html | string | number | false | null | undefined | readonly HtmlChild[];

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Markup as a tagged template: html`<p title="${title}">${text}</p>`. Whatever is put in is escaped for text and for
 * quoted attributes; attributes without quotes are never written. Code, styles and addresses of links are not
 * places for what somebody typed: escaping does not make them safe.
 */
export function html(strings: TemplateStringsArray, ...children: readonly HtmlChild[]): Html {
  let text = strings[0] ?? '';
  for (const [index, child] of children.entries()) text += render(child) + (strings[index + 1] ?? '');
  return { [CONTENT]: text };
}

/** Markup of our own making that is no template: a picture drawn by a library. Never for anything from outside. */
export function trustedHtml(markup: string): Html {
  return { [CONTENT]: markup };
}

/** The text of the markup. */
export function htmlText(markup: Html): string {
  return markup[CONTENT];
}

function render(child: HtmlChild): string {
  if (child === null || child === undefined || child === false) return '';
  if (typeof child === 'string') return child.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
  if (typeof child === 'number') return String(child);
  return CONTENT in child ? child[CONTENT] : child.map(render).join('');
}
