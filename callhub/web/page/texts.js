// Texts by code from the catalogues, and how times and distances are written.

const LANGUAGES = { "zh-CN": "中文", en: "English" };
let texts = {};
export let language = "zh-CN";

export async function speak(wanted) {
  language = wanted in LANGUAGES ? wanted : "zh-CN";
  const answer = await fetch(`/catalogue/${language}.json`);
  texts = await answer.json();
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of document.querySelectorAll("[data-title]")) node.title = t(node.dataset.title);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  document.title = t("page.title");
  const button = document.getElementById("language");
  button.lang = other();
  button.textContent = LANGUAGES[other()];
}

const KEPT = "callhub.language";

// The language that somebody chose in this browser, if anybody did.
export const chosen = () => localStorage.getItem(KEPT);

export async function choose(wanted) {
  await speak(wanted);
  localStorage.setItem(KEPT, language);
}

export const other = () => (language === "en" ? "zh-CN" : "en");

// The text of a code; the code itself says more than nothing.
export function t(code, params = {}) {
  const text = texts[code];
  return text === undefined ? code : text.replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);
}

// The text of a code if there is one, else the value as it came.
export const word = (prefix, value) => (value && texts[`${prefix}.${value}`]) || value || "";

// The name of a ladder's step: those that are shipped in the reader's language, others as they were written.
export const stepName = (name) => (name && texts[`step.${name.replaceAll(" ", "_")}`]) || name;

export function clockTime(at) {
  return new Date(at).toLocaleTimeString(language, { hour12: false });
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
