/* The room in a browser. Three duties, in this order: never lose a word, send each act once, keep the page live.
   What is shown comes from the server (htmx morphs the parts it streams); nothing here decides what a person may see. */
(() => {
  'use strict';

  const stage = document.getElementById('stage');
  const words = document.getElementById('words')?.dataset ?? {};
  const { me, room, release, now: serverNow } = document.body.dataset;
  let skew = Number(serverNow) - Date.now() / 1000; // this device's clock may be wrong; each hello sets it
  const now = () => Date.now() / 1000 + skew;
  const SILENT_AFTER = 22, OPENS_WITHIN = 8, ANSWER_WITHIN = 15, SHOWN_AFTER = 5; // seconds; the server beats every 15
  const MOST_FAILURES = 5, WAITS = 'waits';
  const KEPT_ACTS = ['write', 'edit', 'mark'];
  document.documentElement.classList.add('scripted');

  // ---------------------------------------------------------------- what this device keeps

  const prefix = `cordee:${room}:${me}:`;
  const memory = new Map(); // when the browser refuses storage, at least until the page closes
  const store = {
    get(key) {
      try { return memory.get(key) ?? JSON.parse(localStorage.getItem(prefix + key)); } catch { return memory.get(key) ?? null; }
    },
    set(key, value) {
      try {
        localStorage.setItem(prefix + key, JSON.stringify(value));
        memory.delete(key);
      } catch { memory.set(key, value); } // full or forbidden
    },
    remove(key) {
      memory.delete(key);
      try { localStorage.removeItem(prefix + key); } catch { /* as above */ }
    },
    keys(start) {
      let kept = [];
      try { kept = Object.keys(localStorage).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)); } catch { /* as above */ }
      return [...new Set([...kept, ...memory.keys()])].filter((key) => key.startsWith(start)).sort();
    },
  };

  const idFrom = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_');
  const newId = () => idFrom(crypto.getRandomValues(new Uint8Array(18))); // crypto.randomUUID is absent on plain http

  // ---------------------------------------------------------------- drafts

  const isText = (field) => field.matches('textarea, input:not([type]), input[type=text], input[type=date]');
  const onThisDevice = /^(edit|mark)-|\.for$/; // drafts that are kept here alone
  const fieldsOf = (form) => [...form.elements].filter((field) => field.name?.startsWith('body.') || (field.name === 'value' && field.matches('textarea')));
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
    if (isEntrusted(field)) { // on its way since before this page was opened
      if (!('single' in field.form.dataset)) put(field, '');
      settle(field);
      return;
    }
    if (dirty(field)) { remember(field); return; } // typed before this script came: newer than any draft
    const draft = store.get(keyOf(field));
    const theirs = Number(field.dataset.draftAt ?? 0);
    if (field.dataset.draftAt) {
      const text = field.value;
      field.defaultValue = field.dataset.sent ?? '';
      field.value = text;
    }
    if (draft && draft.at >= theirs && (draft.text || theirs)) put(field, draft.text);
    else if (theirs && field.value) record(field, theirs); // the forms may be drawn anew, without their drafts
  }

  let unsent = new Set(), draftTimer = 0, draftAfter = 1, saving = Promise.resolve();

  function record(field, at) {
    const label = field.form.querySelector(`[for="${field.id}"]`)?.firstChild.data ?? '';
    store.set(keyOf(field), { text: field.value, at, label, typed: isText(field) && field.type !== 'date' });
  }

  function remember(field) {
    if (field.type === 'radio' && !field.checked) return;
    record(field, now());
    if (!onThisDevice.test(field.form.dataset.draft)) {
      unsent.add(field.form);
      clearTimeout(draftTimer);
      draftTimer = setTimeout(sendDrafts, 1000);
    }
  }

  function sendDrafts(leaving = false) {
    clearTimeout(draftTimer);
    const forms = [...unsent];
    unsent = new Set();
    saving = Promise.all(forms.map((form) => sendDraft(form, leaving)));
  }

  /** The form itself, or the one that was drawn in its place with its fields. */
  const standing = (form) => (form.isConnected ? form : document.querySelector(`form[data-draft="${CSS.escape(form.dataset.draft)}"]`));

  /** With the time at which it was typed: what another device typed later is not put back. */
  async function sendDraft(typedIn, leaving) {
    const form = standing(typedIn);
    if (!form) return; // its step is over: this device shows what was typed
    const body = new URLSearchParams({ kind: form.dataset.draft, at: typedAt(form) });
    for (const [name, value] of new FormData(form)) if (name.startsWith('body.')) body.append(name, value);
    if (leaving && navigator.sendBeacon?.('brouillon', body)) return;
    try {
      const { status } = await fetch('brouillon', { method: 'POST', body, keepalive: true, headers: { 'X-Cordee': '1' } });
      if (status >= 500 || status === 429) throw new Error(status);
      draftAfter = 1;
    } catch { // it is on this device; the server is asked again
      unsent.add(form);
      clearTimeout(draftTimer);
      draftAfter = Math.min(draftAfter * 2, 30);
      draftTimer = setTimeout(sendDrafts, draftAfter * 1000);
    }
  }

  const typedAt = (form) => Math.max(0, ...fieldsOf(form).map((field) => store.get(keyOf(field))?.at ?? 0));

  /** One draft sent from two devices is one contribution: its id is drawn from what both of them know, and nobody else. */
  async function idOf(form, body) {
    const at = Math.floor(typedAt(form)), secret = document.querySelector('#mine .copy a')?.href;
    if (!at || !secret || !crypto.subtle || 'single' in form.dataset) return newId(); // crypto.subtle is absent on plain http
    const said = JSON.stringify([secret, at, ...[...body].filter(([name]) => name !== 'id')]);
    return idFrom(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(said))).subarray(0, 18));
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
      if (!('single' in form.dataset) && !/^(edit|mark)-/.test(form.dataset.draft)) put(field, '');
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
    if (response.status === 204) return null;
    // Too many at once, a server that restarts, somebody else who answers in its place: no judgement on what was sent.
    const { status } = response;
    if (status < 400 || status >= 500 || status === 429 || status === 408) throw Object.assign(new Error(status), { status });
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
    form.dataset.busy = '1';
    if (kind === 'write' || kind === 'add_seat') body.set('id', await idOf(form, body));
    submitter?.setAttribute('aria-busy', 'true');
    say(form, '');
    if (KEPT_ACTS.includes(kind)) unsent.delete(form); // its words are about to be in the outbox
    const outcome = KEPT_ACTS.includes(kind) ? await entrust(body) : await attempt(body);
    if (!outcome || outcome === WAITS) clear(form, body);
    else refuse(form, outcome);
    delete form.dataset.busy;
    submitter?.removeAttribute('aria-busy');
  }

  function refuse(form, { reason, sentence }) {
    if (form.dataset.draft) for (const field of fieldsOf(form)) if (dirty(field)) remember(field);
    say(form, sentence);
    form.querySelector(`[data-if-refused="${CSS.escape(reason ?? '')}"]`)?.classList.add('asked');
  }

  // ---------------------------------------------------------------- what waits to be sent

  const waiting = () => store.keys('outbox:').map((key) => ({ key, ...store.get(key) })).filter((item) => item.body);
  const onTheirWay = () => waiting().filter((item) => !item.refused);
  const asking = new Map(); // key -> who waits to hear what became of it
  let retryTimer = 0, retryAfter = 2, flushing = null;

  /** Stored first, under its final id, then sent in its turn. Gives null once taken, a refusal, or WAITS if that takes long. */
  function entrust(body) {
    const last = Number(store.keys('outbox:').at(-1)?.split(':')[1] ?? 0);
    const key = `outbox:${Math.max(Date.now(), last + 1)}:${newId()}`; // their order is that of the keys
    store.set(key, { body: body.toString(), failures: 0 });
    return new Promise((answer) => {
      asking.set(key, answer);
      setTimeout(() => answered(key, WAITS), SHOWN_AFTER * 1000);
      flush();
    });
  }

  /** Tells whoever asked, and whether somebody did. */
  function answered(key, outcome) {
    const answer = asking.get(key);
    asking.delete(key);
    answer?.(outcome);
    showWaiting();
    return Boolean(answer);
  }

  /** What is only worth doing now; it never overtakes words that are on their way. */
  async function attempt(body) {
    const stopped = () => onTheirWay().some((item) => item.failures < MOST_FAILURES);
    try {
      if (stopped()) await flush();
      if (!stopped()) return await post(body);
    } catch { /* said below */ }
    return { sentence: words.retry };
  }

  function later() {
    clearTimeout(retryTimer);
    retryTimer = setTimeout(flush, retryAfter * 1000);
    retryAfter = Math.min(retryAfter * 2, 10); // words leave within seconds of the server being back
  }

  /** There is hope again: no more waiting. */
  function hasten() {
    retryAfter = 2;
    if (onTheirWay().length) flush();
  }

  function flush() {
    flushing ??= sendAll().finally(() => { flushing = null; });
    return flushing;
  }

  /** Sends what waits, strictly in order, one at a time. The server knows the ids: twice is once. */
  async function sendAll() {
    clearTimeout(retryTimer);
    await Promise.race([saving, new Promise((done) => setTimeout(done, 1000))]); // or a draft could outlive its words
    const tried = new Set();
    for (let item; (item = onTheirWay().find(({ key }) => !tried.has(key)));) {
      tried.add(item.key);
      try {
        deliver(item, await post(new URLSearchParams(item.body)));
      } catch ({ status }) {
        const failures = (item.failures ?? 0) + (status >= 500 ? 1 : 0);
        store.set(item.key, { body: item.body, failures });
        if (!status) for (const key of [...asking.keys()]) answered(key, WAITS); // no network: said at once
        if (failures < MOST_FAILURES || !status) return later();
        answered(item.key, WAITS); // the server stumbles over these words: the others may pass
      }
    }
    if (onTheirWay().length) later();
    else retryAfter = 2;
  }

  /** Taken, or refused: then the words go back to their field, if it is free. */
  function deliver({ key, body }, refused) {
    if (!refused) store.remove(key);
    else if (asking.has(key) || giveBack(new URLSearchParams(body), refused)) store.remove(key);
    else store.set(key, { body, refused: refused.sentence });
    answered(key, refused);
  }

  function draftOf(body) {
    if (body.get('do') === 'edit') return `edit-${body.get('id')}`;
    if (body.get('do') === 'mark') return `mark-${body.get('id')}-${body.get('mark')}`;
    return body.get('do') === 'write' ? body.get('kind') + (body.get('behalf') ? '.for' : '') : '';
  }

  function giveBack(body, refused) {
    const draft = draftOf(body), form = draft && document.querySelector(`form[data-draft="${CSS.escape(draft)}"]`);
    if (!form || fieldsOf(form).some((field) => isText(field) && field.value.trim() && field.value !== body.get(field.name))) return false;
    for (const field of fieldsOf(form)) {
      if (isText(field)) field.defaultValue = '';
      put(field, body.get(field.name) ?? '');
    }
    refuse(form, refused);
    return true;
  }

  const isEntrusted = (field) => field.value && onTheirWay().some((item) => {
    const body = new URLSearchParams(item.body);
    return draftOf(body) === field.form.dataset.draft && body.get(field.name) === field.value;
  });

  /** A tab killed after it had stored what it sent: it is not a draft any more. */
  function forgetEntrusted() {
    for (const item of onTheirWay()) {
      const body = new URLSearchParams(item.body);
      for (const [name, text] of body) {
        const key = `draft:${draftOf(body)}:${name.slice(5)}`;
        if ((name.startsWith('body.') || name === 'value') && store.get(key)?.text === text) store.remove(key);
      }
    }
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
    const outcome = await entrust(new URLSearchParams({ do: 'write', kind: 'note', id: newId(), 'body.text': text }));
    if (!outcome || outcome === WAITS) done();
  }

  /** Unsent words whose form has gone with its step are shown, until their author says what becomes of them. */
  function orphans() {
    const here = new Set([...document.querySelectorAll('form[data-draft]')].map((form) => form.dataset.draft));
    return store.keys('draft:').filter((key) => !here.has(key.split(':')[1]) && store.get(key)?.typed && store.get(key).text.trim());
  }

  function showWaiting() {
    const box = document.getElementById('outbox');
    if (!box) return;
    const cards = waiting().filter(({ key }) => !asking.has(key)).map(({ body, key, refused, failures }) => {
      const text = textOf(body), drop = () => { store.remove(key); showWaiting(); };
      if (!refused) return waitingCard(failures >= MOST_FAILURES ? words.stuck : words.pending, text, []);
      return waitingCard(`${words.refused} : ${refused}`, text, [
        button(words.again, () => { store.set(key, { body, failures: 0 }); showWaiting(); flush(); }), button(words.keep, () => keepAsNote(text, drop)), button(words.drop, drop)]);
    });
    for (const key of orphans()) {
      const { text, label } = store.get(key), drop = () => { store.remove(key); showWaiting(); };
      cards.push(waitingCard(`${words.draft} : ${label}`, text, [button(words.keep, () => keepAsNote(text, drop)), button(words.drop, drop)]));
    }
    box.replaceChildren(...cards);
  }

  /** Before this device leaves: nothing of this seat stays on it. Words that have not left hold it back. */
  function forgetAll(form) {
    if (waiting().length) { say(form, words.leave); hasten(); return false; }
    sendDrafts(); // they wait on the server
    unsent = new Set();
    for (const key of store.keys('')) store.remove(key);
    return true;
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
    const outcome = await entrust(body);
    if (outcome && outcome !== WAITS) { refuse(form, outcome); return; }
    body.set('kind', form.dataset.draft);
    clear(form, body);
  }

  // ---------------------------------------------------------------- the soft clock

  const spell = (seconds) => {
    const s = Math.max(0, Math.round(seconds));
    return s < 60 ? `${s} s` : s < 600 && s % 60 ? `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')}` : (words.minutes ?? '{n}').replace('{n}', Math.round(s / 60));
  };

  function tick() {
    for (const clock of document.querySelectorAll('.clock')) {
      const { from, paused, silence, until, seconds, name } = clock.dataset, minutes = seconds ? seconds / 60 : clock.dataset.minutes;
      const at = paused ? Number(paused) : now();
      const left = Math.min(minutes * 60, Number(from) + minutes * 60 - at), quiet = silence ? Math.min(silence - from, silence - at) : 0; // the clock may have been put back
      clock.classList.toggle('over', until ? Number(until) < now() : left < 0);
      clock.classList.toggle('silent', quiet > 0 && !paused);
      clock.classList.toggle('paused', Boolean(paused));
      clock.firstElementChild.value = Math.min(100, 100 - (left / (minutes * 60)) * 100);
      const text = paused ? (until ? '' : words.paused) // the server has written when it ends
        : quiet > 0 ? words.silence?.replace('{t}', spell(quiet))
        : left < 0 ? words.over?.replace('{t}', spell(left < -60 ? Math.floor(-left / 60) * 60 : -left))
        : words.left?.replace('{t}', spell(left > 60 ? Math.ceil(left / 60) * 60 : left));
      const place = clock.querySelector('.left'), told = name && text ? `${name} : ${text}` : text; // whose turn it is
      if (told && place.textContent !== told) place.textContent = told;
    }
    for (const signal of document.querySelectorAll('[data-since]')) signal.classList.toggle('due', Number(signal.dataset.since) <= now());
  }

  // ---------------------------------------------------------------- the live line

  let heard = Date.now(), over = false, seenAgain = Date.now(), ticked = Date.now();
  let since = Date.now(); // since when the stream is asked to speak
  let spoke = false; // it has said something since
  let doubt = false; // it fell silent: its first words prove nothing, a beat does
  let first = false, mixed = false; // the next view is a whole one; this page shows what was asked for elsewhere
  let shown = document.body.dataset.shown; // what the page was opened with: its first stream need not say it again
  let tag = '', asked = false, askAt = 0; // of GET maintenant
  const patience = 5000 + 5000 * Math.random(); // a room that returns does not come in one burst

  function line(text) {
    const place = document.getElementById('line');
    if (!place || (place.textContent === (text ?? '') && place.hidden === !text)) return;
    place.textContent = text ?? '';
    place.hidden = !text;
    place.classList.toggle('quiet', text === words.slow);
  }

  /** The stream says something: a part of the page, its clock and release, or a sign of life. */
  function message({ detail: { message: said } }) {
    heard = Date.now();
    if (over) return;
    if (!said.event && mixed && !first) { // a change to another page than the one shown: it begins again
      said.cancelled = true;
      reconnect();
      return;
    }
    if (!said.event) { first = mixed = false; tag = ''; }
    if (said.event === 'beat') doubt = false;
    spoke = true;
    if (doubt) return;
    line('');
    if (retryAfter > 2) hasten();
  }

  const speaks = () => spoke && !doubt && Date.now() - heard < SILENT_AFTER * 1000;

  /** Something on the way holds the stream back: the page asks for itself, never while the stream speaks. */
  async function ask() {
    if (asked || Date.now() < askAt) return;
    asked = true;
    const began = Date.now();
    try {
      const response = await fetch(`maintenant?vu=${tag}`, { cache: 'no-store', signal: AbortSignal.timeout?.(ANSWER_WITHIN * 1000) });
      if ([403, 404, 410].includes(response.status)) end('revoked');
      if (!response.ok) throw new Error(response.status);
      const told = await response.json();
      if (!over && !speaks() && heard < began) {
        hello(told);
        if (told.html) {
          mixed = true;
          await window.htmx.swap({ text: told.html, swap: 'none swapEmpty:false', target: stage, sourceElement: stage });
          refresh();
        }
        tag = told.tag;
        line(words.slow);
        if (retryAfter > 2) hasten();
      }
    } catch {
      if (!over && !speaks()) line(words.lost);
    }
    asked = false;
    askAt = Date.now() + Math.max(4000, 4 * (Date.now() - began));
  }

  /** The server's clock, in seconds, and the release that serves. */
  function hello(told) {
    skew = told.now - Date.now() / 1000;
    if (newer !== told.release) renewAt = Date.now() + 5000 * Math.random(); // not everybody in one burst
    newer = told.release;
  }

  // ---------------------------------------------------------------- a new release under an open page

  let newer = release, renewAt = 0;

  const idle = () => !waiting().length && !unsent.size && !isText(document.activeElement)
    && !document.querySelector('form[data-busy], [popover]:popover-open')
    && ![...document.querySelectorAll('form :is(textarea, select, input:not([type=hidden]))')].some(dirty);

  /** True once for each release: a page that stays the old one must not reload for ever. */
  function firstTime() {
    try {
      if (sessionStorage.getItem(prefix + newer)) return false;
      sessionStorage.setItem(prefix + newer, '1');
      return true;
    } catch { return false; }
  }

  function renew() {
    if (newer === release || over || Date.now() < renewAt) return;
    if (idle() && firstTime()) location.reload();
    else document.getElementById('newer').hidden = false;
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
    heard = Date.now() - (connection ? (SILENT_AFTER - OPENS_WITHIN) * 1000 : 0); // asked again soon, should this one hang too
    if (connection?.reader) connection.reader.cancel().catch(() => {});
    else if (connection) { connection.abortController?.abort(); connection.delayCanceller?.(); }
    else connect();
  }

  /** Opened from here and not by htmx at load, so that nothing is morphed before the drafts are back. */
  function connect() {
    if (over || !window.htmx || sse()) return;
    window.htmx.trigger(stage, 'htmx:abort');
    window.htmx.ajax('GET', shown ? `stream?vu=${shown}` : 'stream', { source: stage, swap: 'none' }).catch(() => {});
    shown = '';
  }

  function watch() {
    const slept = Date.now() - ticked > 10000; // the machine, and its connections with it
    ticked = Date.now();
    if (over || document.hidden || Date.now() - seenAgain < 3000) return;
    renew();
    if (slept) { wake(); return; }
    if (Date.now() - heard > (sse() ? SILENT_AFTER * 1000 : patience)) {
      if (spoke) { doubt = true; since = Date.now(); }
      spoke = false;
      reconnect();
    }
    if (doubt || (!spoke && Date.now() - since > OPENS_WITHIN * 1000)) ask();
  }

  function wake() {
    since = Date.now();
    spoke = doubt = false;
    reconnect();
    hasten();
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

  /** Themes and values already named in the room are offered again, after those that the page offers. */
  function known(id) {
    let list = document.getElementById(id);
    if (!list) {
      list = document.createElement('datalist');
      list.id = id;
      document.body.append(list);
    }
    const values = new Set([...document.querySelectorAll(`input[list="${CSS.escape(id)}"]`)].map((input) => input.defaultValue).filter(Boolean));
    for (const said of list.querySelectorAll('[data-said]')) said.remove();
    for (const { value } of list.options) values.delete(value);
    for (const value of values) {
      const option = new Option('', value);
      option.dataset.said = '';
      list.append(option);
    }
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
    if (form.matches('form[data-leave]') && !forgetAll(form)) event.preventDefault();
    if (!form.matches('form[data-act]')) return;
    event.preventDefault();
    act(form, event.submitter);
  });
  document.addEventListener('input', ({ target }) => {
    if (!target.form?.dataset.draft || !fieldsOf(target.form).includes(target)) return;
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
  addEventListener('pagehide', () => sendDrafts(true));
  addEventListener('online', wake);
  addEventListener('offline', () => line(words.lost));
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) sendDrafts(true);
    else {
      seenAgain = heard = ticked = since = Date.now();
      hasten();
    }
  });

  if (stage) {
    stage.addEventListener('htmx:after:sse:connection', ({ detail: { connection } }) => { first = Boolean(connection.lastEventId) || !connection.url.includes('vu='); });
    stage.addEventListener('htmx:before:sse:message', message);
    stage.addEventListener('htmx:after:sse:message', refresh);
    stage.addEventListener('hello', ({ detail }) => { if (!doubt) hello(JSON.parse(detail.data)); });
    document.querySelector('#newer button')?.addEventListener('click', () => location.reload());
    stage.addEventListener('bye', ({ detail }) => end(detail?.data));
    stage.addEventListener('htmx:sse:error', ({ detail }) => {
      if ([401, 403, 404, 410].includes(detail?.status)) end('revoked');
      else if (!document.hidden) line(words.lost);
    });
    stage.addEventListener('htmx:error', () => { if (!over && !document.hidden && !tag) line(words.lost); }); // asking says for itself
    wire();
    if (navigator.clipboard) for (const copy of document.querySelectorAll('[data-copy]')) copy.hidden = false;
    forgetEntrusted();
    refresh();
    document.addEventListener('DOMContentLoaded', () => setTimeout(connect));
    setInterval(tick, 1000);
    setInterval(watch, 2000);
    hasten();
  }
})();
