import { expect, it } from "vitest";
import { withoutControls } from "./without-controls.ts";

it("withoutControls() marks what a terminal obeys, and leaves the rest", () => {
  expect(withoutControls("a\u001b[2Jb\u009b1m\r\n\t\u0000c\u007f")).toBe("a·[2Jb·1m····c·");
  expect(withoutControls("Zürich → 東京 🙂")).toBe("Zürich → 東京 🙂");
});
