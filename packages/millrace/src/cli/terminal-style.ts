import type { CommandIo } from "./command.ts";

/** Characters of a line where nothing says how many there are. */
const WIDTH_DEFAULT = 100;

/** Below it pictures say nothing. */
const WIDTH_MIN = 40;

/** What the place where a text goes can show. */
export interface TerminalStyle {
  /** Characters of a line of text or a picture, at least 40. */
  readonly width: number;
  /** Of a table, which loses columns beyond it; Infinity where nothing shows lines. */
  readonly tableWidth: number;
  /** Has it more than ASCII? */
  readonly isUnicode: boolean;
  readonly isColored: boolean;
}

/** Colors only on a terminal that does not say NO_COLOR; lines and dots only where the locale is UTF-8. */
export function terminalStyle({ stdout, env }: CommandIo): TerminalStyle {
  const { LC_ALL: all, LC_CTYPE: type, LANG: language, NO_COLOR: noColor, TERM: term } = env;
  const locale = [all, type, language].find((text) => text !== undefined && text !== "") ?? "";
  const isTerminal = stdout.isTTY === true;
  const columns = isTerminal ? stdout.columns : undefined;
  return {
    width: Math.max(WIDTH_MIN, columns ?? WIDTH_DEFAULT),
    tableWidth: columns ?? Infinity,
    isUnicode: /utf-?8/i.test(locale),
    isColored: isTerminal && (noColor ?? "") === "" && term !== "dumb",
  };
}

/** Green for what is well, red for what is not. */
export function painted(
  text: string,
  color: "green" | "red" | undefined,
  { isColored }: TerminalStyle,
): string {
  if (!isColored || color === undefined) return text;
  return `\u001b[${color === "green" ? 32 : 31}m${text}\u001b[39m`;
}
