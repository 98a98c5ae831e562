import { expect, test } from "vitest";
import { loadIoredis } from "./load-ioredis.ts";

test("loadIoredis() says what to install when the client is not there", async () => {
  const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
  await expect(loadIoredis(() => Promise.reject(missing))).rejects.toMatchObject({
    code: "NOT_IMPLEMENTED",
    message: expect.stringContaining("npm install ioredis") as string,
  });
});

test("loadIoredis() throws as it is what is wrong with a client that is there", async () => {
  const broken = new SyntaxError("broken");
  await expect(loadIoredis(() => Promise.reject(broken))).rejects.toBe(broken);
});
