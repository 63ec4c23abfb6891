/* What is typed in a form[data-words] is never lost: on this device as it is typed, put back when its page is opened
   again, forgotten once the server says that it took it (cordee/web/words.py), on signing out, or after DAYS.
   With data-keep, on the server too within seconds; of two devices, it keeps both versions (circles/actions/situations.py). */
(() => {
  'use strict';

  const DAYS = 7;
  const said = document.currentScript.dataset; // me: whose words these are, and nobody else's
  const prefix = 'cordee:words:', mine = `${prefix}${said.me}:`;

  // ---------------------------------------------------------------- what this device keeps

  const memory = new Map(); // when the browser refuses storage, at least until the page closes

  function read(key) {
    try { return memory.get(key) ?? JSON.parse(localStorage.getItem(key)); } catch { return memory.get(key) ?? null; }
  }

  function write(key, draft) {
    memory.delete(key);
    try {
      if (draft) localStorage.setItem(key, JSON.stringify(draft));
      else localStorage.removeItem(key);
    } catch { if (draft) memory.set(key, draft); } // full or forbidden
  }

  function keys(start) {
    try { return Object.keys(localStorage).filter((key) => key.startsWith(start)); } catch { return []; }
  }

  const list = (text) => text?.split(' ').filter(Boolean) ?? [];
  const same = (one, other) => (one ?? '').replaceAll('\r\n', '\n').trim() === (other ?? '').replaceAll('\r\n', '\n').trim();

  /** On each page: what is too old, what the server took, what has lost its place. What was typed since stays. */
  function forget() {
    for (const key of keys(prefix)) if (!(read(key)?.at > Date.now() - DAYS * 86_400_000)) write(key, null);
    for (const id of list(said.taken)) if (read(mine + id)?.sent) write(mine + id, null);
    for (const place of document.querySelectorAll('[data-over]:not(form)')) for (const id of list(place.dataset.over)) write(mine + id, null);
  }

  /** A form that is sent may be refused, or never arrive: its words stay until the server has said their name. */
  function sent({ target: form }) {
    if ('leave' in form.dataset) for (const key of keys(mine)) write(key, null);
    const ids = form.dataset.words ?? form.dataset.over;
    if (!ids) return;
    for (const id of list(ids)) if (read(mine + id)) write(mine + id, { ...read(mine + id), sent: true });
    const named = form.querySelector('input[name=kept]') ?? form.appendChild(element('input', { type: 'hidden', name: 'kept' }));
    named.value = ids;
  }

  // ---------------------------------------------------------------- one form

  function keep(form) {
    const key = mine + form.dataset.words;
    const fields = [...form.elements].filter((field) => field.name && field.matches('textarea, select, input:not([type=hidden], [type=checkbox], [type=file])'));
    const names = [...new Set(fields.map((field) => field.name))];
    const named = (name) => fields.filter((field) => field.name === name);
    const shown = Object.fromEntries(names.map((name) => [name, opened(named(name))])); // as the page came
    const server = form.dataset.keep ? onServer(form, key) : null;

    function texts() {
      const data = new FormData(form);
      return Object.fromEntries(names.map((name) => [name, data.get(name) ?? '']));
    }

    function remember() {
      const before = read(key);
      const draft = { texts: { ...before?.texts, ...texts() }, base: { ...shown, ...before?.base }, at: Date.now() };
      server?.stamp(draft);
      const undone = !server && Object.keys(draft.texts).every((name) => same(draft.texts[name], draft.base[name]));
      write(key, undone ? null : draft);
      server?.later(1);
    }

    function put(name, text) {
      for (const field of named(name)) {
        if (field.type === 'radio') field.checked = field.value === text;
        else field.value = text;
      }
    }

    form.addEventListener('input', ({ target }) => { if (names.includes(target.name)) remember(); });

    const typed = texts(), draft = read(key);
    if (names.some((name) => !same(typed[name], shown[name]))) { remember(); return; } // before this script came
    if (!draft) return;
    const back = names.filter((name) => name in draft.texts && !same(draft.texts[name], shown[name]) && (server || !same(draft.texts[name], draft.base[name])));
    if (!back.length) {
      if (!draft.sent) write(key, null); // a refused form comes back as it was sent: the server has none of it
      return;
    }
    for (const name of back) put(name, draft.texts[name]);
    if (server) { server.resume(draft); return; }
    const newer = back.filter((name) => !same(shown[name], draft.base[name])).map((name) => [named(name)[0], shown[name]]);
    tell(form, newer, () => {
      write(key, null);
      for (const name of back) put(name, shown[name]);
      named(back[0])[0].focus();
    });
  }

  /** What a field opened with, whatever the browser has put back in it since. */
  function opened([first, ...others]) {
    if (first.type === 'radio') return [first, ...others].find((each) => each.defaultChecked)?.value ?? '';
    if (first.tagName !== 'SELECT') return first.defaultValue;
    return ([...first.options].find((option) => option.defaultSelected) ?? first.options[0])?.value ?? '';
  }

  // ---------------------------------------------------------------- what is said

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  /** That words are back, with what the server was given since (`newer`: fields and texts), and how to drop them. */
  function tell(form, newer, drop) {
    const status = element('p'), button = element('button', { type: 'button', className: 'small', textContent: said.drop });
    status.setAttribute('role', 'status');
    const box = element('div', { className: 'returned infobox' }, status, button);
    if (newer.length) {
      const told = element('dl', {}, ...newer.flatMap(([field, text]) => [element('dt', { textContent: label(field) }), element('dd', { textContent: text || '—' })]));
      box.append(element('details', { open: true }, element('summary', { textContent: said.newer }), told));
    }
    button.addEventListener('click', () => {
      box.replaceChildren(status);
      status.textContent = said.dropped;
      drop();
    });
    form.prepend(box);
    for (let fold = form.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
    requestAnimationFrame(() => { status.textContent = said.back; }); // said once it is there: a reader hears of the change
  }

  function label(field) {
    const place = field.type === 'radio' ? field.closest('fieldset')?.querySelector('legend') : field.labels?.[0];
    return place?.firstChild?.textContent.trim() ?? '';
  }

  // ---------------------------------------------------------------- and on the server

  /** A draft that the server keeps too. One request at a time: each is based on the version that the one before made. */
  function onServer(form, key) {
    const status = form.querySelector('[role=status]'), { seen, typed } = form.elements;
    let timer = 0, wait = 1, sending = null;

    const say = (text) => { if (status) status.textContent = text; };

    function later(seconds) {
      clearTimeout(timer);
      timer = setTimeout(send, seconds * 1000);
    }

    function send() {
      sending ??= attempt().finally(() => { sending = null; });
      return sending;
    }

    function posted(draft) {
      const body = new FormData();
      const stamped = { ...draft.texts, seen: draft.seen, typed: draft.at / 1000, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value };
      for (const [name, text] of Object.entries(stamped)) body.append(name, text);
      return body;
    }

    async function attempt() {
      const draft = read(key);
      if (!draft) return;
      try {
        const response = await fetch(form.dataset.keep, { method: 'POST', body: posted(draft), redirect: 'manual' });
        if (response.status === 409) { say((await response.json()).sentence); return; }
        if (response.status !== 200) throw new Error(response.status);
        const { version, latest, others } = await response.json();
        wait = 1;
        if (latest) seen.value = version; // else what was typed elsewhere is in force, and stays beside this
        const now = read(key);
        if (!now || Object.keys(now.texts).every((name) => same(now.texts[name], draft.texts[name]))) write(key, null);
        else { write(key, { ...now, seen: seen.value }); later(1); }
        say(others || !latest ? form.dataset.elsewhere : form.dataset.saved);
      } catch {
        say(form.dataset.waits);
        wait = Math.min(wait * 2, 30);
        later(wait);
      }
    }

    /** The version that was typed over: the server keeps what was written since beside it. */
    function stamp(draft) {
      draft.seen = seen.value;
      typed.value = draft.at / 1000;
    }

    function resume(draft) {
      seen.value = draft.seen;
      typed.value = draft.at / 1000;
      send();
    }

    addEventListener('online', () => later(0));
    addEventListener('pagehide', () => { const draft = read(key); if (draft) navigator.sendBeacon?.(form.dataset.keep, posted(draft)); });
    return { stamp, later, resume };
  }

  forget();
  for (const form of document.querySelectorAll('form[data-words]')) keep(form);
  document.addEventListener('submit', sent);
})();
