import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readRunState, removeRunState, writeRunState } from "./run-state.ts";

/** Of no process: more than Linux gives. */
const DEAD_PID = 2 ** 22 + 1;

describe("run state", () => {
  let folder: string;
  let server: Server;
  let url: string;
  beforeEach(async () => {
    folder = join(mkdtempSync(join(tmpdir(), "millrace-run-")), "state");
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.close();
    rmSync(join(folder, ".."), { recursive: true, force: true });
  });

  it("readRunState() gives what a Millrace wrote that runs", async () => {
    const state = { pid: process.pid, url, controlUrl: url };
    await writeRunState(folder, state);
    expect(await readRunState(folder)).toEqual(state);
  });

  it("readRunState() knows nothing of a process that is gone", async () => {
    expect(await readRunState(folder)).toBeUndefined();
    await writeRunState(folder, { pid: DEAD_PID, url });
    expect(await readRunState(folder)).toBeUndefined();
  });

  it("readRunState() knows nothing where another process has the pid of one that was killed", async () => {
    await writeRunState(folder, { pid: process.pid, url, controlUrl: url });
    await new Promise((resolve) => server.close(resolve));
    expect(await readRunState(folder)).toBeUndefined();
  });

  it("readRunState() knows nothing of a damaged file", async () => {
    await writeRunState(folder, { pid: process.pid, url });
    for (const text of ["", "{", "null", '{"pid":1}', '{"pid":1,"url":"x"}']) {
      writeFileSync(join(folder, "running.json"), text);
      expect(await readRunState(folder)).toBeUndefined();
    }
  });

  it("removeRunState() removes its own, also when nothing listens any more, and no other's", async () => {
    await writeRunState(folder, { pid: process.ppid, url });
    await removeRunState(folder);
    expect(await readRunState(folder)).toBeDefined();
    const own = { pid: process.pid, url };
    await writeRunState(folder, own);
    server.close();
    await removeRunState(folder);
    server = createServer();
    await new Promise<void>((resolve) =>
      server.listen(Number(new URL(url).port), "127.0.0.1", resolve),
    );
    expect(await readRunState(folder)).toBeUndefined();
  });
});
