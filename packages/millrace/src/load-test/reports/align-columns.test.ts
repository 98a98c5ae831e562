import { describe, expect, it } from "vitest";
import { alignColumns } from "./align-columns.ts";

describe("alignColumns()", () => {
  it("makes a column as wide as its widest cell and two spaces, in code points", () => {
    expect(alignColumns(["a\tb\tc", "µµµ\t\tc", "😀\tlonger\tc"])).toBe(
      "a    b       c\nµµµ          c\n😀    longer  c\n",
    );
  });

  it("begins a column anew behind a line that has no cell in it", () => {
    expect(alignColumns(["wide cell\tx", "no cells", "a\tx", "bb\tx\ty", "c\txxx\ty"])).toBe(
      "wide cell  x\nno cells\na   x\nbb  x    y\nc   xxx  y\n",
    );
  });

  it("leaves what is behind the last tab as it is", () => {
    expect(alignColumns(["a\tx  ", "a very long line", ""])).toBe("a  x  \na very long line\n\n");
  });
});
