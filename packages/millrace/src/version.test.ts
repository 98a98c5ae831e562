import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MILLRACE_VERSION } from "./version.ts";

test("MILLRACE_VERSION is the version of the package", async () => {
  const text = await readFile(join(import.meta.dirname, "../package.json"), "utf8");
  expect(MILLRACE_VERSION).toBe((JSON.parse(text) as { version: string }).version);
});
