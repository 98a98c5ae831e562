import { expect, it } from "vitest";
import { rfc3339Nano } from "./rfc3339-nano.ts";

it.each([
  [0n, "1970-01-01T00:00:00Z"],
  [1_700_000_000_000_000_001n, "2023-11-14T22:13:20.000000001Z"],
  [1_700_000_000_120_000_000n, "2023-11-14T22:13:20.12Z"],
  [-1n, "1969-12-31T23:59:59.999999999Z"],
])("rfc3339Nano(%s) writes no needless decimal", (unixNs, text) => {
  expect(rfc3339Nano(unixNs)).toBe(text);
});
