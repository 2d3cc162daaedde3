// SPDX-License-Identifier: AGPL-3.0-or-later
// Keeps what is on the page true without a reload, and small conveniences. Every
// page works without it.

// A fetched page is parsed, never run: no script in it is executed.
const policy = window.trustedTypes
  ? window.trustedTypes.createPolicy('entente', { createHTML: (s) => s })
  : { createHTML: (s) => s };

const live = () => [...document.querySelectorAll('[data-live]')];

// Somebody who types or has opened something is not interrupted.
const busy = () => {
  const at = document.activeElement;
  return live().some((part) => part.contains(at) && at.matches('input, textarea, select'));
};

// Whoever moves by keyboard stays where they were: on the same link or button.
const reachable = 'a[href], button, summary, [tabindex]';
const nameOf = (el) => `${el.tagName} ${el.getAttribute('href') ?? ''} ${el.textContent}`;
function keepPlace(part) {
  const at = document.activeElement;
  if (!part.contains(at)) return () => {};
  const before = [...part.querySelectorAll(reachable)];
  const place = before.indexOf(at);
  const name = nameOf(at);
  return () => {
    const after = [...part.querySelectorAll(reachable)];
    (after.find((el) => nameOf(el) === name) ?? after[place])?.focus({ preventScroll: true });
  };
}

// refresh says whether the page is up to date now.
async function refresh() {
  const from = live().find((part) => part.dataset.address)?.dataset.address ?? location.href;
  const answer = await fetch(from, { headers: { Accept: 'text/html', 'Entente-Beat': '1' }, redirect: 'error' });
  if (!answer.ok || busy()) return false;
  const page = new DOMParser().parseFromString(policy.createHTML(await answer.text()), 'text/html');
  const fresh = page.querySelectorAll('[data-live]');
  const now = live();
  if (fresh.length !== now.length) {
    location.assign(from);
    return true;
  }
  now.forEach((part, i) => {
    if (part.innerHTML === fresh[i].innerHTML) return;
    const open = [...part.querySelectorAll('details')].map((d) => d.open);
    const back = keepPlace(part);
    part.replaceChildren(...fresh[i].childNodes);
    part.querySelectorAll('details').forEach((d, k) => { d.open = open[k] ?? d.open; });
    enhance(part);
    back();
  });
  filter();
  return true;
}

// A page that is being left for another, as when the device is handed over, is
// not called back.
let leftAt = 0;
window.addEventListener('beforeunload', () => { leftAt = Date.now(); });

let last = null;
async function beat() {
  if (!document.hidden) {
    try {
      const often = document.querySelector('[data-often]');
      const answer = await fetch('/pulse', { redirect: 'manual' });
      if (answer.type === 'opaqueredirect' && Date.now() - leftAt > 10000) {
        // The sign-in has ended, here or elsewhere: nothing of anybody stays on the screen.
        const typed = [...document.querySelectorAll('textarea, input')].some((el) => el.value !== el.defaultValue);
        document.body.replaceChildren();
        location.replace(location.pathname + (typed ? '?unsaved=1' : location.search)); // the server knows where to
        return;
      }
      const now = answer.ok ? await answer.text() : last;
      // What came while somebody typed is asked for again with the next beat.
      if (last === null || !live().length || (now === last && !often) || await refresh()) last = now;
    } catch {
      // The server or the line is away for a moment; the next beat asks again.
    }
  }
  setTimeout(beat, 2000);
}

function enhance(root) {
  for (const button of root.querySelectorAll('[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  }
  for (const button of root.querySelectorAll('[data-show]')) {
    button.hidden = false;
    button.addEventListener('click', () => {
      const field = document.getElementById(button.dataset.show);
      const shown = field.type === 'text';
      field.type = shown ? 'password' : 'text';
      button.setAttribute('aria-pressed', String(!shown));
    });
  }
  for (const button of root.querySelectorAll('[data-copy]')) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.textContent = button.dataset.copied;
    });
  }
}

// The list shows at once who is looked for; without this the server does it.
function filter() {
  const box = document.querySelector('[data-filter]');
  if (!box || box.defaultValue) return; // then the server has chosen the rows
  const wanted = box.value.trim().toLocaleLowerCase();
  let shown = 0;
  for (const row of document.querySelectorAll('.case')) {
    row.hidden = !row.querySelector('.name').textContent.toLocaleLowerCase().includes(wanted);
    if (!row.hidden) shown += 1;
  }
  const none = document.querySelector('[data-none]');
  if (none) none.hidden = shown > 0;
}
document.querySelector('[data-filter]')?.addEventListener('input', filter);

// A second tap on a slow line sends nothing twice.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (Date.now() - (form.dataset.sent ?? 0) < 4000) event.preventDefault();
  else form.dataset.sent = Date.now();
});

window.addEventListener('beforeprint', () => {
  for (const d of document.querySelectorAll('details.behind')) d.open = true;
});
enhance(document);
beat();
