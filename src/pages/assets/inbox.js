// The inbox by itself is links and lists. This keeps it up to date and puts codes on the clipboard.
const panes = document.querySelector('.panes');
const news = document.querySelector('#news');
const isFollowing = !new URLSearchParams(location.search).has('message');
const here = document.title;

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-copy]');
  if (button) void copy(button);
});
async function copy(button) {
  const label = button.querySelector('[data-done]') ?? button;
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    label.textContent = 'Copied';
    news.textContent = `Code ${button.dataset.copy} copied`;
  } catch {
    // Without https, or without leave: the digits are marked, so that the keyboard can copy them.
    getSelection().selectAllChildren(button.querySelector('.digits') ?? button);
    return;
  }
  setTimeout(() => {
    label.textContent = before;
  }, 1200);
}

// The simulated Telegram: what is pressed or written here reaches the bot as an update of that chat.
async function bring(chat, content) {
  const id = Number(chat.dataset.chat);
  const from = { id, is_bot: false, first_name: 'Ada', language_code: 'en' };
  const message = {
    message_id: 1,
    date: Math.floor(Date.now() / 1000),
    chat: { id, type: 'private', first_name: 'Ada' },
  };
  const update =
    'data' in content
      ? { callback_query: { id: String(Date.now()), from, chat_instance: '1', message, data: content.data } }
      : { message: { ...message, from, ...content } };
  const response = await fetch('/dev/telegram/updates', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-tenant': chat.dataset.tenant },
    body: JSON.stringify({ update_id: Date.now(), ...update }),
  });
  if (!response.ok) news.textContent = (await response.json()).message;
  else if (!isFollowing) location.href = `/dev/inbox?${new URLSearchParams({ to: chat.dataset.chat })}`;
  else await look();
}
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-press], [data-write], [data-contact]');
  const chat = button?.closest('[data-chat]');
  if (!chat) return;
  if ('press' in button.dataset) return void bring(chat, { data: button.dataset.press });
  if ('write' in button.dataset) return void bring(chat, { text: button.dataset.write });
  const phone = prompt('The phone number of this Telegram account', '+998901234567');
  if (phone)
    void bring(chat, {
      contact: {
        phone_number: phone.replace('+', ''),
        first_name: 'Ada',
        user_id: Number(chat.dataset.chat),
      },
    });
});
document.addEventListener('submit', (event) => {
  const chat = event.target.closest('[data-chat]');
  if (!chat) return;
  event.preventDefault();
  const { words } = event.target.elements;
  if (words.value.trim() !== '') void bring(chat, { text: words.value.trim() });
  words.value = '';
  // What the address proposed to write is written.
  const address = new URL(location.href);
  address.searchParams.delete('write');
  history.replaceState(null, '', address);
});
function wake() {
  for (const form of document.querySelectorAll('.write')) form.hidden = false;
}

const times = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
function tellTimes() {
  for (const time of document.querySelectorAll('.list time')) {
    const seconds = Math.round((new Date(time.dateTime) - Date.now()) / 1000);
    time.title = new Date(time.dateTime).toLocaleString();
    if (seconds > -60) time.textContent = 'now';
    else if (seconds > -3600) time.textContent = times.format(Math.round(seconds / 60), 'minute');
    else if (seconds > -86400) time.textContent = times.format(Math.round(seconds / 3600), 'hour');
    else time.textContent = times.format(Math.round(seconds / 86400), 'day');
  }
}

async function look() {
  const to = new URLSearchParams(location.search).get('to');
  const query = new URLSearchParams({ limit: '1', ...(to ? { to } : {}) });
  const [newest] = await (await fetch(`/dev/messages?${query}`)).json();
  if (!newest || newest.id === panes.dataset.newest) return;
  const fresh = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
  const known = new Set([...document.querySelectorAll('.list .item')].map((item) => item.href));
  panes.dataset.newest = fresh.querySelector('.panes').dataset.newest;
  document.querySelector('.list').replaceChildren(...fresh.querySelector('.list').childNodes);
  for (const item of document.querySelectorAll('.list .item')) {
    if (!known.has(item.href)) item.classList.add('fresh');
  }
  if (isFollowing && !document.activeElement?.closest('.view form')?.elements.words?.value) {
    document.querySelector('.view').replaceChildren(...fresh.querySelector('.view').childNodes);
    document.title = fresh.title;
  } else if (document.hidden) document.title = `• ${here}`;
  news.textContent = `New message for ${newest.to}`;
  tellTimes();
  wake();
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !isFollowing) document.title = here;
});
wake();
tellTimes();
setInterval(tellTimes, 20_000);
void (async () => {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, document.hidden ? 5000 : 1000));
    await look().catch(() => {});
  }
})();
