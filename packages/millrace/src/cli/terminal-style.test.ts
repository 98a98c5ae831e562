import { expect, it } from "vitest";
import { terminalStyle } from "./terminal-style.ts";

const write = (): boolean => true;

function styleOf(stdout: object, env: Readonly<Record<string, string>> = {}) {
  return terminalStyle({ stdout: { write, ...stdout }, stderr: { write }, env, cwd: "/" });
}

it("terminalStyle() takes the width of a terminal, and none where there is no line to fill", () => {
  expect(styleOf({ isTTY: true, columns: 72 })).toMatchObject({ width: 72, tableWidth: 72 });
  expect(styleOf({ isTTY: true, columns: 5 }).width).toBe(40);
  expect(styleOf({})).toMatchObject({ width: 100, tableWidth: Infinity, isColored: false });
});

it("terminalStyle() shows more than ASCII where the locale has it, LC_ALL before the others", () => {
  expect(styleOf({}, { LANG: "de_DE.UTF-8" }).isUnicode).toBe(true);
  expect(styleOf({}, { LC_CTYPE: "C.utf8", LANG: "C" }).isUnicode).toBe(true);
  expect(styleOf({}, { LC_ALL: "C", LANG: "de_DE.UTF-8" }).isUnicode).toBe(false);
  expect(styleOf({}).isUnicode).toBe(false);
});

it("terminalStyle() paints on a terminal that does not say NO_COLOR", () => {
  expect(styleOf({ isTTY: true }, {}).isColored).toBe(true);
  expect(styleOf({ isTTY: true }, { NO_COLOR: "1" }).isColored).toBe(false);
  expect(styleOf({ isTTY: true }, { TERM: "dumb" }).isColored).toBe(false);
});
