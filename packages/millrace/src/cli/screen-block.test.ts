import { describe, expect, it } from "vitest";
import { ScreenBlock } from "./screen-block.ts";

function testTerminal() {
  const written: string[] = [];
  const stderr = {
    write: (text: string) => written.push(text),
    isTTY: true,
    columns: 80,
    rows: 24,
  };
  return { written, stderr, block: new ScreenBlock(stderr) };
}

describe("ScreenBlock", () => {
  it("show() writes over the lines of the time before, and nothing where they are the same", () => {
    const { written, block } = testTerminal();
    block.show(["one", "two"], [3, 3], 0);
    block.show(["one", "two"], [3, 3], 250);
    block.show(["three"], [5], 500);
    expect(written).toEqual([
      "\rone\u001b[K\ntwo\u001b[K\n\u001b[J",
      "\r\u001b[2Athree\u001b[K\n\u001b[J",
    ]);
  });

  it("show() goes up over the lines that a narrower terminal has broken", () => {
    const { written, stderr, block } = testTerminal();
    block.show(["a".repeat(79), "b"], [79, 1], 0);
    stderr.columns = 40;
    block.show(["c"], [1], 250);
    expect(written.at(-1)).toBe("\r\u001b[3Ac\u001b[K\n\u001b[J");
  });

  it("show() leaves alone what was written while the process was stopped", () => {
    const { written, block } = testTerminal();
    block.show(["one"], [3], 0);
    block.show(["two"], [3], 60_000);
    expect(written.at(-1)).toBe("\rtwo\u001b[K\n\u001b[J");
  });

  it("clear() takes the lines away, and writes nothing where none stand", () => {
    const { written, block } = testTerminal();
    block.clear();
    block.show(["one", "two"], [3, 3], 0);
    block.clear();
    block.clear();
    expect(written).toEqual(["\rone\u001b[K\ntwo\u001b[K\n\u001b[J", "\r\u001b[2A\u001b[J"]);
  });

  it("rowsMax leaves a line above it and one for the cursor", () => {
    const { stderr, block } = testTerminal();
    stderr.rows = 6;
    expect(block.rowsMax).toBe(4);
  });
});
