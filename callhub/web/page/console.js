// The live page: open incidents, worst first; one of them whole; and honesty about whether all of it is true now.

import { fit, forms, onBehalf } from "./actions.js";
import { el, facts, isFolded, row, story, tick, title } from "./render.js";
import { Live, Problem, request, ServerTime } from "./server.js";
import * as sound from "./sound.js";
import { choose as chooseLanguage, chosen, clockTime, language, other, speak, t } from "./texts.js";

const PAGES_MAX = 25;
const LOOK_EVERY_MS = 500;
const ENDED = new Set(["closed", "cancelled"]);
const RANKS = ["viewer", "operator", "supervisor", "admin"];
const $ = (id) => document.getElementById(id);

const items = new Map();
const rows = new Map();
const time = new ServerTime();
let me = null;
let live = null;
let link = "reconnecting";
let selected = null; // the row the keys move
let opened = null; // the incident whose detail is shown
let detail = null;
let lookedAtMs = 0;
let looksSoon = false;
let held = false;

const canWrite = () => RANKS.indexOf(me?.role) >= 1;
const supervises = () => RANKS.indexOf(me?.role) >= 2;
const isLocked = () => link !== "live";

// ---- signing in and out

async function begin() {
  const preferred = /^en\b/i.test(navigator.language) ? "en" : document.documentElement.lang;
  await speak(chosen() || preferred);
  await resume();
}

// Goes on with the session of before; a server that does not answer is asked again.
async function resume() {
  try {
    const askedMs = performance.now();
    me = await request("GET", "session");
    time.learn(me.now, askedMs);
    await enter();
  } catch (problem) {
    if (problem.status === 401) return showLogin();
    onLink("reconnecting", Date.now());
    setTimeout(resume, 2000);
  }
}

function showLogin() {
  live?.stop();
  live = me = null;
  items.clear();
  closeDetail();
  paint();
  sound.ring(false);
  $("console").hidden = $("sign-out").hidden = true;
  $("silent").hidden = $("stale").hidden = true;
  $("link").textContent = $("counts").textContent = $("who").textContent = "";
  $("login").hidden = false;
  $("login").user.focus();
}

async function enter() {
  $("login").hidden = true;
  $("console").hidden = $("sign-out").hidden = false;
  $("who").textContent = `${me.user} · ${t(`role.${me.role}`)}`;
  showSound();
  const asOf = await load();
  live = new Live(time, { onItem, onGone, onReset: reload, onLink, onSignedOut: showLogin });
  live.start(asOf);
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = event.target.querySelector(".error");
  sound.unlock(showSound); // a click allows sound
  try {
    const { user, password } = event.target;
    await request("POST", "login", { user: user.value, password: password.value });
    event.target.reset();
    error.hidden = true;
    me = await request("GET", "session");
    await enter();
  } catch (problem) {
    error.textContent = problem.status === 401 ? t("page.wrong_password") : told(problem);
    error.hidden = false;
  }
});

$("sign-out").addEventListener("click", async () => {
  await request("POST", "logout").catch(() => null);
  showLogin();
});

$("language").addEventListener("click", async () => {
  await chooseLanguage(other());
  live?.judge();
  if (!me) return;
  $("who").textContent = `${me.user} · ${t(`role.${me.role}`)}`;
  for (const [id, node] of rows) draw(node, items.get(id));
  paint();
  if (opened) open(opened);
});

// ---- the list

async function load() {
  const seen = new Map();
  let asOf = null;
  let cursor = "";
  for (let page = 0; page < PAGES_MAX && cursor !== null; page += 1) {
    const answer = await request("GET", `incidents?state=open&limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    asOf ??= answer.as_of;
    for (const item of answer.items) seen.set(item.id, item);
    cursor = answer.next;
  }
  items.clear();
  for (const [id, item] of seen) items.set(id, item);
  for (const id of [...rows.keys()]) if (!items.has(id)) drop(id);
  for (const item of items.values()) put(item);
  paint();
  return asOf;
}

async function reload() {
  await load().catch(() => null);
  if (opened) refresh();
}

function onItem(item) {
  const old = items.get(item.id);
  if (old && !item.bare && old.version > item.version) return;
  if (ENDED.has(item.state)) {
    items.delete(item.id);
    drop(item.id);
  } else {
    items.set(item.id, item);
    put(item);
    if (!isFolded(item) && (!old || (item.ringing && !old.ringing))) announce(item);
  }
  paint();
  if (opened === item.id) item.roll_call ? refreshSoon() : refresh();
}

function onGone({ id } = {}) {
  items.delete(id);
  drop(id);
  paint();
  if (opened === id) closeDetail();
}

function put(item) {
  if (isFolded(item)) return drop(item.id);
  let node = rows.get(item.id);
  if (!node) {
    node = el("tr", { "data-id": item.id, tabindex: "-1", onclick: () => choose(item.id, true) });
    rows.set(item.id, node);
  }
  draw(node, item);
}

function draw(node, item) {
  const takeOver = (event) => {
    event.stopPropagation();
    act(item.id, "take-over", {});
  };
  node.className = `is-${item.state}${item.ringing ? " ringing" : ""}${item.id === selected ? " selected" : ""}`;
  node.replaceChildren(...row(item, { write: canWrite() }, takeOver));
  tick(node, time.now());
  lock(node);
}

function drop(id) {
  rows.get(id)?.remove();
  rows.delete(id);
  if (selected === id) selected = null;
}

// Rings first, then where somebody is still sought and nobody owns it, then what has an owner, what only waits for its
// follow-up or for its hours last; in each the most urgent first, then the oldest.
function order() {
  const waits = (item) => item.state === "resolved" || item.next_deadline?.why === "window";
  const urgency = (item) => item.urgency ?? 1; // of a case elsewhere that nobody answered little is told
  const rank = (item) => (item.ringing ? 0 : waits(item) ? 4 : item.seeking ? (item.owner ? 2 : 1) : 3);
  return [...items.values()].filter((item) => !isFolded(item)).sort(
    (a, b) =>
      rank(a) - rank(b) || urgency(a) - urgency(b) || a.opened_at.localeCompare(b.opened_at) || a.number - b.number,
  );
}

function paint() {
  const sorted = order();
  const ringing = sorted.filter((item) => item.ringing);
  sound.ring(ringing.length > 0);
  $("nothing").hidden = sorted.length > 0;
  $("counts").textContent = me ? t("page.counts", { open: sorted.length, ringing: ringing.length }) : "";
  document.title = `${ringing.length ? "(!) " : ""}${t("page.title")}`;
  if (held) return; // a row never moves under a pressed pointer
  const body = $("rows");
  sorted.forEach((item, index) => {
    const node = rows.get(item.id);
    if (node && body.children[index] !== node) body.insertBefore(node, body.children[index] ?? null);
  });
}

function announce(item) {
  $("announce").textContent = `#${item.number} ${t(`kind.${item.kind}`)} ${t(`state.${item.state}`)} ${title(item)}`;
  if (!item.ringing && item.class === "emergency") sound.chime();
}

// ---- one incident

function choose(id, andOpen) {
  rows.get(selected)?.classList.remove("selected");
  selected = id;
  rows.get(id)?.classList.add("selected");
  rows.get(id)?.scrollIntoView({ block: "nearest" });
  if (andOpen) open(id);
}

async function open(id) {
  if (items.get(id)?.bare) return closeDetail();
  opened = id;
  detail = null;
  await refresh();
}

async function refresh() {
  const id = opened;
  try {
    const one = await request("GET", `incidents/${id}`);
    const elder = one.elder && detail?.elder?.id !== one.elder.id ? await findElder(one.elder.id) : detail?.elder;
    if (opened === id && !(detail?.one.version > one.version)) show(one, elder);
  } catch (problem) {
    if (problem instanceof Problem && opened === id) closeDetail();
  }
}

// A roll-call changes many times a second, and each look at it reads thousands of rows.
function refreshSoon() {
  if (looksSoon) return;
  looksSoon = true;
  setTimeout(() => {
    looksSoon = false;
    lookedAtMs = performance.now();
    if (opened) refresh();
  }, Math.max(0, lookedAtMs + LOOK_EVERY_MS - performance.now()));
}

const findElder = (id) => request("GET", `elders/${encodeURIComponent(id)}`).catch(() => null);

function show(one, elder) {
  const section = $("detail");
  const post = (path, body) => send(one.id, path, body);
  const buttons = (who, what) => (canWrite() ? onBehalf(one, who, what, post) : []);
  if (detail?.one.id !== one.id || detail.language !== language || !section.querySelector(".shown")) {
    const close = el("button", { type: "button", class: "close", "aria-label": t("page.key_close"), onclick: closeDetail }, "✕");
    const doing = canWrite() ? forms(one, (action, body, form) => act(one.id, action, body, form), fillPeople, supervises()) : [];
    section.replaceChildren(
      el("h2", {}, `#${one.number} ${t(`kind.${one.kind}`)}`, close),
      el("div", { class: "shown" }),
      el("div", { class: "doing" }, ...doing),
      el("div", { class: "story" }),
    );
  }
  detail = { one, elder, language };
  section.querySelector(".shown").replaceChildren(...facts(one, elder, buttons));
  section.querySelector(".story").replaceChildren(...story(one));
  section.classList.toggle("ringing", one.ringing);
  section.hidden = false;
  $("console").classList.add("split");
  fit(section.querySelector(".doing"), one);
  tick(section, time.now());
  lock(section);
}

function closeDetail() {
  opened = detail = null;
  $("detail").hidden = true;
  $("detail").replaceChildren();
  $("console").classList.remove("split");
}

// People who can be assigned, or the departments that can be called: several of those are named by their ids.
async function fillPeople(list, departments = false) {
  if (list.childElementCount) return;
  let cursor = "";
  for (let page = 0; page < PAGES_MAX && cursor !== null; page += 1) {
    const answer = await request("GET", `responders?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    for (const { id, name, kind, active, on_duty: onDuty } of answer.items) {
      const about = [t(`responder.${kind}`), onDuty ? t("page.on_duty") : ""].filter(Boolean).join(" · ");
      if (!active || (kind === "department") !== departments) continue;
      list.append(departments ? el("option", { value: id }, name) : el("option", { value: `${name} · ${id}` }, about));
    }
    cursor = answer.next;
  }
}

// ---- doing something

async function act(id, action, body, form) {
  const version = ["close", "cancel"].includes(action) ? (detail?.one.id === id ? detail.one : items.get(id))?.version : undefined;
  if (await send(id, `incidents/${id}/${action}`, body, version)) form?.reset();
}

async function send(id, path, body, version) {
  if (isLocked() || !canWrite()) return false;
  const error = $("detail").querySelector(".error");
  try {
    const one = await request("POST", path, body, version);
    if (error) error.hidden = true;
    onItem(one);
    return true;
  } catch (problem) {
    if (error) [error.textContent, error.hidden] = [told(problem), false];
    $("announce").textContent = told(problem);
    if (opened === id) refresh();
    return false;
  }
}

function told(problem) {
  if (!(problem instanceof Problem)) return t("page.no_answer");
  const first = problem.body.by ? t("page.by", { by: problem.body.by }) : "";
  const field = problem.body.field ? ` (${problem.body.field})` : "";
  return [`${t(`error.${problem.code}`)}${field}`, first].filter(Boolean).join(" ");
}

// ---- honesty

function onLink(state, sinceMs) {
  const changed = link !== state;
  link = state;
  const pill = $("link");
  pill.className = `is-${state}`;
  const seconds = Math.round((Date.now() - sinceMs) / 1000);
  const text = t(`page.${state}`, { n: seconds, since: clockTime(sinceMs) });
  if (pill.textContent !== text) pill.textContent = text;
  $("stale").hidden = state !== "stale";
  if (state === "stale") $("stale").textContent = t("page.stale_banner", { since: clockTime(sinceMs) });
  if (changed) lock(document);
}

function lock(root) {
  document.body.classList.toggle("locked", isLocked());
  for (const node of root.querySelectorAll("[data-write]")) node.disabled = isLocked();
}

function showSound() {
  $("silent").hidden = !me || sound.isAllowed();
}

$("sound").addEventListener("click", () => sound.unlock(showSound));
setInterval(() => tick(document, time.now()), 250);

// ---- pointer and keys

addEventListener("pointerdown", () => (held = true));
for (const name of ["pointerup", "pointercancel", "blur"])
  addEventListener(name, () => {
    held = false;
    paint();
  });

function move(step) {
  const ids = [...$("rows").children].map((node) => node.dataset.id);
  const at = ids.indexOf(selected);
  const to = at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + step));
  if (ids.length) choose(ids[to], opened !== null);
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  Enter: () => selected && open(selected),
  t: () => selected && !items.get(selected)?.owner && act(selected, "take-over", {}),
  Escape: () => closeDetail(),
  "?": () => $("help").showModal(),
};

$("help-open").addEventListener("click", () => $("help").showModal());
addEventListener("keydown", (event) => {
  if ($("help").open) return; // it hears its keys itself: Escape closes it
  const typing = event.target.closest?.("input, select, textarea, button, dialog");
  const off = event.key !== "Escape" && !$("keys-on").checked;
  if (!me || off || event.ctrlKey || event.altKey || event.metaKey || (typing && event.key !== "Escape")) return;
  const key = KEYS[event.key];
  if (!key) return;
  event.preventDefault();
  key();
});

begin();
