// SPDX-License-Identifier: AGPL-3.0-or-later
// Lets a form survive a lost connection. Without it each form still works.
// Lines that begin with two slashes and all indentation are left out when this
// file is served.
const rules = self.trustedTypes?.createPolicy('entente', { createHTML: (s) => s });
const doc = document, put = sessionStorage;
let form, key, timer, waits = 0, busy, idle, locked;

const say = (text) => { doc.querySelector('.state').textContent = text; };
const values = () => new URLSearchParams(new FormData(form));

// The tab keeps one form at a time, under the visit's name: on a shared device
// nobody may ever meet the answers of the person before.
function keep() {
  try { put.form = key + values(); } catch { /* storage may be forbidden */ }
}

// Brings back what was chosen before a reload in this tab. The submission's id
// comes back too: whatever happens, the answers count once.
function restore() {
  const old = put.form || '';
  if (!old.startsWith(key)) return put.removeItem('form');
  for (const [name, v] of new URLSearchParams(old.slice(key.length))) {
    const f = form.elements[name];
    // A box comes back checked, the rest by its value.
    if (f) f.checked = f.value = v;
  }
}

function undoable() {
  for (const b of form.querySelectorAll('.undo')) b.hidden = !b.parentNode.querySelector(':checked');
}

// Puts the page that was received in the place of this one: an answer in hand
// needs no second request that may get lost.
function show(html, url) {
  const page = new DOMParser().parseFromString(rules ? rules.createHTML(html) : html, 'text/html');
  history.replaceState(null, '', url);
  doc.title = page.title;
  doc.documentElement.lang = page.documentElement.lang;
  doc.querySelector('main').replaceWith(doc.adoptNode(page.querySelector('main')));
  scrollTo(0, 0);
  start();
  (doc.getElementById('errors') || doc.querySelector('h1')).focus();
}

async function send() {
  if (busy) return;
  clearTimeout(timer);
  busy = true;
  say(form.dataset.busy);
  try {
    const r = await fetch(form.action, { method: 'POST', body: values() });
    if (r.status === 429 || r.status > 499) throw r;
    const html = await r.text();
    // A link that ended may be opened again: then the answers are still here.
    if (r.ok || r.status === 409 || locked) put.removeItem('form');
    waits = 0;
    show(html, r.url);
  } catch {
    say(form.dataset.lost);
    // On a handed device nobody else may read what waits to go out.
    if (locked) for (const e of form.children) e.hidden = !e.matches('.state');
    waits = Math.min(waits * 2 || 2, 60);
    timer = setTimeout(send, waits * 1e3);
  }
  busy = false;
}

// On a device handed to a client, answers do not stay when nobody is there; but
// what was sent and waits for the connection does.
function awake() {
  clearTimeout(idle);
  if (!locked || !form || waits || busy) return;
  say('');
  idle = setTimeout(() => {
    say(form.dataset.still);
    idle = setTimeout(leave, 2e4);
  }, 4e4);
}

function leave() {
  doc.documentElement.hidden = true;
  put.removeItem('form');
  if (form) form.reset();
  fetch('/form/leave', { method: 'POST', keepalive: true }).catch(() => {});
  location.replace(locked ? '/kiosk' : '/blank');
}

function start() {
  clearTimeout(idle);
  form = doc.querySelector('[data-visit]');
  if (!form) return;
  locked = 'idle' in form.dataset;
  key = form.dataset.visit + ' ' + form.elements.form.value + ' ';
  restore();
  undoable();
  awake();
  doc.dispatchEvent(new Event('form'));
}

doc.addEventListener('submit', (e) => {
  const mine = e.target === form;
  if (mine || 'leave' in e.target.dataset) e.preventDefault();
  if (mine) { keep(); send(); } else if ('leave' in e.target.dataset) leave();
});
doc.addEventListener('input', () => { if (form) { keep(); undoable(); } });
doc.addEventListener('click', (e) => {
  if (!e.target.matches('.undo')) return;
  const on = e.target.parentNode.querySelector(':checked');
  on.checked = false;
  on.focus();
  keep();
  undoable();
});
doc.addEventListener('pointerdown', awake);
doc.addEventListener('keydown', awake);
addEventListener('online', () => { if (waits) send(); });
addEventListener('pageshow', (e) => { if (e.persisted) location.reload(); });

const link = doc.querySelector('[data-open]');
if (link && location.hash.length > 1) {
  link.elements.token.value = location.hash.slice(1);
  history.replaceState(null, '', location.pathname);
  link.submit();
} else start();
