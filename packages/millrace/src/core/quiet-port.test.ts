import { expect, it } from "vitest";
import { quietPort } from "./quiet-port.ts";

it("quietPort() stays below the ports of outgoing connections", () => {
  expect([quietPort(0), quietPort(0.5), quietPort(0.99999999)]).toEqual([20_000, 26_000, 31_999]);
});
