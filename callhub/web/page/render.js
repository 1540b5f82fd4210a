// Builds what is seen from an incident's item. Nothing here asks the server or remembers anything.

import { clockTime, duration, language, stepName, t, word } from "./texts.js";

export const SYMBOLS = {
  seeking: "◔",
  assigned: "➜",
  on_scene: "⌂",
  unanswered: "!",
  resolved: "✓",
  closed: "■",
  cancelled: "✕",
};
const LIVE = new Set(["assigned", "en_route", "on_scene"]);
const ASKED = new Set(["open", "silent"]);
const QUIET = new Set(["owner_acted", "climbing_changed"]); // follows from what stands beside it
const THOUSAND = 1000;
const PASSED_OVER_MAX = 20;

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// A time that counts: down to `at`, or up since `since`; `tick` keeps it right.
const counter = (kind, iso) => el("span", { class: "counter", [`data-${kind}`]: iso, role: "timer" });

export function tick(root, nowMs) {
  for (const node of root.querySelectorAll(".counter")) {
    const { at, since } = node.dataset;
    const text = duration((at ? Date.parse(at) - nowMs : nowMs - Date.parse(since)) / THOUSAND);
    if (node.textContent !== text) node.textContent = text;
    if (at) node.classList.toggle("soon", Date.parse(at) - nowMs < 10000);
  }
}

export const person = (who) => who.name || who.responder;
export const liveAssignments = (item) => (item.assignments || []).filter((a) => LIVE.has(a.state));
export const askedOffers = (item) => (item.offers || []).filter((o) => ASKED.has(o.state));

export function state(item) {
  return el(
    "span",
    { class: `state is-${item.state}` },
    el("span", { class: "symbol", "aria-hidden": "true" }, SYMBOLS[item.state] || "?"),
    t(`state.${item.state}`),
  );
}

// What a roll-call is about, and how far it has got, in the reader's own way of writing numbers.
const roll = ({ roll_call: { gateway, area, cause }, place }) =>
  [t(`roll_call_cause.${cause}`), gateway || (area && (place?.at(-1) || area))].filter(Boolean).join(" · ");

function progress(call) {
  if (!call.listed) return t("page.listing_homes");
  const [checked, homes] = [call.checked, call.homes].map((n) => n.toLocaleString(language));
  return t("page.checked", { checked, homes });
}

// A home check is part of its roll-call: a row of its own only where somebody at a desk must act.
export const isFolded = (item) =>
  Boolean(item.part_of) &&
  !(item.state === "unanswered" || item.desk_call || item.owner || item.reason || askedOffers(item).some((offer) => offer.kind === "desk"));

export function title(item) {
  if (item.bare) return t("page.outside_area");
  if (item.roll_call) return roll(item);
  return item.elder?.name || item.elder?.id || item.go_to?.address || item.device || t("page.elder_unknown");
}

function badges(item) {
  // A drill is a class and a flag: said once.
  const found = [...(item.flags || [])].filter((flag) => flag !== item.class).map((flag) => t(`flag.${flag}`));
  if (item.class && item.class !== "emergency") found.unshift(t(`class.${item.class}`));
  if (item.reason) found.push(word("reason", item.reason));
  if (item.desk_call) found.push(word("desk_call", item.desk_call));
  if (item.call_back) found.unshift(t(item.call_back.state === "held" ? "page.held" : "page.call_back"));
  if (item.roll_call) found.push(progress(item.roll_call));
  if (item.part_of) found.push(t("page.part_of_roll_call"));
  if (item.unwatched) found.push(t("page.unwatched"));
  return found.map((text) => el("span", { class: "badge" }, text));
}

function comes(item) {
  const coming = liveAssignments(item).map((a) =>
    el(
      "div",
      { class: a.late ? "late" : "coming" },
      `${person(a)} · ${t(`assignment_state.${a.state}`)}`,
      a.late ? ` · ${t("page.late")}` : "",
    ),
  );
  const asked = askedOffers(item);
  if (asked.length) {
    const names = asked.slice(0, 3).map(person).join(t("list.separator"));
    coming.push(el("div", { class: "asked" }, t("page.asked", { names, n: asked.length })));
  }
  if (coming.length || item.bare) return coming;
  const came = (item.assignments || []).filter((a) => a.state === "cleared");
  if (came.length) return came.map((a) => el("div", { class: "asked" }, `${person(a)} · ${t("assignment_state.cleared")}`));
  return [el("span", { class: "nobody" }, t("page.nobody_yet"))];
}

function next(item) {
  if (!item.next_deadline) return [];
  return [
    counter("at", item.next_deadline.at),
    el("div", { class: "why" }, word("deadline", item.next_deadline.why)),
  ];
}

// One row of the list. `can` says which buttons there are.
export function row(item, can, takeOver) {
  const owner = item.owner
    ? el("span", { class: "owner" }, item.owner.name)
    : can.write
      ? el("button", { type: "button", class: "take", "data-write": true, onclick: takeOver }, t("page.take_over"))
      : el("span", { class: "nobody" }, t("page.nobody"));
  return [
    el("td", { class: "number" }, `#${item.number}`, el("div", { class: "age" }, counter("since", item.opened_at))),
    el("td", {}, state(item), item.ringing ? el("div", { class: "rings" }, t("page.ringing")) : null),
    el("td", {}, t(`kind.${item.kind}`), ...badges(item)),
    el("td", {}, title(item), el("div", { class: "place" }, (item.place || []).slice(-2).join(" "))),
    el("td", {}, ...comes(item)),
    el("td", { class: "next" }, ...next(item)),
    el("td", {}, owner),
  ];
}

const pair = (code, ...value) => (value.some(Boolean) ? [el("dt", {}, t(code)), el("dd", {}, ...value)] : []);

function distance(metres) {
  if (metres === null || metres === undefined) return "";
  return metres < THOUSAND ? `${metres} m` : `${(metres / THOUSAND).toFixed(1)} km`;
}

function where(item) {
  if (!item.go_to) return t("page.nowhere");
  const { address, position, source, accuracy_m: accuracy } = item.go_to;
  const point = position ? `${position.lat.toFixed(5)}, ${position.lon.toFixed(5)}` : "";
  const known = [word("place_source", source), accuracy ? `± ${Math.round(accuracy)} m` : ""].filter(Boolean).join(" ");
  return [address, point && `${point} (${known})`].filter(Boolean).join(" · ");
}

// The facts of one incident; `forPerson(person, what)` gives the buttons beside a person.
export function facts(one, elder, forPerson) {
  const numbers = [elder?.phone, elder?.access && t("page.access", { text: elder.access }), elder?.notes];
  return [
    el("p", { class: "line" }, state(one), ...badges(one)),
    el(
      "dl",
      { class: "facts" },
      ...pair("page.elder", [title(one), ...numbers].filter(Boolean).join(" · ")),
      ...pair("page.go_to", where(one), one.fix && !one.fix.used ? ` ${t("page.fix_differs")}` : ""),
      ...pair("page.place", (one.place || []).join(" ")),
      ...pair("page.opened", clockTime(one.opened_at), " · ", t(`source.${one.source}`), one.device ? ` · ${one.device}` : ""),
      ...pair("page.owner", one.owner?.name || t("page.nobody")),
      ...(one.next_deadline ? pair("page.next", ...next(one)) : []),
      ...(one.outcome ? pair("page.outcome", word("outcome", one.outcome)) : []),
    ),
    ...people("page.coming", one.assignments, (a) => assignment(a), (a) => forPerson(a, "assignment")),
    ...people("page.whistles", (one.whistles || []).map(called), (w) => whistle(w), (w) => forPerson(w, "whistle")),
    ...people("page.family", (one.family || []).map(related), (f) => relative(f), () => []),
    ...people("page.offers", one.offers, (o) => offer(o), (o) => forPerson(o, "offer")),
    ...passedOver(one),
  ];
}

// Why nobody asked the others: the newest reason for each, people with the same one together, the nearest first.
function passedOver(one) {
  const asked = new Set((one.offers || []).map((o) => o.responder));
  const newest = new Map();
  for (const decision of one.decisions || [])
    for (const who of decision.passed_over) if (!asked.has(who.responder)) newest.set(who.responder, who);
  const groups = new Map();
  for (const who of [...newest.values()].sort((a, b) => a.distance_m - b.distance_m).slice(0, PASSED_OVER_MAX))
    groups.set(who.reason, [...(groups.get(who.reason) || []), `${person(who)} ${distance(who.distance_m)}`.trim()]);
  if (!groups.size) return [];
  const lines = [...groups].flatMap(([reason, names]) => [
    el("dt", {}, word("why_not", reason)),
    el("dd", {}, names.join(t("list.separator"))),
  ]);
  return [el("h3", {}, t("page.passed_over")), el("dl", { class: "facts passed-over" }, ...lines)];
}

// What happened, newest first: the operator reads what is new.
export function story(one) {
  return [el("h3", {}, t("page.timeline")), el("ol", { class: "timeline" }, ...timeline(one).reverse())];
}

function people(heading, all, say, buttons) {
  if (!all?.length) return [];
  const lines = all.map((who) => el("li", {}, el("b", {}, person(who)), " ", say(who), " ", ...buttons(who)));
  return [el("h3", {}, t(heading)), el("ul", { class: "people" }, ...lines)];
}

function assignment(a) {
  const parts = [word("responder", a.kind), t(`assignment_state.${a.state}`)];
  if (a.role) parts.push(t(`role.${a.role}`));
  if (a.fetch) parts.push(t("page.fetch_from", { name: a.fetch.name || a.fetch.contact }));
  if (a.late) parts.push(t("page.late"));
  if (a.arrive_by && (a.state === "assigned" || a.state === "en_route"))
    parts.push(t("page.arrive_by", { at: clockTime(a.arrive_by) }));
  if (a.outcome) parts.push(word("outcome", a.outcome));
  return parts.filter(Boolean).join(" · ");
}

const related = (f) => ({ ...f, name: f.name || f.id });

// A contact: who they are to the elder, and what they would be told if anything could bring it to them.
function relative(f) {
  const parts = [f.relation, f.phone, f.responder && t("page.keyholder")];
  for (const news of f.waiting)
    parts.push(t("page.not_told", { what: t(`news.${news.what}`), at: clockTime(news.since) }));
  return parts.filter(Boolean).join(" · ");
}

const called = (w) => ({ ...w, responder: w.department });

function whistle(w) {
  const parts = [t(`whistle_state.${w.state}`)];
  if (w.late && (w.state === "reported" || w.state === "finished")) parts.push(t("page.whistle_late"));
  if (w.state === "called") parts.push(t("page.report_in_by", { at: clockTime(w.report_in_by) }));
  if (w.state === "called" || w.state === "reported") parts.push(t("page.finish_by", { at: clockTime(w.finish_by) }));
  if (w.outcome) parts.push(word("outcome", w.outcome));
  if (w.reason) parts.push(word("whistle_reason", w.reason));
  return parts.join(" · ");
}

function offer(o) {
  const parts = [word("responder", o.kind), t(`offer_state.${o.state}`), word("need", o.need), distance(o.distance_m)];
  if (o.eta_s !== null) parts.push(t("page.minutes", { n: Math.max(1, Math.round(o.eta_s / 60)) }));
  if (o.stand_down) parts.push(word("withdrawn", o.stand_down));
  return parts.filter(Boolean).join(" · ");
}

function timeline(one) {
  const names = new Map();
  for (const who of [...one.offers, ...one.assignments, ...(one.whistles || []).map(called)]) {
    names.set(who.id, person(who));
    names.set(who.responder, person(who));
  }
  return one.timeline.filter((entry) => !QUIET.has(entry.fact)).map((entry) => {
    const actor = entry.actor.kind === "system" ? "" : names.get(entry.actor.id) || entry.actor.id;
    return el(
      "li",
      {},
      el("time", { datetime: entry.at }, clockTime(entry.at)),
      el("span", { class: "actor" }, actor),
      el("span", {}, [t(`fact.${entry.fact}`), ...said(entry, names)].filter(Boolean).join(" · ")),
    );
  });
}

// What an entry tells besides its name, in words.
function said(entry, names) {
  const of = entry.fact;
  const known = [entry.responder, entry.offer, entry.assignment, entry.department].map((id) => names.get(id));
  const who = known.find(Boolean) || entry.responder;
  const states = of === "assignment_moved" ? "assignment_state" : "state";
  return [
    who,
    entry.owner && (names.get(entry.owner.id) || entry.owner.id),
    word(states, entry.state),
    of === "offer_made" ? word("responder", entry.kind) : word("kind", entry.kind),
    of === "step_entered" && stepName(entry.name),
    word("why", entry.why),
    word("outcome", entry.outcome),
    word("party", entry.party),
    word("contact", entry.result),
    word("need", entry.need),
    word("role", entry.role),
    entry.whistle && (word("whistle_reason", entry.what || entry.code) || word("assignment_state", entry.action)),
    entry.finish_by && t("page.finish_by", { at: clockTime(entry.finish_by) }),
    of === "offer_withdrawn" ? word("withdrawn", entry.reason) : word("desk_call", entry.reason),
    entry.call && word("desk_call", entry.call.reason),
    entry.distance_m !== undefined && distance(entry.distance_m),
    entry.rating && "★".repeat(entry.rating),
    entry.text,
    entry.note,
  ];
}
