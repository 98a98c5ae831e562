import { readFile, stat } from "node:fs/promises";
import { extname } from "node:path";
import type { JsonValue } from "../core/json.ts";

/** A value read from a file the configuration names, or what is wrong with the file. */
export type ReadResult<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "invalid"; readonly message: string };

const LABEL_FILE_BYTES_MAX = 16 * 1024 * 1024;
const SAMPLE_FILE_BYTES_MAX = 64 * 1024 * 1024;

/** Class names of a `.txt` file, one a line, or a `.json` file, an array or `{ "0": "setosa" }`. */
export async function readLabels(path: string): Promise<ReadResult<readonly string[]>> {
  const extension = extname(path);
  if (extension !== ".txt" && extension !== ".json") {
    return invalid("is not a label file, expected .txt or .json");
  }
  const text = await readText(path, LABEL_FILE_BYTES_MAX);
  if (text.kind === "invalid") return text;
  if (extension === ".txt") return labelsOfLines(text.value);
  const json = parseJson(text.value);
  return json.kind === "invalid" ? json : labelsOfJson(json.value);
}

/** The JSON value of a file. Whole numbers beyond 2^53 lose digits. */
export async function readSample(path: string): Promise<ReadResult<JsonValue>> {
  const text = await readText(path, SAMPLE_FILE_BYTES_MAX);
  if (text.kind === "invalid") return text;
  const json = parseJson(text.value);
  if (json.kind === "invalid") return json;
  if (typeof json.value === "object" && json.value !== null) return json;
  return invalid("holds no rows, expected a JSON array or object");
}

async function readText(path: string, bytesMax: number): Promise<ReadResult<string>> {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) return invalid("does not exist");
  if (!facts.isFile()) return invalid("is not a file");
  if (facts.size > bytesMax) return invalid(`has ${facts.size} bytes, at most ${bytesMax}`);
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? invalid("cannot be read") : { kind: "ok", value: text };
}

function parseJson(text: string): ReadResult<JsonValue> {
  try {
    return { kind: "ok", value: JSON.parse(text) as JsonValue };
  } catch {
    return invalid("is not valid JSON");
  }
}

function labelsOfLines(text: string): ReadResult<readonly string[]> {
  const lines = text.trimEnd().split("\n");
  const labels = lines.map((line) => line.trim());
  const empty = labels.indexOf("");
  if (text.trim() === "") return invalid("is empty");
  return empty === -1
    ? { kind: "ok", value: labels }
    : invalid(`has no label in line ${empty + 1}`);
}

function labelsOfJson(json: JsonValue): ReadResult<readonly string[]> {
  const labels = Array.isArray(json) ? (json as readonly JsonValue[]) : labelsByIndex(json);
  if (labels === undefined || labels.length === 0 || !labels.every(isText)) {
    return invalid("holds no labels, expected an array of texts or {index: label} from 0 on");
  }
  return { kind: "ok", value: labels };
}

/** Labels of `{ "0": "setosa", "1": "versicolor" }`; undefined unless the indexes are 0 to n-1. */
function labelsByIndex(json: JsonValue): readonly (JsonValue | undefined)[] | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const byIndex = new Map(Object.entries(json));
  return Array.from({ length: byIndex.size }, (_, index) => byIndex.get(String(index)));
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function invalid(message: string): { readonly kind: "invalid"; readonly message: string } {
  return { kind: "invalid", message };
}
