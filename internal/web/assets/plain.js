// SPDX-License-Identifier: AGPL-3.0-or-later
// A button beside a password shows what was typed, and an error is read first.
for (const b of document.querySelectorAll('[data-show]')) {
  const field = document.getElementById(b.dataset.show);
  b.hidden = false;
  b.addEventListener('click', () => {
    const shown = field.type === 'text';
    field.type = shown ? 'password' : 'text';
    b.setAttribute('aria-pressed', String(!shown));
  });
}
document.getElementById('errors')?.focus();
