import { expect, it } from "vitest";
import { hostInUrl } from "./host-in-url.ts";

it.each([
  ["127.0.0.1", "http://127.0.0.1:8080/"],
  ["0.0.0.0", "http://localhost:8080/"],
  ["::", "http://localhost:8080/"],
  ["::1", "http://[::1]:8080/"],
])("hostInUrl() makes an address of %s that can be called", (host, href) => {
  expect(new URL(`http://${hostInUrl(host)}:8080`).href).toBe(href);
});
