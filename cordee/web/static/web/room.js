/* The room in a browser. Three duties, in this order: never lose a word, send each act once, keep the page live.
   What is shown comes from the server (htmx morphs the parts it streams); nothing here decides what a person may see. */
(() => {
  'use strict';

  const stage = document.getElementById('stage');
  const words = document.getElementById('words')?.dataset ?? {};
  const { me, room, now: serverNow } = document.body.dataset;
  const skew = Number(serverNow) - Date.now() / 1000; // this device's clock may be wrong
  const now = () => Date.now() / 1000 + skew;
  const SILENT_AFTER = 40, ANSWER_WITHIN = 15; // seconds; the server beats every 15
  const KEPT_ACTS = ['write', 'edit', 'mark'];
  document.documentElement.classList.add('scripted');

  // ---------------------------------------------------------------- what this device keeps

  const prefix = `cordee:${room}:${me}:`;
  const memory = new Map(); // when the browser refuses storage, at least until the page closes
  const store = {
    get(key) {
      try { return JSON.parse(localStorage.getItem(prefix + key)) ?? memory.get(key) ?? null; } catch { return memory.get(key) ?? null; }
    },
    set(key, value) {
      memory.set(key, value);
      try { localStorage.setItem(prefix + key, JSON.stringify(value)); } catch { /* full or forbidden: memory has it */ }
    },
    remove(key) {
      memory.delete(key);
      try { localStorage.removeItem(prefix + key); } catch { /* as above */ }
    },
    drafts() {
      const keys = new Set([...memory.keys()].filter((key) => key.startsWith('draft:')));
      try {
        for (const key of Object.keys(localStorage)) if (key.startsWith(prefix + 'draft:')) keys.add(key.slice(prefix.length));
      } catch { /* as above */ }
      return [...keys];
    },
  };

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(18)); // crypto.randomUUID is absent on plain http
    return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_');
  }

  // ---------------------------------------------------------------- drafts

  const isText = (field) => field.matches('textarea, input:not([type]), input[type=text], input[type=date]');
  const fieldsOf = (form) => [...form.elements].filter((field) => field.name?.startsWith('body.'));
  const keyOf = (field) => `draft:${field.form.dataset.draft}:${field.name.slice(5)}`;

  function dirty(field) {
    if (field.tagName === 'SELECT') return [...field.options].some((option) => option.selected !== option.defaultSelected);
    if (field.type === 'radio' || field.type === 'checkbox') return field.checked !== field.defaultChecked;
    return field.value !== field.defaultValue;
  }

  /** What is written becomes what the server knows: not dirty any more, and morphed from now on. */
  function settle(field) {
    if (field.tagName === 'SELECT') for (const option of field.options) option.defaultSelected = option.selected;
    else if (field.type === 'radio') field.defaultChecked = field.checked;
    else field.defaultValue = field.value;
  }

  function put(field, text) {
    if (field.type === 'radio') field.checked = field.value === text;
    else field.value = text;
  }

  /** A field fresh on the page gets back what was typed: here or, if newer, on another device. */
  function restore(field) {
    if (field.dataset.restored) return;
    field.dataset.restored = '1';
    if (dirty(field)) { remember(field); return; } // typed before this script came: newer than any draft
    const draft = store.get(keyOf(field));
    const theirs = Number(field.dataset.draftAt ?? 0);
    if (field.dataset.draftAt) {
      const text = field.value;
      field.defaultValue = field.dataset.sent ?? '';
      field.value = text;
    }
    if (draft && draft.text && draft.at >= theirs) put(field, draft.text);
  }

  let unsent = new Set(), draftTimer = 0;

  function remember(field) {
    if (field.type === 'radio' && !field.checked) return;
    const label = field.form.querySelector(`[for="${field.id}"]`)?.firstChild.data ?? '';
    store.set(keyOf(field), { text: field.value, at: now(), label, typed: isText(field) && field.type !== 'date' });
    if (!/^edit-|\.for$/.test(field.form.dataset.draft)) {
      unsent.add(field.form);
      clearTimeout(draftTimer);
      draftTimer = setTimeout(sendDrafts, 1000);
    }
  }

  function sendDrafts(_event, leaving = false) {
    clearTimeout(draftTimer);
    for (const form of unsent) {
      const body = new URLSearchParams({ kind: form.dataset.draft });
      for (const [name, value] of new FormData(form)) if (name.startsWith('body.')) body.append(name, value);
      if (leaving && navigator.sendBeacon?.('brouillon', body)) continue;
      fetch('brouillon', { method: 'POST', body, keepalive: true, headers: { 'X-Cordee': '1' } }).catch(() => {});
    }
    unsent = new Set();
  }

  function forget(form, sent) {
    unsent.delete(form);
    for (const field of fieldsOf(form)) {
      const draft = store.get(keyOf(field));
      if (draft && sent.getAll(field.name).includes(draft.text)) store.remove(keyOf(field));
    }
  }

  /** After the server has it. Words typed meanwhile stay. */
  function clear(form, sent) {
    forget(form, sent);
    for (const field of fieldsOf(form)) {
      if (field.type !== 'radio' && field.value !== (sent.get(field.name) ?? '')) continue;
      if (!('single' in form.dataset) && !form.dataset.draft?.startsWith('edit-')) put(field, '');
      settle(field);
      delete field.dataset.draftAt;
    }
    if ('clears' in form.dataset) form.reset();
    const hint = form.querySelector('.hint');
    if (hint) hint.hidden = true;
  }

  // ---------------------------------------------------------------- acts

  async function post(body) {
    const response = await fetch('contributions', {
      method: 'POST', body, headers: { 'X-Cordee': '1' }, redirect: 'manual', signal: AbortSignal.timeout?.(ANSWER_WITHIN * 1000),
    });
    if (response.ok || response.type === 'opaqueredirect') return null;
    // Too many at once, or a server that restarts: not a judgement on what was sent.
    if (response.status >= 500 || response.status === 429 || response.status === 408) throw new Error(response.status);
    return response.json().catch(() => ({ reason: '', sentence: `${words.refused ?? ''} (${response.status})` }));
  }

  function say(form, sentence) {
    let place = form.querySelector(':scope > .said');
    if (!place) {
      place = document.createElement('p');
      place.className = 'said refusal';
      place.setAttribute('role', 'alert');
      form.append(place);
    }
    place.textContent = sentence;
    place.hidden = !sentence;
  }

  async function act(form, submitter) {
    if (form.dataset.busy) return;
    const body = new URLSearchParams(new FormData(form));
    if (submitter?.name) body.set(submitter.name, submitter.value);
    const kind = body.get('do');
    if (kind === 'write' || kind === 'add_seat') body.set('id', newId());
    form.dataset.busy = '1';
    submitter?.setAttribute('aria-busy', 'true');
    say(form, '');
    try {
      const refused = await post(body);
      if (refused) refuse(form, refused);
      else clear(form, body);
    } catch {
      if (!KEPT_ACTS.includes(kind)) say(form, words.retry);
      else {
        keep(body);
        clear(form, body);
      }
    }
    delete form.dataset.busy;
    submitter?.removeAttribute('aria-busy');
  }

  function refuse(form, { reason, sentence }) {
    say(form, sentence);
    form.querySelector(`[data-if-refused="${CSS.escape(reason ?? '')}"]`)?.classList.add('asked');
  }

  // ---------------------------------------------------------------- what waits to be sent

  const waiting = () => store.get('outbox') ?? [];
  let retryTimer = 0, retryAfter = 2, flushing = false;

  function keep(body) {
    store.set('outbox', [...waiting(), { body: body.toString(), key: newId() }]);
    showWaiting();
    later();
  }

  function update(key, change) {
    store.set('outbox', waiting().flatMap((item) => (item.key !== key ? [item] : change ? [{ ...item, ...change }] : [])));
    showWaiting();
  }

  function later() {
    clearTimeout(retryTimer);
    retryTimer = setTimeout(flush, retryAfter * 1000);
    retryAfter = Math.min(retryAfter * 2, 10); // words leave within seconds of the server being back
  }

  /** Sends what waits, in order, one at a time. The server knows the ids: twice is once. */
  async function flush() {
    if (flushing) return;
    flushing = true;
    try {
      for (const item of waiting().filter((each) => !each.refused)) {
        const refused = await post(new URLSearchParams(item.body));
        update(item.key, refused && { refused: refused.sentence });
      }
      retryAfter = 2;
    } catch {
      later();
    }
    flushing = false;
  }

  function textOf(body) {
    return [...new URLSearchParams(body)].filter(([name]) => name.startsWith('body.') || name === 'value').map(([, value]) => value).filter(Boolean).join('\n');
  }

  function button(label, run) {
    const element = document.createElement('button');
    element.type = 'button';
    element.className = 'small';
    element.textContent = label;
    element.addEventListener('click', run);
    return element;
  }

  function waitingCard(state, text, actions) {
    const card = document.createElement('div'), line = document.createElement('p'), said = document.createElement('p'), row = document.createElement('div');
    card.className = 'waiting'; line.className = 'state'; said.className = 'words'; row.className = 'row';
    line.textContent = state;
    said.textContent = text;
    row.append(...actions);
    card.append(line, said, row);
    return card;
  }

  async function keepAsNote(text, done) {
    const body = new URLSearchParams({ do: 'write', kind: 'note', id: newId(), 'body.text': text });
    try {
      if (await post(body)) return;
    } catch {
      keep(body);
    }
    done();
  }

  /** Unsent words whose form has gone with its step are shown, until their author says what becomes of them. */
  function orphans() {
    const here = new Set([...document.querySelectorAll('form[data-draft]')].map((form) => form.dataset.draft));
    return store.drafts().filter((key) => !here.has(key.split(':')[1]) && store.get(key)?.typed && store.get(key).text.trim());
  }

  function showWaiting() {
    const box = document.getElementById('outbox');
    if (!box) return;
    const cards = waiting().map(({ body, key, refused }) => {
      const text = textOf(body), drop = () => update(key, null);
      if (!refused) return waitingCard(words.pending, text, []);
      return waitingCard(`${words.refused} : ${refused}`, text, [
        button(words.again, () => { update(key, { refused: '' }); flush(); }), button(words.keep, () => keepAsNote(text, drop)), button(words.drop, drop)]);
    });
    for (const key of orphans()) {
      const { text, label } = store.get(key), drop = () => { store.remove(key); showWaiting(); };
      cards.push(waitingCard(`${words.draft} : ${label}`, text, [button(words.keep, () => keepAsNote(text, drop)), button(words.drop, drop)]));
    }
    box.replaceChildren(...cards);
  }

  // ---------------------------------------------------------------- the private hint on a question

  let hintTimer = 0;

  function hint(form) {
    clearTimeout(hintTimer);
    hintTimer = setTimeout(async () => {
      const place = form.querySelector('.hint'), field = form.elements['body.text'];
      if (!place || !field) return; // the step is over
      const text = field.value;
      try {
        const answer = text.trim() ? await (await fetch('indice', { method: 'POST', body: new URLSearchParams({ text }), headers: { 'X-Cordee': '1' } })).json() : {};
        if (text !== field.value || !place.firstElementChild) return;
        place.firstElementChild.textContent = answer.text ?? '';
        place.hidden = !answer.text;
      } catch { /* a hint is never worth an error */ }
    }, 900);
  }

  async function keepAs(kind, form) {
    const body = new URLSearchParams({ do: 'write', kind, id: newId(), 'body.text': form.elements['body.text'].value });
    try {
      const refused = await post(body);
      if (refused) return refuse(form, refused);
    } catch {
      keep(body);
    }
    body.set('kind', form.dataset.draft);
    clear(form, body);
  }

  // ---------------------------------------------------------------- the soft clock

  const spell = (seconds) => {
    const s = Math.max(0, Math.round(seconds));
    return s < 60 ? `${s} s` : s < 600 && s % 60 ? `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')}` : (words.minutes ?? '{n}').replace('{n}', Math.round(s / 60));
  };

  function tick() {
    const clock = document.querySelector('.clock');
    if (clock) {
      const { from, minutes, paused, silence } = clock.dataset;
      const at = paused ? Number(paused) : now();
      const left = Math.min(minutes * 60, Number(from) + minutes * 60 - at), quiet = silence ? Math.min(silence - from, silence - at) : 0; // the clock may have been put back
      clock.classList.toggle('over', left < 0);
      clock.classList.toggle('silent', quiet > 0 && !paused);
      clock.classList.toggle('paused', Boolean(paused));
      clock.firstElementChild.value = Math.min(100, 100 - (left / (minutes * 60)) * 100);
      const text = paused ? words.paused
        : quiet > 0 ? words.silence?.replace('{t}', spell(quiet))
        : left < 0 ? words.over?.replace('{t}', spell(left < -60 ? Math.floor(-left / 60) * 60 : -left))
        : words.left?.replace('{t}', spell(left > 60 ? Math.ceil(left / 60) * 60 : left));
      const place = clock.querySelector('.left');
      if (text && place.textContent !== text) place.textContent = text;
    }
    for (const signal of document.querySelectorAll('[data-since]')) signal.classList.toggle('due', Number(signal.dataset.since) <= now());
  }

  // ---------------------------------------------------------------- the live line

  let heard = Date.now(), over = false, seenAgain = Date.now();
  const patience = 5000 + 5000 * Math.random(); // a room that returns does not come in one burst

  function line(text) {
    const place = document.getElementById('line');
    if (!place || (place.textContent === (text ?? '') && place.hidden === !text)) return;
    place.textContent = text ?? '';
    place.hidden = !text;
  }

  function alive() {
    heard = Date.now();
    if (over) return;
    line('');
    if (waiting().some((item) => !item.refused) && retryAfter > 2) { retryAfter = 2; flush(); }
  }

  function end(why) {
    over = true;
    const place = document.getElementById('line');
    place?.classList.add('gone');
    line(words[why === 'closed' ? 'closed' : 'revoked']);
    for (const each of document.querySelectorAll('form[data-act] button')) each.disabled = true;
    hangUp();
    // Its words stay on this device; what others wrote does not stay on a screen that may no longer read it.
    for (const id of ['groups', 'past', 'request', 'hand', 'ring']) document.getElementById(id)?.replaceChildren();
  }

  const sse = () => stage._htmx?.sse;

  function hangUp() {
    sse()?.abortController?.abort();
    const reader = sse()?.reader;
    stage.removeAttribute('hx-sse:connect');
    stage.addEventListener('htmx:before:sse:connection', (event) => event.preventDefault());
    reader?.cancel().catch(() => {});
  }

  /** The line has been silent for too long: whatever hangs is let go, and asked again. */
  function reconnect() {
    const connection = sse();
    heard = Date.now() - (connection ? (SILENT_AFTER - 8) * 1000 : 0); // asked again soon, should this one hang too
    if (connection?.reader) connection.reader.cancel().catch(() => {});
    else if (connection) { connection.abortController?.abort(); connection.delayCanceller?.(); }
    else connect();
  }

  /** Opened from here and not by htmx at load, so that nothing is morphed before the drafts are back. */
  function connect() {
    if (over || !window.htmx || sse()) return;
    window.htmx.trigger(stage, 'htmx:abort');
    window.htmx.ajax('GET', 'stream', { source: stage, swap: 'none' }).catch(() => {});
  }

  function watch() {
    if (over || document.hidden || Date.now() - seenAgain < 3000) return;
    if (Date.now() - heard > (sse() ? SILENT_AFTER * 1000 : patience)) {
      line(words.lost);
      reconnect();
    }
  }

  /** After each message: what the shared parts cannot know about this seat. */
  function refresh() {
    for (const seat of document.querySelectorAll('[data-seat]')) seat.classList.toggle('me', seat.dataset.seat === me);
    for (const form of document.querySelectorAll('form[data-draft]')) fieldsOf(form).forEach(restore);
    for (const input of document.querySelectorAll('input[list]')) known(input.getAttribute('list'));
    showWaiting();
    tick();
    fit();
    const leads = Boolean(document.querySelector('#hand .hand'));
    // The animation was handed over: its header and sheets are only drawn with the page.
    if (document.getElementById('hand') && leads !== document.body.classList.contains('leads')) { sendDrafts(); location.reload(); }
  }

  /** A shared screen has nobody to scroll it: more words are written smaller, within what can still be read. */
  function fit() {
    const classes = document.body.classList;
    if (!classes.contains('screen')) return;
    classes.remove('dense', 'denser');
    for (const size of ['dense', 'denser']) if (document.documentElement.scrollHeight > innerHeight + 4) classes.add(size);
  }

  /** Themes and values already named in the room are offered again. */
  function known(id) {
    let list = document.getElementById(id);
    if (!list) {
      list = document.createElement('datalist');
      list.id = id;
      document.body.append(list);
    }
    const values = new Set([...document.querySelectorAll(`input[list="${CSS.escape(id)}"]`)].map((input) => input.defaultValue).filter(Boolean));
    list.replaceChildren(...[...values].map((value) => new Option(value)));
  }

  // ---------------------------------------------------------------- wiring

  const busyWith = (node) => {
    if (node.matches?.('textarea, select, input:not([type=hidden])')) return node === document.activeElement && isText(node) ? true : dirty(node);
    return node.matches?.('.said');
  };

  function wire() {
    window.htmx?.registerExtension('cordee', {
      // What is being typed belongs to who types: no morph touches it.
      htmx_before_morph_node: (node, { newNode }) => {
        if (busyWith(node)) return false;
        if (node.dataset?.restored && newNode.dataset) newNode.dataset.restored = '1';
        return true;
      },
      // What a person has unfolded stays unfolded.
      htmx_before_morph_attr: (node, { attrName }) => !(attrName === 'open' && node.tagName === 'DETAILS'),
    });
  }

  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!form.matches('form[data-act]')) return;
    event.preventDefault();
    act(form, event.submitter);
  });
  document.addEventListener('input', ({ target }) => {
    if (!target.form?.dataset.draft || !target.name?.startsWith('body.')) return;
    remember(target);
    if ('hint' in target.form.dataset) hint(target.form);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.target.form?.requestSubmit();
  });
  document.addEventListener('click', ({ target }) => {
    const keepButton = target.closest?.('[data-keep]'), copyButton = target.closest?.('[data-copy]');
    if (keepButton) keepAs(keepButton.dataset.keep, keepButton.form);
    if (copyButton) navigator.clipboard?.writeText(copyButton.dataset.copy).then(() => { copyButton.textContent = words.copied; });
  });
  addEventListener('pagehide', () => sendDrafts(null, true));
  addEventListener('online', () => { retryAfter = 2; flush(); reconnect(); });
  addEventListener('offline', () => line(words.lost));
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) sendDrafts(null, true);
    else {
      seenAgain = heard = Date.now();
      if (waiting().some((item) => !item.refused)) { retryAfter = 2; flush(); }
    }
  });

  if (stage) {
    stage.addEventListener('htmx:after:sse:connection', alive);
    stage.addEventListener('htmx:before:sse:message', alive);
    stage.addEventListener('htmx:after:sse:message', refresh);
    stage.addEventListener('beat', alive);
    stage.addEventListener('bye', ({ detail }) => end(detail?.data));
    stage.addEventListener('htmx:sse:error', ({ detail }) => {
      if ([401, 403, 404, 410].includes(detail?.status)) end('revoked');
      else if (!document.hidden) line(words.lost);
    });
    stage.addEventListener('htmx:error', () => { if (!over && !document.hidden) line(words.lost); });
    wire();
    if (navigator.clipboard) for (const copy of document.querySelectorAll('[data-copy]')) copy.hidden = false;
    refresh();
    document.addEventListener('DOMContentLoaded', () => setTimeout(connect));
    setInterval(tick, 1000);
    setInterval(watch, 2000);
    if (waiting().length) flush();
  }
})();
