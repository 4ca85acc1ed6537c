// Draws /api/openapi.json. Everything is set as text, never as markup.
"use strict";

const VERBS = ["get", "post", "put", "patch", "delete"];

/** Makes an element: el("p", {class: "x"}, "text", child ...). */
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

/** A comment as paragraphs, with `code` where it says so. */
function prose(text) {
  return (text || "").split("\n\n").filter(Boolean).map((paragraph) => {
    const parts = paragraph.split("`");
    return el("p", {}, ...parts.map((part, index) => (index % 2 ? el("code", {}, part) : part)));
  });
}

function refName(schema) {
  return schema && schema.$ref ? schema.$ref.split("/").pop() : undefined;
}

/** The schema behind references, `null` and lists. */
function target(schema, schemas) {
  if (!schema) return undefined;
  if (schema.$ref) return schemas[refName(schema)];
  if (schema.anyOf) return target(schema.anyOf.find((one) => one.$ref), schemas);
  if (schema.items) return target(schema.items, schemas);
  if (schema.additionalProperties && schema.additionalProperties.$ref) {
    return target(schema.additionalProperties, schemas);
  }
  return undefined;
}

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return refName(schema);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum) return schema.enum.map((value) => (value === null ? "null" : JSON.stringify(value))).join(" | ");
  const kinds = [].concat(schema.type || "any");
  return kinds.map((kind) => {
    if (kind === "array") return `list of ${typeOf(schema.items)}`;
    if (kind === "object" && schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}`;
    return schema.format && kind !== "null" ? `${kind} (${schema.format})` : kind;
  }).join(" or ");
}

/** A list of fields; nested messages can be opened, so that what refers to itself does no harm. */
function fields(schema, schemas) {
  const list = el("dl");
  const required = schema.required || [];
  for (const [name, field] of Object.entries(schema.properties || {})) {
    const must = schema.additionalProperties === false && required.includes(name);
    const note = el("dd", {}, el("span", { class: "type" }, typeOf(field)));
    if (field.readOnly && schema.additionalProperties === false) {
      note.append(" ", el("span", { class: "tag" }, "ignored in requests"));
    }
    note.append(...prose(field.description));
    const inner = target(field, schemas);
    if (inner && inner.properties) {
      const more = el("details", {}, el("summary", {}, "fields"));
      more.addEventListener("toggle", () => {
        if (more.open && more.children.length === 1) more.append(fields(inner, schemas));
      });
      note.append(more);
    }
    list.append(el("dt", {}, el("code", {}, name), must ? el("span", { class: "must" }, " required") : undefined), note);
  }
  return list;
}

function parameters(operation) {
  const list = el("dl");
  for (const parameter of operation.parameters || []) {
    list.append(
      el("dt", {}, el("code", {}, parameter.name), " ", el("span", { class: "tag" }, parameter.in),
        parameter.required ? el("span", { class: "must" }, " required") : undefined),
      el("dd", {}, el("span", { class: "type" }, typeOf(parameter.schema)), ...prose(parameter.description)));
  }
  return list;
}

function answers(operation, schemas) {
  const list = el("dl");
  for (const [status, answer] of Object.entries(operation.responses)) {
    const content = Object.entries(answer.content || {})[0];
    const note = el("dd", {});
    if (answer["x-codes"]) {
      answer["x-codes"].forEach((code, index) => note.append(index ? ", " : "", el("code", {}, code)));
    } else {
      note.append(answer.description);
    }
    if (content && !answer["x-codes"]) {
      const schema = content[1].schema.properties?.data?.contentSchema || content[1].schema;
      note.append(" ", el("span", { class: "type" }, `${typeOf(schema)} · ${content[0]}`));
      const inner = target(schema, schemas);
      if (inner && inner.properties) note.append(el("details", {}, el("summary", {}, "fields"), fields(inner, schemas)));
    }
    for (const [name, header] of Object.entries(answer.headers || {})) {
      note.append(el("p", {}, el("code", {}, name), header.description ? ` ${header.description}` : ""));
    }
    list.append(el("dt", {}, el("code", {}, status)), note);
  }
  return list;
}

function operationOf(path, verb, operation, schemas) {
  const body = el("div");
  const box = el("details", { class: "operation", id: operation.operationId },
    el("summary", {},
      el("span", { class: `verb ${verb}` }, verb.toUpperCase()),
      el("h3", { class: "path" }, path),
      operation.security && operation.security.length === 0 ? el("span", { class: "tag" }, "no token") : undefined,
      el("span", { class: "brief" }, operation.summary)),
    body);
  // Drawn when first opened: most never are.
  box.addEventListener("toggle", () => {
    if (!box.open || body.children.length) return;
    body.append(...prose(operation.description));
    if (operation.parameters) body.append(el("h4", {}, "Parameters"), parameters(operation));
    if (operation.requestBody) {
      const schema = operation.requestBody.content["application/json"].schema;
      body.append(el("h4", {}, `Body: ${typeOf(schema)}`), fields(target(schema, schemas) || schema, schemas));
    }
    body.append(el("h4", {}, "Answers"), answers(operation, schemas));
  });
  return box;
}

function draw(api) {
  const schemas = api.components.schemas;
  const content = document.getElementById("content");
  const menu = document.getElementById("menu");
  document.getElementById("version").textContent = api.info.version;
  content.replaceChildren(...prose(api.info.description));

  const entries = [];
  for (const tag of api.tags) {
    const section = el("section", { "aria-labelledby": `tag-${tag.name}` },
      el("h2", { id: `tag-${tag.name}` }, tag.name), ...prose(tag.description));
    const list = el("ul");
    const group = el("div", {}, el("h2", {}, tag.name), list);
    for (const [path, item] of Object.entries(api.paths)) {
      for (const verb of VERBS) {
        const operation = item[verb];
        if (!operation || !operation.tags.includes(tag.name)) continue;
        const box = operationOf(path, verb, operation, schemas);
        const link = el("li", {}, el("a", { href: `#${operation.operationId}` }, operation.summary || path));
        section.append(box);
        list.append(link);
        const words = [path, verb, operation.operationId, operation.description].join(" ").toLowerCase();
        entries.push({ box, link, section, group, words });
      }
    }
    content.append(section);
    menu.append(group);
  }
  return entries;
}

function filter(entries, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = new Set();
  let count = 0;
  for (const entry of entries) {
    const show = words.every((word) => entry.words.includes(word));
    entry.box.hidden = !show;
    entry.link.hidden = !show;
    if (show) {
      count += 1;
      shown.add(entry.section).add(entry.group);
    }
  }
  for (const entry of entries) {
    entry.section.hidden = !shown.has(entry.section);
    entry.group.hidden = !shown.has(entry.group);
  }
  document.getElementById("count").textContent = `${count} of ${entries.length}`;
}

/** Opens what the address names. */
function open() {
  const box = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (box instanceof HTMLDetailsElement) {
    box.open = true;
    box.scrollIntoView();
  }
}

async function main() {
  const response = await fetch("/api/openapi.json");
  if (!response.ok) throw new Error(`openapi.json: ${response.status}`);
  const entries = draw(await response.json());
  const input = document.getElementById("filter");
  input.addEventListener("input", () => filter(entries, input.value));
  filter(entries, input.value);
  addEventListener("hashchange", open);
  open();
}

main().catch((error) => {
  document.getElementById("loading")?.replaceChildren(`The description could not be read: ${error.message}`);
});
