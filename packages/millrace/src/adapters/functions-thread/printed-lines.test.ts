import { expect, test } from "vitest";
import { LINE_LENGTH_MAX, LINES_PER_SECOND_MAX, PrintedLines } from "./printed-lines.ts";

/** Lines as `level: text`, on a clock that stands at `clock.ms`. */
function printed(): { lines: string[]; clock: { ms: number }; printer: PrintedLines } {
  const lines: string[] = [];
  const clock = { ms: 0 };
  const printer = new PrintedLines(
    (level, line) => lines.push(`${level}: ${line}`),
    () => clock.ms,
  );
  return { lines, clock, printer };
}

test("PrintedLines.add() gives lines when they end, each level on its own", () => {
  const { lines, printer } = printed();
  printer.add("info", "a");
  printer.add("warn", "careful\n");
  printer.add("info", "b\nc\n\nd");
  expect(lines).toEqual(["warn: careful", "info: ab", "info: c", "info: "]);
});

test("PrintedLines.add() cuts a line that is too long, however it comes", () => {
  const { lines, printer } = printed();
  for (let i = 0; i < 10; i++) printer.add("info", "x".repeat(LINE_LENGTH_MAX));
  printer.add("info", "\n");
  expect(lines).toEqual([`info: ${"x".repeat(LINE_LENGTH_MAX)}`]);
});

test("PrintedLines.add() leaves out the rest of a second with too many lines and says so once", () => {
  const { lines, clock, printer } = printed();
  printer.add("info", "x\n".repeat(LINES_PER_SECOND_MAX + 50));
  expect(lines).toHaveLength(LINES_PER_SECOND_MAX + 1);
  expect(lines.at(-1)).toContain("the rest of this second is left out");
  clock.ms = 999;
  printer.add("info", "still too early\n");
  clock.ms = 1000;
  printer.add("info", "back\n");
  expect(lines.slice(LINES_PER_SECOND_MAX + 1)).toEqual(["info: back"]);
});
