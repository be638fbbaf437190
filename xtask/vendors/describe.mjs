// Prints what the vendors say of the endpoints that are named as arguments, "vendor METHOD /path": one JSON object for each,
// with its query parameters, whether it is deprecated, and the JSON Schema of its answer.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = (name) => join(dirname(fileURLToPath(import.meta.url)), "node_modules", name);

// GitHub: OpenAPI 3.0, whose `nullable` is a type of its own in JSON Schema.
function github(method, path) {
  github.all ??= JSON.parse(readFileSync(join(folder("@octokit/openapi"), "generated/api.github.com.json")));
  const operation = github.all.paths[path]?.[method.toLowerCase()];
  if (!operation) return undefined;
  const resolved = (it) => (it.$ref ? it.$ref.slice(2).split("/").reduce((at, part) => at[part], github.all) : it);
  const schemas = {};
  const plain = (it) => {
    if (Array.isArray(it)) return it.map(plain);
    if (it === null || typeof it !== "object") return it;
    const { nullable, example, examples, ...rest } = it;
    const copy = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, plain(value)]));
    if (typeof rest.$ref === "string") {
      const name = rest.$ref.split("/").at(-1);
      if (!(name in schemas)) {
        schemas[name] = null;
        schemas[name] = plain(resolved(rest));
      }
    }
    return nullable === true ? { anyOf: [copy, { type: "null" }] } : copy;
  };
  const answer = plain(resolved(operation.responses["200"]).content["application/json"].schema);
  const parameters = (operation.parameters ?? []).map(resolved).filter((it) => it.in === "query");
  return {
    deprecated: operation.deprecated === true,
    query: parameters.map((it) => it.name),
    answer: { ...answer, components: { schemas } },
  };
}

// Cloudflare: its client's types.
async function cloudflare(method, path) {
  const [, resource] = path.match(/^\/accounts\/\{account_id\}\/pages\/projects\/\{project_name\}(\/deployments)?$/) ?? [null];
  const own = join(folder("cloudflare"), "resources/pages/projects");
  const [file, type, list, sources] = resource
    ? [join(own, "deployments/deployments"), "Deployment", true, "list(projectName"]
    : [join(own, "projects"), "Project", false, "get(projectName"];
  const source = readFileSync(`${file}.js`, "utf8");
  const template = "/accounts/${account_id}/pages/projects/${projectName}" + (resource ?? "");
  const types = readFileSync(`${file}.d.ts`, "utf8");
  if (!source.includes(`path \`${template}\``) && !source.includes(`\`${template}\``)) return undefined;
  const before = types.slice(0, types.indexOf(sources)).split("*/");
  const { createGenerator } = await import("ts-json-schema-generator");
  const generator = createGenerator({ path: join(own, "projects.d.ts"), type, skipTypeCheck: true, additionalProperties: true, topRef: false });
  // A deprecation is a sentence there, and yes or no in JSON Schema.
  const plain = (name, value) => (name === "deprecated" ? true : value);
  const { definitions, ...result } = JSON.parse(JSON.stringify(generator.createSchema(type), plain));
  const entries = list ? { type: "array", items: result } : result;
  return {
    deprecated: before.at(-2)?.split("/**").at(-1).includes("@deprecated") ?? false,
    query: list ? ["env", "page", "per_page"].filter((name) => new RegExp(`\\b${name}\\?:`).test(types + readFileSync(join(folder("cloudflare"), "core/pagination.d.ts"), "utf8"))) : [],
    answer: {
      type: "object",
      required: ["success", "errors", "messages", "result"],
      properties: { success: { type: "boolean" }, errors: { type: "array" }, messages: { type: "array" }, result: entries },
      definitions,
    },
  };
}

// Sentry: its client's types.
async function sentry(method, path) {
  const types = join(folder("@sentry/api"), "dist/types.gen.d.ts");
  const source = readFileSync(types, "utf8");
  const urls = [...source.matchAll(/export type (\w+)Data = \{(?:(?!\nexport type)[\s\S])*?\n    url: '([^']+)';/g)];
  const found = urls.map(([text, name, url]) => ({ text, name, url })).filter(({ url }) => url === path);
  // One address, several methods: what lists has a cursor.
  const listed = found.find(({ text }) => text.includes("cursor?:"));
  if (!listed || method !== "GET") return undefined;
  const type = `${listed.name}Response`;
  const { createGenerator } = await import("ts-json-schema-generator");
  const generator = createGenerator({ path: types, type, skipTypeCheck: true, additionalProperties: true, topRef: false });
  const query = listed.text.slice(listed.text.indexOf("query?: {"));
  const before = readFileSync(join(folder("@sentry/api"), "dist/sdk.gen.d.ts"), "utf8").split(`Options<${listed.name}Data`)[0].split("export declare").at(-2) ?? "";
  return {
    deprecated: /@deprecated/.test(before.split("/**").at(-1)),
    query: [...query.matchAll(/^        (\w+)\?:/gm)].map(([, name]) => name),
    answer: JSON.parse(JSON.stringify(generator.createSchema(type))),
  };
}

// Supabase: the schemas that its CLI checks answers with, in the program that bun made of it. The names in it are shortened;
// what each stands for is read off a schema that is known.
function supabase(method, path) {
  supabase.schemas ??= schemas(readFileSync(join(folder("@supabase"), program(), "bin/supabase")));
  const text = supabase.schemas;
  const at = text.indexOf(`method:"${method}",path:"/v1/projects/{ref}${path}",`);
  if (at < 0) return undefined;
  const begin = text.lastIndexOf(":{id:\"", at);
  const end = text.indexOf("outputSchema:", at);
  const operation = text.slice(begin, end + 60);
  const query = operation.match(/queryParams:\[([^\]]*)\]/)[1];
  const description = operation.slice(0, at - begin);
  const output = operation.match(/outputSchema:([\w$]+)/)[1];
  const empty = operation.includes('response:{kind:"void"}');
  return {
    deprecated: /\bdeprecated\b|has been removed/i.test(description),
    query: [...query.matchAll(/"([^"]+)"/g)].map(([, name]) => name),
    answer: empty ? {} : schema(text, output),
  };
}

const program = () => `cli-${process.platform}-${process.arch}`;

// The part of the program that its schemas are in, around the one that is known.
function schemas(program) {
  const known = program.indexOf("walg_enabled:");
  return program.toString("latin1", Math.max(0, known - 3_000_000), known + 3_000_000);
}

function expression(text, name) {
  const found = new RegExp(`[,;{ ]${name.replaceAll("$", "\\$")}=(?=[\\w$]+\\()`, "g");
  const start = found.exec(text);
  if (!start) return undefined;
  let [at, depth, quote] = [found.lastIndex, 0, ""];
  for (; at < text.length; at++) {
    const letter = text[at];
    if (quote) {
      if (letter === "\\") at++;
      else if (letter === quote) quote = "";
    } else if ("\"'`".includes(letter)) quote = letter;
    else if ("([{".includes(letter)) depth++;
    else if (")]}".includes(letter)) depth--;
    if (depth < 0 || (depth === 0 && ",;".includes(letter))) break;
  }
  return text.slice(found.lastIndex, at);
}

function schema(text, name) {
  const known = text.match(/([\w$]+)\(\{region:([\w$]+),walg_enabled:([\w$]+),pitr_enabled:\3,backups:([\w$]+)\(\1\(\{id:([\w$]+)\.check\(/);
  const near = text.slice(known.index, known.index + 1500);
  const [, union, literals] = near.match(/status:([\w$]+)\(\[([\w$]+)\(\["COMPLETED"/);
  const [, optional] = near.match(/earliest_physical_backup_date_unix:([\w$]+)\(/);
  const [, nothing] = text.match(/db_pool:[\w$]+\(\[.{0,400}?,([\w$]+)\]\)/);
  const made = (json, isOptional = false) => {
    const self = new Proxy(() => self, {
      get: (_, field) => (field === "json" ? json : field === "isOptional" ? isOptional : typeof field === "symbol" ? undefined : self),
      apply: () => self,
    });
    return self;
  };
  const words = {
    [known[1]]: (fields) => {
      const all = Object.entries(fields);
      return made({
        type: "object",
        properties: Object.fromEntries(all.map(([field, value]) => [field, value.json ?? {}])),
        required: all.filter(([, value]) => !value.isOptional).map(([field]) => field),
      });
    },
    [known[2]]: made({ type: "string" }),
    [known[3]]: made({ type: "boolean" }),
    [known[4]]: (item) => made({ type: "array", items: item.json ?? {} }),
    [known[5]]: made({ type: "number" }),
    [union]: (all) => made({ anyOf: all.map((it) => it.json ?? {}) }),
    [literals]: (all) => made({ enum: all }),
    [optional]: (it) => made(it.json ?? {}, true),
    [nothing]: made({ type: "null" }),
  };
  const anything = made({});
  const scope = new Proxy(words, {
    has: () => true,
    get: (_, field) => {
      if (typeof field === "symbol") return undefined;
      if (["RegExp", "Number", "Infinity"].includes(field)) return globalThis[field];
      if (!(field in words)) {
        words[field] = anything;
        const found = expression(text, field);
        if (found?.startsWith(`${known[1]}(`) || found?.startsWith(`${known[4]}(`)) words[field] = evaluate(found);
      }
      return words[field];
    },
  });
  const evaluate = (found) => new Function("scope", `with (scope) { return (${found}) }`)(scope);
  const found = expression(text, name);
  if (!found) throw new Error(`no schema ${name}`);
  return evaluate(found).json;
}

const vendors = { github, cloudflare, sentry, supabase };
for (const wanted of process.argv.slice(2)) {
  const [vendor, method, path] = wanted.split(" ");
  const described = await vendors[vendor](method, path);
  console.log(JSON.stringify({ wanted, described: described ?? null }));
}
