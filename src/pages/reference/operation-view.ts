import { html, type Html } from '../../web/html.ts';
import { clientExample, curlExample, exampleBody } from './examples.ts';
import type { OpenApi, Operation } from './openapi.ts';
import { fieldsOf, typeOf, worded } from './schema-view.ts';

const KEYS = {
  none: null,
  bearer: html`<p class="needs">Needs an access token or a session token, as <code>Authorization: Bearer …</code></p>`,
  api_key: html`<p class="needs">Needs an API key, as <code>X-Api-Key: fp_sk_…</code></p>`,
};

/** One call: what it takes, what it answers, and how it is called. */
export function operationView(document: OpenApi, operation: Operation, options: ViewOptions): Html {
  const { id, method, path, summary, description, parameters = [], body, key } = operation;
  const refusals = Object.keys(operation.responses).filter((status) => Number(status) >= 400);
  return html`<article class="call" id="${id}" data-method="${method}" data-path="${path}" data-key="${key}">
<div class="told">
<h3><a href="#${id}"><span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code></a></h3>
<p>${worded(summary)}</p>
${description !== undefined && html`<p class="more">${worded(description)}</p>`}
${KEYS[key]}
${
  parameters.length > 0 &&
  html`<h4>Parameters</h4><dl class="fields">${parameters.map(
    (parameter) =>
      html`<div><dt><code>${parameter.name}</code><span class="type">${parameter.in}, ${typeOf(document, parameter.schema)}</span>${parameter.required && html`<span class="must">required</span>`}</dt><dd>${worded(parameter.description)}</dd></div>`,
  )}</dl>`
}
${body && html`<h4>Body</h4>${fieldsOf(document, body) ?? html`<p class="more">An empty object, or nothing.</p>`}`}
<h4>Answers</h4>
${Object.entries(operation.responses).map(([status, response]) => Number(status) < 400 && answer(document, status, response))}
<p class="more">Refused with ${refusals.map((status) => html`<code>${status}</code> `)}and <a href="#errors">an error</a> that names the reason.</p>
</div>
${example(operation, options)}
</article>`;
}

export interface ViewOptions {
  /** Where the server is, as examples call it. */
  origin: string;
  /** May calls be tried from the page? In development only. */
  canRun: boolean;
}

function answer(document: OpenApi, status: string, response: Operation['responses'][string]): Html {
  const schema = response.content?.['application/json']?.schema;
  const fields = schema && fieldsOf(document, schema);
  const title = html`<code>${status}</code> ${response.description === 'Default Response' ? STATUS[status] : response.description}`;
  if (!fields) return html`<p class="answer">${title}</p>`;
  return html`<details class="answer"><summary>${title}</summary>${fields}</details>`;
}

const STATUS: Readonly<Record<string, string>> = {
  200: 'Done.',
  201: 'Made.',
  202: 'Taken; it waits for its proof.',
  204: 'Done; no body.',
};

/** Side by side as tabs made of radio buttons, so that they need no script; one alone has none. */
function examples(
  id: string,
  all: readonly (readonly [key: string, name: string, text: string | undefined])[],
): Html {
  const given = all.filter(([, , text]) => text !== undefined);
  return html`<div class="shown">${given.map(([key, name, text], index) => {
    const tab = `${id}-tab-${key}`;
    const choice =
      given.length > 1 &&
      html`<input type="radio" class="spoken" name="${id}-shown" id="${tab}"${index === 0 && html` checked`}><label for="${tab}">${name}</label>`;
    return html`${choice}<figure><figcaption>${name}<button class="copy" type="button" data-copy-from="${id}-${key}">Copy</button></figcaption><pre tabindex="0" id="${id}-${key}"><code>${text}</code></pre></figure>`;
  })}</div>`;
}

function example(operation: Operation, { origin, canRun }: ViewOptions): Html {
  const { id, method, path, isForm, key, parameters = [] } = operation;
  const body = exampleBody(operation);
  return html`<div class="try">
${examples(id, [
  ['curl', 'curl', curlExample(operation, origin)],
  ['sdk', 'SDK', clientExample(operation, origin)],
])}
${
  canRun &&
  html`<form class="run" data-form="${isForm ? 'form' : 'json'}" hidden>
${(path.match(/\{\w+\}/g) ?? []).map((name) => html`<label>${name.slice(1, -1)}<input name="path:${name.slice(1, -1)}" required autocomplete="off"></label>`)}
${parameters.filter((each) => each.in === 'query').map((each) => html`<label>${each.name}<input name="query:${each.name}"${each.required && html` required`} autocomplete="off"></label>`)}
${key !== 'none' && html`<label>${key === 'bearer' ? 'Token' : 'API key'}<input name="key" type="password" autocomplete="off" required data-fill="${key === 'bearer' ? 'access_token' : 'api_key'}"></label>`}
${body && html`<label>Body<textarea name="body" rows="${Math.min(10, 2 + Object.keys(body).length)}" spellcheck="false">${JSON.stringify(body, null, 2)}</textarea></label>`}
<button class="button small">Run ${method}</button>
<pre class="result" tabindex="0" role="status" hidden></pre>
</form>`
}
</div>`;
}
