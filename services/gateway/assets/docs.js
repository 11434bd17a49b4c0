// The reference: reads /openapi.json and shows it, and sends requests to this very API when asked to.

import { el, example, fields, nameOf, prose, resolve, typeOf } from "/docs/schema.js";

const VERBS = ["get", "post", "put", "delete"];
const ACCESS = { public: "everyone", "signed-in": "signed in", admin: "administrators" };
const token = document.getElementById("token");
const filter = document.getElementById("filter");
const side = document.getElementById("side");
const menu = document.getElementById("menu");

/** The operations of the document, tag by tag, in its order. */
function groups(api) {
  const all = Object.entries(api.paths).flatMap(([path, item]) =>
    VERBS.filter((verb) => item[verb]).map((verb) => ({ path, verb, ...item[verb] })));
  return api.tags.map((tag) => ({ ...tag, operations: all.filter((operation) => operation.tags?.includes(tag.name)) }));
}

const badge = (verb) => el("span", { class: `verb ${verb}` }, verb.toUpperCase());

function contents(list, schemas) {
  const link = (operation) => el("li", { "data-find": `${operation.verb} ${operation.path} ${operation.summary}`.toLowerCase() },
    el("a", { href: `#${operation.operationId}` }, badge(operation.verb), operation.summary));
  const names = schemas.map((name) => el("li", { "data-find": `schema ${name.toLowerCase()}` },
    el("a", { href: `#schema-${name}`, class: "wide" }, name)));
  return [
    ...list.map((group) => el("section", {}, el("h2", {}, group.name), el("ul", {}, group.operations.map(link)))),
    el("section", {}, el("h2", {}, "Schemas"), el("ul", {}, names)),
  ];
}

function parameters(api, operation) {
  const list = operation.parameters ?? [];
  if (!list.length) return null;
  const rows = list.map((parameter) => {
    const schema = resolve(api, parameter.schema);
    const values = schema.enum ? schema.enum.join(", ") : schema.default !== undefined ? `${schema.default} by default` : "";
    return el("tr", {},
      el("td", {}, el("code", {}, parameter.name), " ", parameter.required ? el("span", { class: "need" }, "needed") : ""),
      el("td", { class: "type" }, parameter.in),
      el("td", {}, el("div", { class: "type" }, typeOf(api, parameter.schema)), prose(parameter.description),
        values ? el("div", { class: "type" }, values) : null));
  });
  return [el("h4", {}, "Parameters"), el("div", { class: "scroll" }, el("table", { class: "fields" }, el("tbody", {}, rows)))];
}

function shape(api, title, mediaType, schema) {
  const text = JSON.stringify(example(api, schema), null, 2);
  const plain = mediaType === "application/json" || mediaType === "application/problem+json";
  return [
    el("h4", {}, prose(title), plain ? "" : el("span", { class: "type" }, ` ${mediaType}`)),
    el("div", { class: "pair" }, fields(api, schema), el("pre", { tabindex: "0", "aria-label": "Example" }, el("code", {}, text))),
  ];
}

function responses(api, operation) {
  return Object.entries(operation.responses).filter(([status]) => status !== "default").flatMap(([status, response]) => {
    const [mediaType, content] = Object.entries(response.content ?? {})[0] ?? [];
    const headers = Object.keys(response.headers ?? {});
    const title = `${status} · ${response.description}${headers.length ? ` · ${headers.join(", ")}` : ""}`;
    return content ? shape(api, title, mediaType, content.schema) : [el("h4", {}, title)];
  });
}

function article(api, operation) {
  const id = operation.operationId;
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const access = operation["x-access"] ?? "public";
  return el("article", { class: "operation", id, "aria-labelledby": `${id}-title` },
    el("header", {},
      el("h3", { id: `${id}-title` }, operation.summary),
      el("p", { class: "path" }, badge(operation.verb), el("code", {}, operation.path),
        el("span", { class: `chip ${access}` }, ACCESS[access]))),
    el("div", { class: "body" },
      (operation.description ?? "").split("\n\n").filter(Boolean).map((text) => el("p", {}, prose(text))),
      parameters(api, operation)),
    el("details", { class: "fold" }, el("summary", {}, body ? "Body and answers" : "Answers"),
      el("div", { class: "body" },
        body ? shape(api, `Body · ${body.$ref ? nameOf(body.$ref) : "JSON"}`, "application/json", body) : null,
        responses(api, operation),
        el("p", { class: "soft" }, "Anything else is a ", el("a", { href: "#schema-Problem" }, "problem document"), "; see ",
          el("a", { href: "/docs/errors" }, "all codes"), "."))),
    trial(api, operation, body));
}

/** A key or an id for one request. */
function fresh() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The form that sends a request. It is filled when it is opened first. */
function trial(api, operation, body) {
  const details = el("details", { class: "fold" }, el("summary", {}, "Try it"));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(el("div", { class: "body" }, form(api, operation, body)));
  });
  return details;
}

function form(api, operation, body) {
  const id = operation.operationId;
  const inputs = (operation.parameters ?? []).map((parameter) => {
    const schema = resolve(api, parameter.schema);
    const name = `${id}-${parameter.name}`;
    const choices = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
    const field = choices
      ? el("select", { id: name }, el("option", { value: "" }, "–"), choices.map((value) => el("option", { value }, value)))
      : el("input", { id: name, class: "mono", autocomplete: "off", spellcheck: "false", required: parameter.required });
    if (parameter.name === "Idempotency-Key") field.value = fresh();
    else if (parameter.in === "path" && parameter.example !== undefined) field.value = parameter.example;
    return { parameter, field, node: el("div", {}, el("label", { for: name }, parameter.name, " ", el("span", { class: "type" }, parameter.in)), field) };
  });
  const text = body ? el("textarea", { id: `${id}-body`, class: "mono", spellcheck: "false" }) : null;
  if (text) text.value = JSON.stringify(example(api, body, true), null, 2);
  const output = el("div", { "aria-live": "polite" });
  const send = el("button", { type: "submit" }, "Send");
  const stop = el("button", { type: "button", class: "plain", disabled: true }, "Stop");
  const copy = el("button", { type: "button", class: "plain" }, "Copy as curl");
  const request = () => compose(operation, inputs, text?.value);
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(curl(request()));
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy as curl"; }, 1500);
  });
  const node = el("form", { class: "form" },
    inputs.length ? el("div", { class: "grid" }, inputs.map((input) => input.node)) : null,
    text ? el("div", {}, el("label", { for: `${id}-body` }, "Body"), text) : null,
    el("div", { class: "row" }, send, stop, copy,
      operation["x-access"] === "public" ? null : el("span", { class: "soft" }, "uses the access token at the side")),
    output);
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    const abort = new AbortController();
    const onStop = () => abort.abort();
    send.disabled = true;
    stop.disabled = false;
    stop.addEventListener("click", onStop, { once: true });
    await run(request(), abort.signal, output);
    stop.removeEventListener("click", onStop);
    send.disabled = false;
    stop.disabled = true;
    const key = inputs.find((input) => input.parameter.name === "Idempotency-Key");
    if (key) key.field.value = fresh();
  });
  return node;
}

/** What the form says, as a request. */
function compose(operation, inputs, body) {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const { parameter, field } of inputs) {
    const value = field.value.trim();
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value && parameter.in === "query") query.set(parameter.name, value);
    else if (value && parameter.in === "header") headers[parameter.name] = value;
  }
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (operation["x-access"] !== "public" && token.value.trim()) headers.Authorization = `Bearer ${token.value.trim()}`;
  const text = query.toString();
  return { method: operation.verb.toUpperCase(), path: text ? `${path}?${text}` : path, headers, body };
}

function curl({ method, path, headers, body }) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = [`curl -X ${method} ${quote(location.origin + path)}`];
  for (const [name, value] of Object.entries(headers)) {
    parts.push(`-H ${quote(name === "Authorization" ? `${name}: Bearer $TOKEN` : `${name}: ${value}`)}`);
  }
  if (body !== undefined) parts.push(`--data ${quote(body)}`);
  // The token itself stays out of the clipboard; the shell fills it in.
  return parts.join(" \\\n  ").replace("'Authorization: Bearer $TOKEN'", '"Authorization: Bearer $TOKEN"');
}

async function run({ method, path, headers, body }, signal, output) {
  const started = performance.now();
  output.replaceChildren(el("p", { class: "soft" }, "Sent …"));
  try {
    const answer = await fetch(path, { method, headers, body, signal });
    const took = Math.round(performance.now() - started);
    const status = el("span", { class: `status ${answer.ok ? "good" : "bad"}` }, `${answer.status} ${answer.statusText}`);
    const head = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    const place = el("code", {});
    output.replaceChildren(
      el("p", {}, status, el("span", { class: "soft" }, ` after ${took} ms`)),
      el("pre", { tabindex: "0", "aria-label": "Answer" }, place),
      el("details", {}, el("summary", {}, "Headers"), el("pre", { tabindex: "0" }, el("code", {}, head))));
    await pour(answer, place);
  } catch (error) {
    if (error.name === "AbortError") output.append(el("p", { class: "soft" }, "Stopped."));
    else output.append(el("p", { class: "status bad" }, `No answer: ${error.message}`));
  }
}

/** Shows a body: JSON when it is whole, streams as they come. */
async function pour(answer, place) {
  const type = answer.headers.get("content-type") ?? "";
  if (type.includes("event-stream") || type.includes("ndjson")) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      place.append(value);
      place.parentElement.scrollTop = place.parentElement.scrollHeight;
    }
  }
  const text = await answer.text();
  try {
    place.textContent = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    place.textContent = text || "(no body)";
  }
}

function narrow() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const entry of document.querySelectorAll("#contents li")) {
    entry.classList.toggle("hidden", !words.every((word) => entry.dataset.find.includes(word)));
  }
  for (const section of document.querySelectorAll("#contents section")) {
    section.classList.toggle("hidden", !section.querySelector("li:not(.hidden)"));
  }
}

function mark() {
  const here = decodeURIComponent(location.hash);
  for (const link of document.querySelectorAll("#contents a")) {
    if (link.getAttribute("href") === here) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function toggleMenu(open) {
  side.classList.toggle("open", open);
  menu.setAttribute("aria-expanded", String(open));
}

function controls() {
  filter.addEventListener("input", narrow);
  menu.addEventListener("click", () => toggleMenu(!side.classList.contains("open")));
  document.getElementById("contents").addEventListener("click", (event) => event.target.closest("a") && toggleMenu(false));
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      toggleMenu(true);
      filter.focus();
    } else if (event.key === "Escape" && event.target === filter) {
      filter.value = "";
      narrow();
    }
  });
  addEventListener("hashchange", mark);
  // The token lives as long as the tab, and nowhere else.
  token.value = sessionStorage.getItem("token") ?? "";
  token.addEventListener("input", () => sessionStorage.setItem("token", token.value));
}

async function start() {
  controls();
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const api = await answer.json();
  const list = groups(api);
  const schemas = Object.keys(api.components.schemas).sort();
  document.getElementById("about").textContent = api.info.description;
  document.getElementById("contents").append(...contents(list, schemas));
  document.getElementById("reference").append(
    ...list.flatMap((group) => [
      el("div", { class: "group" }, el("h2", {}, group.name), el("p", { class: "soft" }, group.description)),
      ...group.operations.map((operation) => article(api, operation)),
    ]),
    el("div", { class: "group" }, el("h2", {}, "Schemas")),
    ...schemas.map((name) => el("article", { class: "schema", id: `schema-${name}` },
      el("header", {}, el("h3", {}, name)),
      el("div", { class: "body" }, el("p", {}, prose(api.components.schemas[name].description)), fields(api, { $ref: `#/${name}` })))));
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  mark();
}

start().catch((error) => {
  document.getElementById("about").textContent = `The document could not be loaded: ${error.message}`;
});
