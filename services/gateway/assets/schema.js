// Reading schemas of an OpenAPI document: their types in words, their fields as a table, and an example of each.
// Everything is built as DOM nodes, so no text of the document can become markup.

/** Makes an element. Attributes that are null or false are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** A text in which `code` is set as code. */
export function prose(text) {
  return (text ?? "").split(/(`[^`]+`)/).filter(Boolean).map((part) =>
    part.startsWith("`") ? el("code", {}, part.slice(1, -1)) : part);
}

export const nameOf = (ref) => ref.split("/").pop();

/** The schema behind a reference, and the branch that is not null where there is a choice. */
export function resolve(document_, schema) {
  if (!schema) return {};
  if (schema.$ref) return { ...document_.components.schemas[nameOf(schema.$ref)], name: nameOf(schema.$ref) };
  const branch = (schema.oneOf ?? schema.anyOf ?? []).find((option) => option.type !== "null");
  if (branch) return { ...resolve(document_, branch), nullable: true, about: branch.description };
  if (schema.allOf?.length === 1) return resolve(document_, schema.allOf[0]);
  return schema;
}

const types = (schema) => [schema.type ?? []].flat();

/** A schema's type in words, with links to named schemas. */
export function typeOf(document_, schema) {
  const found = resolve(document_, schema);
  const nullable = found.nullable || types(found).includes("null");
  const parts = [];
  if (found.name) parts.push(el("a", { href: `#schema-${found.name}` }, found.name));
  else if (types(found).includes("array")) parts.push("list of ", ...typeOf(document_, found.items));
  else parts.push(types(found).filter((type) => type !== "null").join(" or ") || "anything");
  if (found.format && !found.name) parts.push(` (${found.format})`);
  if (nullable) parts.push(" or null");
  return parts;
}

/** What values a schema takes beyond its type. */
function limits(schema) {
  const parts = [];
  if (schema.enum) parts.push(schema.enum.join(", "));
  if (schema.minimum !== undefined && schema.maximum !== undefined) parts.push(`${schema.minimum} to ${schema.maximum}`);
  if (schema.default !== undefined) parts.push(`${schema.default} by default`);
  return parts.join("; ");
}

/** A table of the fields of an object. */
export function fields(document_, schema) {
  const found = resolve(document_, schema);
  if (found.enum) return el("p", {}, "One of ", found.enum.flatMap((value, index) => [index ? ", " : "", el("code", {}, value)]), ".");
  const properties = Object.entries(found.properties ?? {});
  if (!properties.length) return el("p", { class: "soft" }, typeOf(document_, schema));
  const required = new Set(found.required ?? []);
  const rows = properties.map(([name, property]) => {
    const inner = resolve(document_, property);
    const text = property.description ?? inner.about ?? (inner.name ? inner.description : null);
    const hint = limits(inner.name ? property : inner);
    const nullable = inner.nullable || types(inner).includes("null");
    return el("tr", {},
      el("td", {}, el("code", {}, name), required.has(name) || nullable ? "" : el("span", { class: "type" }, " optional")),
      el("td", {}, el("div", { class: "type" }, typeOf(document_, property)), prose(text), hint ? el("div", { class: "type" }, hint) : null));
  });
  return el("div", { class: "scroll" }, el("table", { class: "fields" }, el("tbody", {}, rows)));
}

const SAMPLES = {
  uuid: "0198c0de-7e57-7000-8000-000000000001",
  "date-time": "2026-01-05T12:00:00Z",
};

/**
 * An example of a schema: what it says itself, or made of the examples of its parts. With `needed`, only of those that
 * must be there.
 */
export function example(document_, schema, needed = false, depth = 0) {
  if (schema?.example !== undefined) return schema.example;
  const found = resolve(document_, schema);
  if (found.example !== undefined) return found.example;
  if (found.examples?.length) return found.examples[0];
  if (found.default !== undefined) return found.default;
  if (found.enum) return found.enum[0];
  if (depth > 6) return null;
  if (found.properties) {
    const wanted = ([name]) => !needed || (found.required ?? []).includes(name);
    const entries = Object.entries(found.properties).filter(wanted);
    return Object.fromEntries(entries.map(([name, property]) => [name, example(document_, property, needed, depth + 1)]));
  }
  const [type] = types(found).filter((candidate) => candidate !== "null");
  if (type === "array") return [example(document_, found.items, needed, depth + 1)];
  if (type === "object") return {};
  if (type === "integer" || type === "number") return found.minimum > 0 ? found.minimum : 1;
  if (type === "boolean") return false;
  if (type === "string") return SAMPLES[found.format] ?? "…";
  return null;
}
