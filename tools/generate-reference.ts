// Writes docs/reference from the schema, the error table and the metrics; with --check only compares and exits 1 on a difference.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { configJsonSchema } from "../packages/millrace/src/config/json-schema.ts";
import type { SchemaNode } from "../packages/millrace/src/config/json-schema.ts";
import { listKeys } from "../packages/millrace/src/config/paths.ts";
import type { ConfigKey } from "../packages/millrace/src/config/paths.ts";
import {
  formsOf,
  isWordOrObject,
  propertiesOf,
  rangeText,
  wordsOf,
} from "../packages/millrace/src/config/schema-node.ts";
import { ERRORS } from "../packages/millrace/src/core/errors.ts";
import { Metrics } from "../packages/millrace/src/core/metrics/metrics.ts";
import { LOG_COLUMNS, LOG_PARTITIONS } from "../packages/millrace/src/core/predictions/columns.ts";
import { LOG_TABLES } from "../packages/millrace/src/core/predictions/log-block.ts";
import { ServeMetrics } from "../packages/millrace/src/serve/serve-metrics.ts";
import { addTraceCounters } from "../packages/millrace/src/serve/traces-of.ts";
import type { LogStatus } from "../packages/millrace/src/shipping/log-messages.ts";
import { shippingMetrics } from "../packages/millrace/src/shipping/shipping-metrics.ts";
import { SupervisorMetrics } from "../packages/millrace/src/supervisor/supervisor-metrics.ts";

interface Page {
  readonly file: string;
  readonly text: string;
}

const FOLDER = join(import.meta.dirname, "../docs/reference");
const COMMAND = "npm run docs";

/** Kinds of values that the type column calls otherwise. */
const KIND_TYPES: Readonly<Record<string, string>> = {
  source: "path or address",
  codeFile: "path",
  secret: "text",
  headerText: "text",
  onError: "`fail`, `skip` or step",
};

/** For the names of what is counted. */
const NO_LOG: LogStatus = {
  folder: "",
  isShipping: false,
  problem: undefined,
  sinks: [],
  segments: { count: 0, bytes: 0 },
  tables: [],
  uncleanWriters: 0,
  damagedBlocks: 0,
};

const isCheck = process.argv.includes("--check");
const schema = configJsonSchema();
const pages: readonly Page[] = [
  { file: "config.md", text: configPage(schema) },
  { file: "config.schema.json", text: JSON.stringify(schema) },
  { file: "errors.md", text: errorsPage() },
  { file: "metrics.md", text: metricsPage() },
  { file: "prediction-log.md", text: predictionLogPage() },
];
const stale: string[] = [];
await mkdir(FOLDER, { recursive: true });
for (const { file, text } of pages) {
  const path = join(FOLDER, file);
  const options = await resolveConfig(path);
  const wanted = await format(text, { ...options, filepath: path });
  const current = await readFile(path, "utf8").catch(() => "");
  if (current === wanted) continue;
  stale.push(`docs/reference/${file}`);
  if (!isCheck) await writeFile(path, wanted);
}
if (isCheck && stale.length > 0) {
  console.error(`Not up to date: ${stale.join(", ")}. Run \`${COMMAND}\``);
  process.exitCode = 1;
}

function configPage(root: SchemaNode): string {
  const sections = propertiesOf(root).map(([key, node]) => {
    const keys = listKeys(root, placeholders).filter((item) => item.path[0] === key);
    const title =
      propertiesOf(node).length > 0 || keys.length > 1 ? `${node.description ?? ""}\n\n` : "";
    const head = "| key | env | flag | type | default | range | live | meaning |\n";
    const rule = "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    return `## ${key}\n\n${title}${head}${rule}${keys.map(keyRow).join("")}`;
  });
  return `# Configuration

Generated from \`packages/millrace/src/config/schema.ts\` by \`${COMMAND}\`; do not edit.

A flag wins over an environment variable, that over the file, the file over the default. \`--port\` is short for
\`--server.http-port\`, \`--host\` for \`--server.host\`. In a variable, \`<NAME>\` is the name of a model, service or
input in upper case, with \`_\` for what is neither letter nor digit; an empty variable counts as not set. Lists are
given as \`a,b\` or as JSON, objects as JSON. \`.env\` beside the file is read; in the file, \`\${NAME}\` and
\`\${NAME:-default}\` in texts take environment values, and \`$\${\` stands for \`\${\` itself.

Durations have a unit: \`250ms\`, \`2s\`, \`5m\`, \`1h\`, \`30d\`. Sizes too: \`512B\`, \`64KiB\`, \`16MiB\`, \`1GiB\`. Shares
are \`10%\` or \`0.1\`, rates \`2000/s\`, \`100/m\`, \`5/h\`. Relative paths start from the file's folder, without a file
from the working folder. Names of models and services match
\`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$\`; \`stats\` is reserved. \`live\` keys can change while running.

${sections.join("\n")}
## Steps

What \`graph\` of a service is made of: the name of a model or service, or an object of one of these forms. Inside a
sequence \`{ step: …, onError: … }\` may stand for a step. [Graphs](../graphs.md) says what they do.

${stepTables(root)}`;
}

/** A table for each form of a step. */
function stepTables(root: SchemaNode): string {
  const head = "| key | type | default | range | meaning |\n| --- | --- | --- | --- | --- |\n";
  const forms = formsOf({ $ref: "#/$defs/step" }, root).filter((form) => form.tellingKey);
  const tables = forms.map((form) => {
    const rows = listKeys(form, () => ["<name>"]).map((key) => {
      const [text, , , ...cells] = keyCells(key);
      return [text, ...cells.slice(0, 3), cells.at(-1)];
    });
    return `### ${form.tellingKey ?? ""}\n\n${head}${rows.map(row).join("")}`;
  });
  return tables.join("\n");
}

function row(cells: readonly (string | undefined)[]): string {
  return `| ${cells.map((cell) => (cell ?? "").replaceAll("|", "\\|")).join(" | ")} |\n`;
}

function placeholders(path: readonly string[]): readonly string[] {
  return path.length === 1 ? ["<name>"] : ["<input>"];
}

function keyRow(key: ConfigKey): string {
  return row(keyCells(key));
}

/** Key, variable, flag, type, default, range, liveness, meaning. */
function keyCells(key: ConfigKey): readonly string[] {
  const { text, node, environment, flag } = key;
  return [
    code(text),
    code(environment),
    code(flag),
    typeText(node),
    node.default === undefined || (isWordOrObject(node) && typeof node.default === "object")
      ? requiredText(key)
      : code(valueText(node.default)),
    rangeCell(node),
    node.live === true ? "yes" : "no",
    [node.description ?? "", examplesText(node)].filter((part) => part !== "").join(" "),
  ];
}

function requiredText({ isRequired, optionalIn, environment }: ConfigKey): string {
  if (!isRequired) return "";
  const isInObject = optionalIn !== undefined && environment !== undefined;
  return isInObject ? `required with ${code(optionalIn.join("."))}` : "required";
}

function typeText(node: SchemaNode): string {
  if (node.kind !== undefined) return KIND_TYPES[node.kind] ?? node.kind;
  if (node.$ref !== undefined) return "step";
  if (node.anyOf !== undefined) return node.anyOf.map(typeText).join(" or ");
  if (node.const !== undefined || node.enum !== undefined)
    return wordsOf(node).map(code).join(", ");
  switch (node.type) {
    case "integer":
      return "whole number";
    case "boolean":
      return "`true`, `false`";
    case "string":
      return node.range === undefined ? "text" : code(node.range);
    case "array":
      return arrayText(node);
    case "object":
      return objectText(node);
    default:
      return node.type ?? "any";
  }
}

function arrayText(node: SchemaNode): string {
  if (node.prefixItems !== undefined) return `list of ${node.prefixItems.length} numbers`;
  const item = node.items === false || node.items === undefined ? undefined : typeText(node.items);
  return item === undefined || item === "any" ? "list" : `list of ${item}`;
}

function objectText(node: SchemaNode): string {
  const keys = Object.entries(node.properties ?? {}).map(([key, child]) => {
    return `${key}: ${child.kind ?? child.type ?? "any"}`;
  });
  if (keys.length > 0) return keys.length > 2 ? "object" : code(`{ ${keys.join(", ")} }`);
  const value = node.additionalProperties === false ? undefined : node.additionalProperties;
  const valueType = value === undefined ? "any" : typeText(value);
  if (value?.enum !== undefined) return "object of these";
  return valueType === "any" ? "object" : `object of ${valueType}`;
}

function rangeCell(node: SchemaNode): string {
  const range = rangeText(node);
  if (range === undefined || range.includes("<")) return "";
  const isNumber = node.kind === undefined && node.unit !== undefined;
  return isNumber ? `${range} ${node.unit}` : range;
}

function examplesText(node: SchemaNode): string {
  const examples = node.examples ?? [];
  return examples.length === 0
    ? ""
    : `Example: ${examples.map((value) => code(valueText(value))).join(", ")}`;
}

function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function code(text: string | undefined): string {
  return text === undefined ? "" : `\`${text}\``;
}

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([errorCode, { status, grpc, retryable, title }]) => {
    return `| \`${errorCode}\` | ${status} | ${grpc} | ${retryable ? "yes" : "no"} | ${title} |\n`;
  });
  return `# Errors

Generated from \`packages/millrace/src/core/errors.ts\` by \`${COMMAND}\`; do not edit.

Codes are stable. Retryable: the same request may succeed later.

| code | HTTP | gRPC | retryable | title |
| --- | --- | --- | --- | --- |
${rows.join("")}`;
}

function metricsPage(): string {
  const registry = new Metrics();
  const serve = new ServeMetrics(registry, () => undefined).registry;
  addTraceCounters(registry, { counts: { exported: 0, dropped: 0, exportErrors: 0 } });
  const supervisor = new SupervisorMetrics(
    () => 0,
    () => 0,
    () => 0,
  ).registry.snapshot();
  const rows = [...serve.snapshot(), ...shippingMetrics(NO_LOG), ...supervisor].map(
    ({ name, kind, labelNames, help }) => {
      const labels = labelNames.map((label) => code(label)).join(", ");
      return `| ${code(name)} | ${kind} | ${labels} | ${help} |\n`;
    },
  );
  return `# Metrics

Generated from the code by \`${COMMAND}\`; do not edit.

\`GET /metrics\` on \`server.metricsPort\`, Prometheus text. Under \`millrace up\` counters and histograms are the sum of all
serve processes, and gauges carry the label \`process\`. Labels are bounded: no ids, no paths.

| name | kind | labels | meaning |
| --- | --- | --- | --- |
${rows.join("")}`;
}

function predictionLogPage(): string {
  const tables = LOG_TABLES.map((table) => {
    const rows = LOG_COLUMNS[table].map(({ name, type, description }) =>
      row([code(name), type, description]),
    );
    const folders = LOG_PARTITIONS[table].map((name) => code(`${name}=…`)).join(" / ");
    return `## ${table}

Files: \`${table}\` / ${folders}; these parts of the path are columns too.

| column | type | meaning |
| --- | --- | --- |
${rows.join("")}`;
  });
  return `# Tables of the prediction log

Generated from \`packages/millrace/src/core/predictions/columns.ts\` by \`${COMMAND}\`; do not edit.

Later versions add columns at the end and rename none. Times are UTC, without a zone; texts marked JSON are JSON.
[The prediction log](../prediction-log.md) says where the files are and what may be relied on.

${tables.join("\n")}`;
}
