import { expect, test } from "vitest";
import { statusText, timeoutText } from "./ending-texts.ts";

test.each([
  [199, "199"],
  [200, ""],
  [399, ""],
  [400, "400 Bad Request"],
  [503, "503 Service Unavailable"],
  [599, "599"],
])("statusText() of %d is %j", (code, text) => {
  expect(statusText(code)).toBe(text);
});

test.each([
  [30_000, "no answer within 30s"],
  [1500, "no answer within 1500ms"],
])("timeoutText() of %d ms is %j", (timeoutMs, text) => {
  expect(timeoutText(timeoutMs)).toBe(text);
});
