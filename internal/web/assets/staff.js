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

async function refresh() {
  const from = live().find((part) => part.dataset.address)?.dataset.address ?? location.href;
  const answer = await fetch(from, { headers: { Accept: 'text/html' }, redirect: 'error' });
  if (!answer.ok || busy()) return;
  const page = new DOMParser().parseFromString(policy.createHTML(await answer.text()), 'text/html');
  const fresh = page.querySelectorAll('[data-live]');
  const now = live();
  if (fresh.length !== now.length) {
    location.reload();
    return;
  }
  now.forEach((part, i) => {
    if (part.innerHTML === fresh[i].innerHTML) return;
    const open = [...part.querySelectorAll('details')].map((d) => d.open);
    part.replaceChildren(...fresh[i].childNodes);
    part.querySelectorAll('details').forEach((d, k) => { d.open = open[k] ?? d.open; });
    enhance(part);
  });
}

let last = null;
async function beat() {
  if (!document.hidden) {
    try {
      const often = document.querySelector('[data-often]');
      const answer = await fetch('/pulse', { redirect: 'error' });
      const now = answer.ok ? await answer.text() : last;
      if ((last !== null && now !== last) || often) await refresh();
      last = now;
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
  for (const button of root.querySelectorAll('[data-copy]')) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.textContent = button.dataset.copied;
    });
  }
}

window.addEventListener('beforeprint', () => {
  for (const d of document.querySelectorAll('details.behind')) d.open = true;
});
enhance(document);
if (live().length) beat();
