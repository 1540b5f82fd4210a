// The alarm's sound. A browser plays nothing before the first click, so whether it may is always shown.

let context = null;
let timer = null;

export const isAllowed = () => context?.state === "running";

// Call from a click or a key: allows sound from then on, with a short test tone.
export async function unlock(heard) {
  context ??= new AudioContext();
  context.onstatechange = heard;
  await context.resume();
  chime();
  heard();
}

function tone(hertz, atS, lengthS) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = hertz;
  const start = context.currentTime + atS;
  gain.gain.setValueAtTime(0.0001, start);
  gain.gain.exponentialRampToValueAtTime(0.3, start + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + lengthS);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(start);
  oscillator.stop(start + lengthS);
}

// Once, for something new.
export function chime() {
  if (isAllowed()) tone(660, 0, 0.25);
}

// On and on, until nothing rings any more.
export function ring(on) {
  document.documentElement.dataset.ringing = String(on);
  if (on && timer === null) {
    timer = setInterval(pulse, 1500);
    pulse();
  } else if (!on && timer !== null) {
    clearInterval(timer);
    timer = null;
  }
}

function pulse() {
  if (!isAllowed()) return;
  tone(880, 0, 0.28);
  tone(1175, 0.32, 0.28);
  tone(880, 0.64, 0.28);
}
