import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { MillraceProcess } from "./millrace-process.ts";
import { IRIS, Workspace } from "./workspace.ts";

test("millrace serve writes to its state folder only, and onnxruntime reports nothing", async () => {
  using folder = new Workspace({ "iris.onnx": IRIS, "home/.keep": "" });
  const reportsBefore = (await readdir(tmpdir())).filter((name) => name.startsWith("mat-debug"));
  const env = { HOME: folder.file("home"), XDG_CACHE_HOME: folder.file("home/cache") };
  const millrace = await MillraceProcess.start(["serve", "iris.onnx"], { cwd: folder.path, env });
  const reply = await fetch(`${millrace.url}/predict`, { method: "POST", body: "[[1,2,3,4]]" });
  expect(reply.status).toBe(200);
  await millrace.stop();
  expect(await readdir(folder.file("home"))).toEqual([".keep"]);
  expect((await readdir(folder.path)).toSorted()).toEqual([".millrace", "home", "iris.onnx"]);
  const reportsAfter = (await readdir(tmpdir())).filter((name) => name.startsWith("mat-debug"));
  expect(reportsAfter).toEqual(reportsBefore);
});
