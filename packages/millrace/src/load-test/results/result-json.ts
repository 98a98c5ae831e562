import { rfc3339Nano } from "../../core/load/rfc3339-nano.ts";
import { goJsonString } from "./go-json-string.ts";
import { sortedHeaders } from "./header-block.ts";
import { parseRfc3339 } from "./parse-rfc3339.ts";
import type { StoredResult } from "./stored-result.ts";

/** A result as a line of vegeta's JSON, with its end of line. Latencies in ns, the body in base64. */
export function writeJsonResult(result: StoredResult): string {
  const { attack, error, body, method, url, headers } = result;
  const said = `"error":${goJsonString(error)},"body":${body === undefined ? "null" : `"${body}"`}`;
  const asked = `"method":${goJsonString(method)},"url":${goJsonString(url)}`;
  return (
    `{"attack":${goJsonString(attack)},"seq":${result.seq},"code":${result.code}` +
    `,"timestamp":"${rfc3339Nano(result.timestampNs)}","latency":${result.latencyNs}` +
    `,"bytes_out":${result.bytesOut},"bytes_in":${result.bytesIn}` +
    `,${said},${asked},"headers":${headers === undefined ? "null" : headersJson(headers)}}\n`
  );
}

/** Members may come in any order; those that are absent or null are empty. @returns what is wrong, as a text, where something is. */
export function readJsonResult(line: string): StoredResult | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "it is no JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is no object";
  return new JsonMembers(value as Readonly<Record<string, unknown>>).result();
}

function headersJson(headers: NonNullable<StoredResult["headers"]>): string {
  const members = sortedHeaders(headers).map(
    ([name, values]) => `${goJsonString(name)}:[${values.map(goJsonString).join(",")}]`,
  );
  return `{${members.join(",")}}`;
}

/** Reads members of one object; remembers the first one that is not what it should be. */
class JsonMembers {
  readonly #members: Readonly<Record<string, unknown>>;
  #problem: string | undefined;

  constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members;
  }

  result(): StoredResult | string {
    const timestampNs = parseRfc3339(this.#text("timestamp"));
    const result = {
      attack: this.#text("attack"),
      seq: this.#count("seq"),
      code: this.#count("code"),
      timestampNs: timestampNs ?? 0n,
      latencyNs: this.#count("latency"),
      bytesOut: this.#count("bytes_out"),
      bytesIn: this.#count("bytes_in"),
      error: this.#text("error"),
      body: this.#members["body"] == null ? undefined : this.#text("body"),
      method: this.#text("method"),
      url: this.#text("url"),
      headers: this.#headers(),
    };
    if (timestampNs === undefined) this.#problem ??= '"timestamp" is no time';
    return this.#problem ?? result;
  }

  #text(name: string): string {
    const value = this.#members[name] ?? "";
    if (typeof value === "string") return value;
    this.#problem ??= `"${name}" is no text`;
    return "";
  }

  #count(name: string): number {
    const value = this.#members[name] ?? 0;
    if (typeof value === "number" && Number.isInteger(value)) return value;
    this.#problem ??= `"${name}" is no whole number`;
    return 0;
  }

  #headers(): StoredResult["headers"] {
    const value = this.#members["headers"] ?? undefined;
    if (value === undefined) return undefined;
    const entries = typeof value === "object" ? Object.entries(value) : [["", undefined]];
    if (entries.every(([, values]) => isTexts(values)))
      return new Map(entries as [string, string[]][]);
    this.#problem ??= '"headers" are no lists of texts';
    return undefined;
  }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
