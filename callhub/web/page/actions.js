// The forms of one incident: what an operator can do about it. Built once per incident, so that nothing typed is lost.

import { el, liveAssignments, person } from "./render.js";
import { t } from "./texts.js";

const OUTCOMES = ["helped", "false_alarm", "hospital", "emergency_services", "no_access", "other"];
const PARTIES = ["elder", "family", "responder", "120", "110", "119"];
const RESULTS = ["spoke_ok", "needs_help", "silent", "no_answer", "requested", "arrived"];
const ENDED = new Set(["closed", "cancelled"]);
// Whistles that an action is for; what is refused is out, too, until a supervisor withdraws it.
const WHISTLES = {
  "whistle-return": (w) => w.state === "finished" || (w.state === "missed" && w.reported_at),
  "whistle-withdraw": (w) => !["confirmed", "withdrawn"].includes(w.state),
};

function select(name, prefix, values) {
  // Nothing is chosen beforehand: how a case ended must not be an accident.
  const options = values.map((value) => el("option", { value }, t(`${prefix}.${value}`)));
  const none = el("option", { value: "" }, t(`page.${name}`));
  return el("select", { name, "aria-label": t(`page.${name}`), required: true }, none, ...options);
}

const input = (name, attributes = {}) =>
  el("input", { name, placeholder: t(`page.${name}`), "aria-label": t(`page.${name}`), ...attributes });

const button = (code, attributes = {}) => el("button", { "data-write": true, ...attributes }, t(code));

function form(name, act, fields, read, submit = `page.${name}`) {
  const onsubmit = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target));
    act(name, read(values), event.target);
  };
  return el("form", { class: "action", "data-action": name, onsubmit }, ...fields, button(submit));
}

const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));

const minutes = (name) => input(name, { type: "number", min: 1, max: 44640, required: true });

// Departments are called, given more time, or called off; the last is for supervisors.
function whistleForms(act, people, supervises) {
  const list = el("datalist", { id: "departments" });
  const whom = input("departments", { list: "departments", required: true, autocomplete: "off", onfocus: () => people(list, true) });
  const which = () => el("select", { name: "whistle", "aria-label": t("page.whistles"), required: true });
  const seconds = (value) => Math.round(Number(value) * 60);
  return [
    list,
    form("whistle", act, [whom, minutes("report_in_min"), minutes("finish_min"), input("text")], (v) => ({
      departments: v.departments.split(/[\s,;，、；]+/).filter(Boolean),
      report_in_s: seconds(v.report_in_min),
      finish_s: seconds(v.finish_min),
      ...(v.text ? { text: v.text } : {}),
    })),
    form("whistle-return", act, [which(), minutes("finish_min")], (v) => ({
      whistle: v.whistle,
      finish_s: seconds(v.finish_min),
    }), "page.whistle_return"),
    supervises
      ? form("whistle-withdraw", act, [which(), input("reason", { required: true })], given, "page.whistle_withdraw")
      : null,
  ];
}

// `act(action, body, form)` does it; `people` fills the list of responders when it is first wanted.
export function forms(item, act, people, supervises) {
  const list = el("datalist", { id: "people" });
  const responder = input("responder", { list: "people", required: true, autocomplete: "off", onfocus: () => people(list) });
  const confirmed = el("label", {}, el("input", { type: "checkbox", name: "confirmed" }), t("page.confirmed"));
  return [
    list,
    el(
      "p",
      { class: "action" },
      button("page.take_over", { type: "button", class: "take", "data-action": "take-over", onclick: () => act("take-over", {}) }),
      button("page.escalate", { type: "button", "data-action": "escalate", onclick: () => act("escalate", {}) }),
      button("page.reopen", { type: "button", "data-action": "reopen", onclick: () => act("reopen", {}) }),
    ),
    form("assign", act, [responder, confirmed], (v) => ({
      responder: v.responder.split("·").at(-1).trim(),
      ...(v.confirmed ? { confirmed_by: "telephone" } : {}),
    })),
    form("contact", act, [select("party", "party", PARTIES), select("result", "contact", RESULTS), input("note")], given),
    form("note", act, [input("text", { required: true })], given, "page.add_note"),
    form("hand-over", act, [input("to", { required: true })], given, "page.hand_over"),
    ...whistleForms(act, people, supervises),
    item.elder ? null : form("identify", act, [input("elder", { required: true })], given),
    form("close", act, [select("outcome", "outcome", OUTCOMES), input("reason")], given),
    form("cancel", act, [input("reason")], given),
    el("p", { class: "error", role: "alert", hidden: true }),
  ].filter(Boolean);
}

// Shows the forms that the state allows.
export function fit(root, item) {
  const over = ENDED.has(item.state);
  for (const node of root.querySelectorAll("[data-action]")) {
    const name = node.dataset.action;
    const useful = name === "reopen" ? over || item.state === "resolved" : !over || name === "note";
    const none = name in WHISTLES && !offerWhistles(node.querySelector("select"), (item.whistles || []).filter(WHISTLES[name]));
    node.hidden = !useful || none || (name === "escalate" && !item.seeking);
  }
}

// Offers these whistles to choose from, keeping the choice made; whether there are any.
function offerWhistles(choice, whistles) {
  const chosen = choice.value;
  choice.replaceChildren(...whistles.map((w) => el("option", { value: w.id }, person({ ...w, responder: w.department }))));
  if (whistles.some((w) => w.id === chosen)) choice.value = chosen;
  return whistles.length > 0;
}

// The buttons beside a person who called in. `act(path, body)` posts it.
export function onBehalf(item, who, what, act) {
  const small = (code, onclick) => button(code, { type: "button", class: "small", onclick });
  if (what === "offer") {
    if (!["open", "silent"].includes(who.state)) return [];
    const answer = (said) => () => act(`offers/${who.id}/answer`, { answer: said, via: "telephone" });
    return [small("page.said_yes", answer("accept")), small("page.said_no", answer("decline"))];
  }
  if (what === "whistle") return forDepartment(item, who, act, small);
  if (!liveAssignments(item).includes(who)) return [];
  const step = (action, more = {}) => () =>
    act(`incidents/${item.id}/${action}`, { responder: who.responder, ...more });
  const outcome = select("outcome", "outcome", OUTCOMES);
  return [
    who.state === "assigned" ? small("assignment_state.en_route", step("en-route")) : null,
    who.state !== "on_scene" ? small("assignment_state.on_scene", step("on-scene")) : null,
    outcome,
    small("assignment_state.cleared", () => {
      if (outcome.reportValidity()) step("cleared", { outcome: outcome.value, version: item.version })();
    }),
    small("need.key", step("need", { need: "key" })),
    small("page.release", step("release")),
  ].filter(Boolean);
}

// The buttons beside a department: what it says on the telephone, and whether what it finished is done.
function forDepartment(item, whistle, act, small) {
  const { id, department, state } = whistle;
  const path = `incidents/${item.id}`;
  const answer = (said) => () => act(`offers/${id}/answer`, { answer: said, via: "telephone" });
  if (state === "finished") return [small("page.whistle_confirm", () => act(`${path}/whistle-confirm`, { whistle: id }))];
  if (!["called", "missed", "reported"].includes(state)) return [];
  if (!whistle.reported_at) return [small("page.said_yes", answer("accept")), small("page.said_no", answer("decline"))];
  const outcome = select("outcome", "outcome", OUTCOMES);
  return [
    outcome,
    small("assignment_state.cleared", () => {
      if (!outcome.reportValidity()) return;
      act(`${path}/cleared`, { responder: department, outcome: outcome.value, version: item.version });
    }),
  ];
}
