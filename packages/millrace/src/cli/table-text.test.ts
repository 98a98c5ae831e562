import { describe, expect, it } from "vitest";
import { tableText } from "./table-text.ts";

const left = (name: string) => ({ name, isRight: false });
const right = (name: string) => ({ name, isRight: true });

describe("tableText", () => {
  it("tableText() aligns texts left and numbers right", () => {
    const rows = [
      ["iris", "5"],
      ["x", "1000"],
    ];
    expect(tableText([left("model"), right("n")], rows, { width: Infinity })).toBe(
      "model     n\n-----  ----\niris      5\nx      1000\n",
    );
  });

  it("tableText() leaves out columns that do not fit and names them", () => {
    const rows = [["aaaa", "bbbb", "cccc"]];
    const head = [left("first"), left("second"), left("third")];
    expect(tableText(head, rows, { width: 15 })).toBe(
      "first  second\n-----  ------\naaaa   bbbb\n1 columns do not fit: third\n",
    );
    // One is always there, cut where it must be.
    expect(tableText(head, [["a".repeat(30), "b", "c"]], { width: 10 })).toBe(
      `first\n----------\n${"a".repeat(9)}…\n2 columns do not fit: second, t…\n`,
    );
  });

  it("tableText() cuts long cells on a terminal alone", () => {
    const rows = [["x".repeat(100)]];
    expect(tableText([left("a")], rows, { width: 200 })).toContain(`\n${"x".repeat(59)}…\n`);
    expect(tableText([left("a")], rows, { width: Infinity })).toContain("x".repeat(100));
  });

  it("tableText() keeps a cell in its line, and a terminal from obeying it", () => {
    const rows = [["a\nb\tc\u001b[31m\u0007"]];
    expect(tableText([left("a")], rows, { width: Infinity })).toContain("\na\\nb\\tc�[31m�\n");
  });

  it("tableText() counts characters, not their halves", () => {
    expect(tableText([left("a"), left("b")], [["🦊🦊", "x"]], { width: Infinity })).toBe(
      "a   b\n--  -\n🦊🦊  x\n",
    );
  });
});
