/* Makes the pages quicker: filters at once, forms in place, keys. Without it everything works by links and forms.

   What a form would send is sent, and what would be the next page comes into this one: its `main`, its title, its
   languages. Whatever goes wrong on the way is left to the browser, as if there were no script. Words stand in the page,
   never here. Keys can be turned off (WCAG 2.2, 2.1.4), and rest while somebody types. */
"use strict";

const PARTS = ["main", "body > .measured", ".languages", ".bottom"];
const LIVE = "form.filters, form[data-live], form:has(input[type=range])";
const ROWS = "main .list tbody tr, main .queue li, main [data-row]";
const TYPED = "select, textarea, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=range])";
const OFF = "churnml keys off";
let place = -1; // of the row that the keys stand on
let asked = 0; // counts what was asked for: an answer that another has overtaken is dropped
let sending = false;
const named = () => location.pathname + location.search;
let shown = named();

/* -- the next page, in this one -- */

const main = () => document.querySelector("main");

/* A field may be called `action`, and takes the place of the form's own property then. */
const where = (form) => new URL(form.getAttribute("action") || "", location).href;
const posts = (form) => form.getAttribute("method") === "post";
const leave = (form) => HTMLFormElement.prototype.submit.call(form);

function here(element) {
  if (!element || element === document.body) return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.name && element.form) {
    const value = element.matches("button, [type=radio], [type=checkbox]") ? `[value="${CSS.escape(element.value)}"]` : "";
    return `form[action="${CSS.escape(element.form.getAttribute("action") || "")}"] [name="${CSS.escape(element.name)}"]${value}`;
  }
  return null;
}

async function page(address) {
  return read(await fetch(address, { headers: { accept: "text/html" }, credentials: "same-origin" }));
}

async function read(answer, whatever = false) {
  const kind = answer.headers.get("content-type") || "";
  if (!(answer.ok || whatever) || !kind.startsWith("text/html")) throw new Error(`${answer.status} ${kind}`);
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!found.querySelector("main") || new URL(answer.url).pathname === "/login") throw new Error("another page");
  return { found, address: answer.url };
}

function show(found) {
  const focus = here(document.activeElement);
  const [row, opened] = [place, new Set([...main().querySelectorAll("details[open][id]")].map((one) => one.id))];
  for (const part of PARTS) {
    const [old, fresh] = [document.querySelector(part), found.querySelector(part)];
    if (old && fresh) old.replaceWith(fresh);
    else if (old) old.remove();
  }
  document.title = found.title;
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  ready();
  const told = main().querySelector(".told");
  document.getElementById("said").textContent = told ? told.textContent.trim() : "";
  if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
  if (row >= 0 && rows().length) stand(Math.min(row, rows().length - 1), !focus);
}

function unanswered(is) {
  document.getElementById("lost")?.toggleAttribute("hidden", !is);
}

function busy(is) {
  main().toggleAttribute("aria-busy", is);
}

/* Ask for what a form that changes nothing asks for, and show it here. */
async function ask(address, remember = true) {
  const number = ++asked;
  busy(true);
  try {
    const next = await page(address);
    if (number !== asked) return;
    if (remember) history.pushState(null, "", address);
    shown = named();
    place = -1;
    show(next.found);
  } catch {
    if (number === asked) location.assign(address);
  } finally {
    busy(false);
  }
}

function questions(form, button) {
  const sent = new FormData(form);
  if (button?.name) sent.append(button.name, button.value);
  return new URLSearchParams([...sent].filter(([, value]) => value !== ""));
}

function filter(form, button) {
  const address = new URL(where(form));
  address.search = questions(form, button);
  ask(address.href);
}

/* Send what a form sends; it leads back to a page, which is shown here. `otherwise` is what the browser would do. */
async function send(action, fields, otherwise) {
  if (sending) return;
  sending = true;
  busy(true);
  unanswered(false);
  let answer = null;
  try {
    answer = await fetch(action, { method: "POST", body: fields, headers: { accept: "text/html" }, credentials: "same-origin" });
    const next = await read(answer, answer.redirected); // what became of it is told once, whatever page it leads to
    if (new URL(next.address).pathname !== location.pathname) location.assign(next.address);
    else show(next.found);
  } catch {
    // what was done, and led to a page that does not come, is not done again; of a lost answer nobody knows
    if (answer?.redirected) location.assign(answer.url);
    else if (answer) otherwise();
    else unanswered(true);
  } finally {
    sending = false;
    busy(false);
  }
}

function deed(form, button) {
  const fields = new URLSearchParams(new FormData(form));
  if (button?.name) fields.append(button.name, button.value);
  send(where(form), fields, () => {
    if (button?.name) {
      const field = Object.assign(document.createElement("input"), { type: "hidden", name: button.name, value: button.value });
      form.append(field);
    }
    leave(form);
  });
}

/* A form of this page that leads back to this page. */
function comesBack(form) {
  const back = form.elements.namedItem("back");
  return posts(form) && main().contains(form) && back && new URL(back.value, location).pathname === location.pathname;
}

/* -- keys -- */

const rows = () => [...document.querySelectorAll(ROWS)];

function stand(at, focused = true) {
  const all = rows();
  if (!all.length) return;
  place = Math.max(0, Math.min(at, all.length - 1));
  for (const row of all) row.removeAttribute("aria-current");
  all[place].setAttribute("aria-current", "true");
  if (focused) all[place].querySelector("a[href]")?.focus({ preventScroll: true });
  all[place].scrollIntoView({ block: "nearest" });
}

/* Take the customer of the row; where there is no row, what the page marks with the key. */
function take() {
  const box = rows()[place]?.querySelector("input[type=checkbox][form]");
  if (!box) return document.querySelector('main [data-key="a"]')?.click();
  const fields = new URLSearchParams(new FormData(box.form));
  for (const name of ["owner", box.name]) fields.delete(name);
  fields.append(box.name, box.value);
  send(where(box.form), fields, () => {
    for (const one of box.form.elements) if (one.type === "checkbox") one.checked = one === box;
    leave(box.form);
  });
}

const KEYS = {
  j: () => stand(place + 1),
  k: () => stand(place - 1),
  a: take,
  "/": () => [document.getElementById("find")].forEach((box) => (box?.focus(), box?.select())),
  "?": () => document.getElementById("keys")?.showModal(),
};

function off(is) {
  try {
    if (is === undefined) return localStorage.getItem(OFF) !== null;
    if (is) localStorage.setItem(OFF, "1");
    else localStorage.removeItem(OFF);
  } catch { /* a browser that keeps nothing has the keys on */ }
  return Boolean(is);
}

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat && event.key === "a") return;
  if (event.target.closest?.(TYPED) || document.querySelector("dialog[open]") || off()) return;
  const deed = Object.hasOwn(KEYS, event.key) && KEYS[event.key];
  if (!deed) return;
  event.preventDefault();
  deed();
}

/* -- what the page is listened to for -- */

function told(range) {
  const output = [...(range.form?.querySelectorAll("output") || [])].find((one) => one.htmlFor.contains(range.id));
  if (output) output.value = range.value;
}

function ready() {
  for (const one of document.querySelectorAll("[data-script]")) one.hidden = false;
}

document.addEventListener("change", (event) => {
  if (event.target.id === "keys-on") off(!event.target.checked);
  const form = event.target.matches("details [type=checkbox]") ? null : event.target.form; // several are ticked, then sent
  if (form?.matches(LIVE) && !posts(form) && form.checkValidity() && event.target.matches("select, input:not([type=text], [type=search])")) filter(form);
});
document.addEventListener("input", (event) => {
  if (event.target.type === "range") told(event.target);
});
document.addEventListener("submit", (event) => {
  const [form, button] = [event.target, event.submitter];
  if (form.matches(LIVE) && !posts(form)) event.preventDefault(), filter(form, button);
  else if (comesBack(form)) event.preventDefault(), deed(form, button);
});
document.addEventListener("keydown", pressed);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys]")) KEYS["?"]();
});
window.addEventListener("popstate", () => {
  if (named() !== shown) ask(location.href, false); // a way within the page asks for nothing
});
const switched = document.getElementById("keys-on");
if (switched) switched.checked = !off();
ready();
