import { expect, test } from "vitest";
import { shownUrl } from "./shown-url.ts";

test.each([
  ["http://host:8000/a?rows=32&x", "http://host:8000/a?rows=32&x"],
  ["https://me:SECRET@host/a@b?c=d", "https://…@host/a@b?c=d"],
  ["HTTPS://me:SEC@RET@host/", "HTTPS://…@host/"],
  [
    "http://host/?token=SECRET&a=1&X-Amz-Signature=SECRET",
    "http://host/?token=…&a=1&X-Amz-Signature=…",
  ],
  ["http://host/?api%5Fkey=SEC=RET&a=1", "http://host/?api%5Fkey=…&a=1"],
  ["http://host/?%6bey=SECRET", "http://host/?%6bey=…"],
  ["http://host/?a=%zz&%zz=1", "http://host/?a=%zz&%zz=1"],
  ["http://host/a#SECRET", "http://host/a"],
])("shownUrl() shows %s as %s", (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
});
