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
    const program = `
      const { readLogKey } = await import(${JSON.stringify(module)});
      console.log(readLogKey(${JSON.stringify(folder)}, undefined).toString("hex"));
    `;
    const args = ["--conditions=@millrace/source", "--input-type=module", "-e", program];
    const runs = await Promise.all(
      Array.from({ length: 6 }, () => run(process.execPath, args, { encoding: "utf8" })),
    );
    expect(new Set(runs.map(({ stdout }) => stdout)).size).toBe(1);
    expect(readdirSync(folder)).toEqual(["key"]);
  });
});
