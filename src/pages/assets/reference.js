// The reference is whole without this. It finds calls, copies them, and in development runs them.
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-copy-from]');
  if (button) void copy(button);
});
async function copy(button) {
  const example = document.getElementById(button.dataset.copyFrom);
  try {
    await navigator.clipboard.writeText(example.textContent);
  } catch {
    // Without https, or without leave: it is marked, so that the keyboard can copy it.
    getSelection().selectAllChildren(example);
    return;
  }
  button.textContent = 'Copied';
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 1200);
}

const filter = document.querySelector('#filter');
filter.hidden = false;
filter.addEventListener('input', () => {
  const word = filter.value.trim().toLowerCase();
  for (const group of document.querySelectorAll('.contents details')) {
    let found = 0;
    for (const item of group.querySelectorAll('li')) {
      item.hidden = !item.textContent.toLowerCase().includes(word);
      if (!item.hidden) found++;
    }
    group.hidden = found === 0;
  }
  document.querySelector('#none').hidden = document.querySelector('.contents details:not([hidden])') !== null;
});

const links = new Map(
  [...document.querySelectorAll('.contents a[href^="#"]')].map((link) => [link.hash.slice(1), link]),
);
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute('aria-current');
      links.get(target.id)?.setAttribute('aria-current', 'true');
    }
  },
  { rootMargin: '-20% 0px -70%' },
);
for (const call of document.querySelectorAll('.call')) seen.observe(call);

// What earlier answers gave fills the next call: the handle, the code, the tokens. Kept in this tab alone.
const kept = JSON.parse(sessionStorage.getItem('reference') ?? '{}');
function keep(answer) {
  for (const name of ['verification_id', 'access_token', 'refresh_token', 'reset_token']) {
    const value = answer?.[name] ?? answer?.data?.[name];
    if (typeof value === 'string') kept[name] = value;
  }
  if (typeof answer?.data?.token === 'string') kept.access_token = answer.data.token;
  sessionStorage.setItem('reference', JSON.stringify(kept));
}
async function newestCode() {
  const messages = await (await fetch('/dev/messages?limit=20&wait=3')).json();
  return messages.find((message) => message.code !== null)?.code;
}

for (const form of document.querySelectorAll('.run')) {
  form.hidden = false;
  form.addEventListener('focusin', () => {
    const key = form.elements.namedItem('key');
    if (key && key.value === '') key.value = kept[key.dataset.fill] ?? '';
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void run(form);
  });
}

async function run(form) {
  const { method, path, key } = form.closest('.call').dataset;
  const result = form.querySelector('.result');
  const body = form.elements.namedItem('body');
  if (body) {
    let text = body.value;
    if (text.includes('{code}')) text = text.replace('{code}', (await newestCode()) ?? '{code}');
    body.value = text.replace(
      /\{(verification_id|refresh_token|access_token|reset_token)\}/g,
      (hole, name) => kept[name] ?? hole,
    );
  }
  const headers = {};
  const secret = form.elements.namedItem('key')?.value;
  if (secret) {
    headers[key === 'api_key' ? 'x-api-key' : 'authorization'] =
      key === 'api_key' ? secret : `Bearer ${secret}`;
    kept[key === 'api_key' ? 'api_key' : 'access_token'] = secret;
  }
  const query = new URLSearchParams();
  let address = path;
  for (const field of form.elements) {
    if (field.name.startsWith('path:'))
      address = address.replace(`{${field.name.slice(5)}}`, encodeURIComponent(field.value));
    if (field.name.startsWith('query:') && field.value !== '') query.set(field.name.slice(6), field.value);
  }
  result.hidden = false;
  result.textContent = '…';
  try {
    let content;
    if (body && form.dataset.form === 'form') content = new URLSearchParams(JSON.parse(body.value));
    else if (body) {
      content = body.value;
      headers['content-type'] = 'application/json';
    }
    const asked = [...query].length > 0 ? `${address}?${query}` : address;
    const response = await fetch(asked, { method, headers, body: content, credentials: 'omit' });
    const text = await response.text();
    let answer;
    try {
      answer = JSON.parse(text);
    } catch {
      answer = undefined;
    }
    keep(answer);
    result.classList.toggle('bad', !response.ok);
    result.textContent = `${response.status}\n${answer === undefined ? text : JSON.stringify(answer, null, 2)}`;
  } catch (fault) {
    result.classList.add('bad');
    result.textContent = String(fault);
  }
}
