// SPDX-License-Identifier: AGPL-3.0-or-later
// Has answers that may speak of danger looked at as they are chosen: a form that is
// never sent is looked at too. Without it a form is looked at when it is sent.
document.addEventListener('change', async (e) => {
  const form = e.target.form;
  if (!form || !('asks' in form.dataset)) return;
  try {
    const r = await fetch('/form/part', { method: 'POST', body: new URLSearchParams(new FormData(form)), keepalive: true });
    const now = document.getElementById('now');
    if (r.status === 200 && now && now.hidden) {
      now.hidden = false;
      now.focus();
    }
  } catch { /* it is looked at when it is sent */ }
});
