/* What is typed in a form[data-keep] is never lost: on this device at once, on the server within seconds.
   Of two devices, the server keeps both versions; see cordee/circles/actions/situations.py. */
(() => {
  'use strict';

  for (const form of document.querySelectorAll('form[data-keep]')) keep(form);

  function keep(form) {
    const place = `cordee:prepare:${form.dataset.id}`, status = form.querySelector('[role=status]');
    const names = new Set([...form.elements].filter((field) => field.matches('textarea, input[type=text], input[type=radio]')).map((field) => field.name));
    let timer = 0, wait = 1, typed = 0, sending = null, memory = null;

    const texts = () => Object.fromEntries([...names].map((name) => [name, new FormData(form).get(name) ?? '']));
    const same = (one, other) => [...names].every((name) => (one[name] ?? '').trim() === (other[name] ?? '').trim());
    const field = (name) => form.elements.namedItem(name);

    function stored() {
      try { return JSON.parse(localStorage.getItem(place)) ?? memory; } catch { return memory; }
    }

    function store(draft) {
      memory = draft;
      try {
        if (draft) localStorage.setItem(place, JSON.stringify(draft));
        else localStorage.removeItem(place);
      } catch { /* full or forbidden: at least until the page closes */ }
    }

    function put(draft) {
      for (const name of names) {
        const found = field(name);
        if (found instanceof RadioNodeList) for (const radio of found) radio.checked = radio.value === draft[name];
        else if (found.type === 'radio') found.checked = found.value === draft[name];
        else found.value = draft[name] ?? '';
      }
    }

    function say(text) { if (status) status.textContent = text; }

    function later(seconds) {
      clearTimeout(timer);
      timer = setTimeout(() => send(), seconds * 1000);
    }

    function posted(draft) {
      const body = new FormData();
      for (const [name, text] of Object.entries(draft)) body.append(name, text);
      body.append('csrfmiddlewaretoken', field('csrfmiddlewaretoken').value);
      return body;
    }

    /** One at a time: each is based on the version that the one before made. */
    function send() {
      sending ??= attempt().finally(() => { sending = null; });
      return sending;
    }

    async function attempt() {
      const draft = stored();
      if (!draft) return;
      try {
        const response = await fetch(form.dataset.keep, { method: 'POST', body: posted(draft), redirect: 'manual' });
        if (response.status === 409) { say((await response.json()).sentence); return; }
        if (response.status !== 200) throw new Error(response.status);
        const { version, latest, others } = await response.json();
        wait = 1;
        if (latest) field('seen').value = version; // else what was typed elsewhere is in force, and stays beside this
        const now = stored();
        if (!now || same(now, draft)) store(null);
        else { store({ ...now, seen: field('seen').value }); later(1); }
        say(others || !latest ? form.dataset.elsewhere : form.dataset.saved);
      } catch {
        say(form.dataset.waits);
        wait = Math.min(wait * 2, 30);
        later(wait);
      }
    }

    form.addEventListener('input', ({ target }) => {
      if (!names.has(target.name)) return;
      typed = Date.now() / 1000;
      field('typed').value = typed;
      store({ ...texts(), seen: field('seen').value, typed });
      later(1);
    });

    addEventListener('online', () => later(0));
    addEventListener('pagehide', () => { const draft = stored(); if (draft) navigator.sendBeacon?.(form.dataset.keep, posted(draft)); });

    // What this device had typed and the server may not have.
    const draft = stored();
    if (!draft) return;
    if (same(draft, texts())) { store(null); return; }
    put(draft);
    field('seen').value = draft.seen; // what it was typed over: the server keeps what was written since beside it
    field('typed').value = draft.typed;
    send();
  }
})();
