// SPDX-License-Identifier: AGPL-3.0-or-later
// For a child's form: reads a question and its answers aloud, and goes on to the
// next question once one is touched. The form works without it.
const doc = document, speech = self.speechSynthesis, { lang } = doc.querySelector('main').closest('[lang]');

// Only the device's own voices: others send what they read elsewhere.
const voice = () => speech && speech.getVoices().find((v) => v.localService && v.lang.slice(0, 2) === lang);

function ready() {
  for (const b of doc.querySelectorAll('.aloud')) b.hidden = !voice();
}

function read(item) {
  const was = speech.speaking;
  speech.cancel();
  if (was) return;
  for (const e of item.querySelectorAll('legend, .choices span, .ends span')) {
    const say = new SpeechSynthesisUtterance(e.textContent);
    say.voice = voice();
    say.lang = lang;
    say.rate = .9;
    speech.speak(say);
  }
}

doc.addEventListener('click', (e) => {
  const item = e.target.closest('.large .item');
  if (e.target.matches('.aloud')) read(item);
  // The keyboard's clicks have no detail: its arrows only pass by.
  else if (item && e.detail && e.target.checked) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    setTimeout(() => item.nextElementSibling.scrollIntoView({ behavior: calm ? 'auto' : 'smooth' }), 400);
  }
});
addEventListener('pagehide', () => speech && speech.cancel());
doc.addEventListener('submit', () => speech && speech.cancel());
doc.addEventListener('form', ready);
if (speech) speech.onvoiceschanged = ready;
ready();
