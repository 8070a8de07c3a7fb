// What makes the pages more comfortable. Every one of them works without it.
'use strict';
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const language = document.documentElement.lang;

  // Digits of any script, as they are typed on keyboards of the languages spoken here.
  const plainDigits = (text) =>
    text.replace(/[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g, (digit) => String(digit.charCodeAt(0) & 15));

  // One press sends one form. Coming back to the page makes it usable again.
  addEventListener('submit', (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = 'yes';
    for (const button of all('button:not([type="button"])', form)) button.setAttribute('aria-busy', 'true');
  });
  addEventListener('pageshow', () => {
    for (const form of all('form[data-sent]')) {
      delete form.dataset.sent;
      for (const button of all('[aria-busy]', form)) button.removeAttribute('aria-busy');
    }
  });

  // The code: digits only, sent by itself when it is whole, read from the message where the browser can.
  for (const field of all('input[autocomplete="one-time-code"]')) {
    const length = Number(field.dataset.digits);
    let sent = '';
    field.addEventListener('input', () => {
      const digits = plainDigits(field.value).replace(/\D/g, '').slice(0, length);
      if (digits !== field.value) field.value = digits;
      if (digits.length === length && digits !== sent) {
        sent = digits;
        field.form.requestSubmit();
      }
    });
    field.closest('.code')?.addEventListener('click', () => field.focus());
    if ('OTPCredential' in window && field.dataset.channel === 'sms') {
      const wait = new AbortController();
      field.form.addEventListener('submit', () => wait.abort());
      navigator.credentials
        .get({ otp: { transport: ['sms'] }, signal: wait.signal })
        .then((credential) => {
          field.value = credential.code;
          field.dispatchEvent(new Event('input', { bubbles: true }));
        })
        .catch(() => {});
    }
  }

  // A national number falls into the groups of its country while it is typed at its end.
  for (const select of all('select[data-phone]')) {
    const field = document.getElementById(select.dataset.phone);
    const shapeOf = () => select.selectedOptions[0]?.dataset.shape ?? '';
    const group = () => {
      const typed = plainDigits(field.value);
      if (field.selectionEnd !== field.value.length || typed.trim().startsWith('+')) return;
      const digits = typed.replace(/\D/g, '');
      let shape = shapeOf();
      // The zero in front is dialled at home; many leave it out beside a country code.
      if (shape.startsWith(select.selectedOptions[0]?.dataset.trunk ?? '\0') && !digits.startsWith('0'))
        shape = shape.slice(1).trimStart();
      if (digits.length === 0 || digits.length > shape.replace(/[^0]/g, '').length) return;
      let used = 0;
      let text = '';
      for (const sign of shape) {
        if (used === digits.length) break;
        text += sign === '0' ? digits[used++] : sign;
      }
      field.value = text;
    };
    field.addEventListener('input', (event) => {
      if (!event.inputType?.startsWith('delete')) group();
    });
    // By keys each country on the way is a change: the focus stays, so that the next key still chooses.
    let byKeys = false;
    select.addEventListener('keydown', () => (byKeys = true));
    select.addEventListener('pointerdown', () => (byKeys = false));
    select.addEventListener('change', () => {
      field.value = field.value.replace(/[^\d+]/g, '');
      group();
      if (!byKeys) field.focus();
    });
  }

  // Seconds until something may be done again.
  const twoDigits = new Intl.NumberFormat(language, { minimumIntegerDigits: 2, useGrouping: false });
  const plain = new Intl.NumberFormat(language, { useGrouping: false });
  const shown = (left) => `${plain.format(Math.floor(left / 60))}:${twoDigits.format(left % 60)}`;
  for (const clock of all('[data-seconds]')) {
    const ends = performance.now() + Number(clock.dataset.seconds) * 1000;
    const button = clock.closest('button');
    const show = () => {
      const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
      if (left > 0) {
        clock.textContent = shown(left);
        return void setTimeout(show, 250);
      }
      const live = document.querySelector('[data-live]');
      if (button) {
        button.disabled = false;
        button.textContent = button.dataset.ready;
        if (live) live.textContent = button.dataset.announce;
        for (const later of all('[data-later]')) later.hidden = false;
      } else {
        const expired = document.querySelector('[data-expired]');
        clock.closest('[data-life]')?.setAttribute('hidden', '');
        if (expired) expired.hidden = false;
      }
    };
    if (button && Number(clock.dataset.seconds) > 0) {
      button.disabled = true;
      for (const later of all('[data-later]')) later.hidden = true;
    }
    show();
  }

  // How the code travels, told as it changes. The address holds nothing: the cookie opens it.
  for (const box of all('[data-events]')) {
    const state = box.querySelector('[data-travel]');
    const next = box.querySelector('[data-next]');
    let ends = performance.now() + Number(box.dataset.nextIn) * 1000;
    const tick = () => {
      const time = box.querySelector('[data-next-time]');
      const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
      if (time) time.textContent = shown(left);
    };
    if (box.dataset.nextIn !== '') tick();
    const timer = setInterval(tick, 500);
    const source = new EventSource(box.dataset.events);
    source.addEventListener('status', ({ data }) => {
      const told = JSON.parse(data);
      if (state.textContent !== told.text) state.textContent = told.text;
      state.dataset.look = told.look;
      next.hidden = told.next === null || !told.isLive;
      if (!told.isLive) state.hidden = true;
      if (next.hidden) return;
      ends = performance.now() + (told.nextIn ?? 0) * 1000;
      const [before, after = ''] = told.next.split('{time}');
      const time = document.createElement('span');
      time.dataset.nextTime = '';
      next.replaceChildren(before, time, after);
      tick();
    });
    source.addEventListener('end', () => {
      source.close();
      clearInterval(timer);
    });
    addEventListener('pagehide', () => source.close());
  }

  // A link into Telegram: one question at a time, kept waiting by the server until something happens there. A page that
  // nobody looks at asks nothing until somebody comes back to it.
  const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const looked = () =>
    document.hidden &&
    new Promise((resolve) => addEventListener('visibilitychange', resolve, { once: true }));
  for (const box of all('[data-waits]')) {
    void (async () => {
      for (let failures = 0; ; ) {
        await looked();
        try {
          const response = await fetch(`${box.dataset.waits}&seen=${box.dataset.seen}`);
          const { state } = await response.json();
          failures = 0;
          if (state === 'opened' && state !== box.dataset.seen) {
            const line = box.querySelector('[data-opened]');
            line.textContent = line.dataset.opened;
          } else if (state !== box.dataset.seen) return location.reload();
          box.dataset.seen = state;
          await pause(Number(box.dataset.pause));
        } catch {
          failures += 1;
          await pause(Math.min(30, 2 ** failures));
        }
      }
    })();
  }
  for (const form of all('[data-takes] form')) form.requestSubmit();

  // A password may be looked at before it is sent.
  for (const box of all('[data-reveal]')) {
    const field = box.querySelector('input');
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'reveal';
    const set = (shown) => {
      field.type = shown ? 'text' : 'password';
      button.textContent = shown ? box.dataset.hide : box.dataset.reveal;
      button.setAttribute('aria-pressed', String(shown));
    };
    button.addEventListener('click', () => set(field.type === 'password'));
    field.form.addEventListener('submit', () => set(false));
    set(false);
    box.append(button);
  }

  // Times in the time zone of whoever reads them.
  for (const time of all('time[datetime]')) {
    const moment = new Date(time.dateTime);
    const text = moment.toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
    // Browsers say that they know Uzbek, and name its months M01 to M12. Its digits they can write.
    const digits = { day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit' };
    time.textContent = /\bM\d\d\b/.test(text) ? moment.toLocaleString('de', digits) : text;
  }

  // An open menu closes as menus do.
  const menu = document.querySelector('.languages');
  if (menu) {
    addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !menu.open) return;
      menu.open = false;
      menu.querySelector('summary').focus();
    });
    addEventListener('click', (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  }

  // What is wrong is read out and reached first.
  document.querySelector('[aria-invalid="true"]')?.focus();
})();
