// SPDX-License-Identifier: AGPL-3.0-or-later
// Asks the device for a passkey, and sends its answer as the form's one field.
const form = document.getElementById('passkey');
const button = form.querySelector('button');
const failed = document.getElementById('failed');
const binary = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

async function ask() {
  failed.hidden = true;
  button.disabled = true;
  try {
    const options = JSON.parse(form.dataset.options);
    const key = options.publicKey;
    key.challenge = binary(key.challenge);
    for (const c of [...(key.excludeCredentials ?? []), ...(key.allowCredentials ?? [])]) c.id = binary(c.id);
    if (key.user) key.user.id = binary(key.user.id);
    const made = key.user ? await navigator.credentials.create({ publicKey: key }) : await navigator.credentials.get({ publicKey: key });
    const response = { clientDataJSON: text(made.response.clientDataJSON) };
    for (const part of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
      if (made.response[part]) response[part] = text(made.response[part]);
    }
    if (made.response.getTransports) response.transports = made.response.getTransports();
    form.elements.answer.value = JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: made.getClientExtensionResults() });
    form.submit();
  } catch {
    failed.hidden = false;
    button.disabled = false;
    failed.focus();
  }
}

if (window.PublicKeyCredential) {
  button.hidden = false;
  button.addEventListener('click', ask);
  ask();
} else {
  document.getElementById('cannot').hidden = false;
}
