// Does the work that the server asks for before it sends more codes, then sends the form again.
'use strict';
(() => {
  const AT_ONCE = 16;
  const bytesOf = (hex) =>
    Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
      parseInt(hex.slice(2 * index, 2 * index + 2), 16),
    );
  const hexOf = (bytes) =>
    Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

  // WebCrypto works beside the page: nothing on it stands still meanwhile.
  const solve = async (challenge) => {
    const { cost, keyLength, keyPrefix, nonce, salt } = challenge.parameters;
    const start = bytesOf(nonce);
    const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt: bytesOf(salt), iterations: cost };
    const derive = async (counter) => {
      const password = new Uint8Array(start.length + 4);
      password.set(start);
      new DataView(password.buffer).setUint32(start.length, counter);
      const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
      return hexOf(await crypto.subtle.deriveBits(parameters, key, keyLength * 8));
    };
    for (let first = 0; ; first += AT_ONCE) {
      const keys = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => derive(first + index)));
      const found = keys.findIndex((key) => key.startsWith(keyPrefix));
      if (found >= 0) {
        const solution = { counter: first + found, derivedKey: keys[found] };
        return btoa(JSON.stringify({ challenge, solution }));
      }
    }
  };

  for (const box of document.querySelectorAll('[data-challenge]')) {
    const form = box.closest('form');
    const state = box.querySelector('[data-state]');
    const field = box.querySelector('input');
    const finished = () => field.value !== '';
    let pressed = false;
    let failed = false;
    // Pressed before the work is done: sent as soon as it is.
    const hold = (event) => {
      if (event.target !== form || finished() || failed) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      pressed = true;
    };
    addEventListener('submit', hold, true);
    state.textContent = state.dataset.state;
    solve(JSON.parse(box.dataset.challenge))
      .then((solution) => {
        field.value = solution;
        state.textContent = box.dataset.done;
        if (pressed || 'sends' in box.dataset) form.requestSubmit();
      })
      .catch(() => {
        // A page that is not secure has no WebCrypto.
        failed = true;
        state.textContent = box.dataset.later;
      });
  }
})();
