import { shownUrl } from "../core/load/shown-url.ts";
import type { CommandLine } from "./command.ts";

/** Headers whose values are no secrets, whoever sends them. */
const HARMLESS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "content-encoding",
  "content-type",
  "host",
  "user-agent",
]);

/** The command as it was typed, for reports: without values of headers and secrets in URLs. */
export function shownCommand(command: string, line: CommandLine): string {
  const words = line.positionals.map(shownWord);
  for (const [name, values] of line.values) {
    for (const value of values) {
      words.push(`--${name}`);
      if (value !== "") words.push(name === "header" ? withoutValue(value) : shownWord(value));
    }
  }
  return ["millrace", command, ...words.map(quoted)].join(" ");
}

function withoutValue(header: string): string {
  const name = header.slice(0, Math.max(0, header.indexOf(":"))).trim();
  return HARMLESS.has(name.toLowerCase()) ? header : `${name}: …`;
}

function shownWord(word: string): string {
  return /^https?:/i.test(word) ? shownUrl(word) : word;
}

/** As a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
