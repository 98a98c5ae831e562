import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readLogKey } from "./log-key.ts";

const run = promisify(execFile);

describe("readLogKey()", () => {
  let folder: string;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "millrace-key-")), "log");
  });
  afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

  it("makes a key of 32 bytes once, for its user alone", () => {
    const key = readLogKey(folder, undefined);
    expect(key).toHaveLength(32);
    expect(readLogKey(folder, undefined)).toEqual(key);
    expect(statSync(join(folder, "key")).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(["key"]);
  });

  it("derives the key from that of the file and writes nothing then", () => {
    const key = readLogKey(folder, "a key of the file");
    expect(key).toHaveLength(32);
    expect(readLogKey(folder, "a key of the file")).toEqual(key);
    expect(readLogKey(folder, "another key of the file")).not.toEqual(key);
    expect(() => statSync(folder)).toThrow("ENOENT");
  });

  it("refuses a damaged file instead of making another key, and prints nothing of it", () => {
    readLogKey(folder, undefined);
    writeFileSync(join(folder, "key"), "half a key");
    expect(() => readLogKey(folder, undefined)).toThrow(/is damaged, expected 64 hexadecimal/);
    expect(() => readLogKey(folder, undefined)).not.toThrow(/half a key/);
  });

  it("gives processes that ask at once the same key", async () => {
    const module = new URL("log-key.ts", import.meta.url).href;
    // They are as good as never at the same step for a single folder.
    const program = `
      const { existsSync, writeFileSync } = await import("node:fs");
      const { readLogKey } = await import(${JSON.stringify(module)});
      const [root, index] = process.argv.slice(1);
      writeFileSync(root + "/ready-" + index, "");
      while (![0, 1, 2].every((other) => existsSync(root + "/ready-" + other)));
      const keys = [];
      for (let i = 0; i < 60; i++) keys.push(readLogKey(root + "/log-" + i, undefined).toString("hex"));
      console.log(keys.join());
    `;
    const args = ["--conditions=@millrace/source", "--input-type=module", "-e", program];
    const root = join(folder, "..");
    const runs = await Promise.all(
      ["0", "1", "2"].map((index) =>
        run(process.execPath, [...args, root, index], { encoding: "utf8" }),
      ),
    );
    const [first, ...others] = runs.map(({ stdout }) => stdout);
    expect(new Set(first?.split(",")).size).toBe(60);
    for (const other of others) expect(other).toBe(first);
    expect(readdirSync(join(root, "log-0"))).toEqual(["key"]);
  });
});
