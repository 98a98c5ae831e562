import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listProgramSources, listSourceFiles } from "./source-files.ts";

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "millrace-source-"))));
afterEach(() => rm(folder, { recursive: true }));

async function addVersion(name: string, file = "model.onnx"): Promise<string> {
  await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, name, file), name);
  return join(folder, name, file);
}

test("listSourceFiles() gives a plain file without a version", async () => {
  const path = join(folder, "iris.onnx");
  await writeFile(path, "x");
  const files = await listSourceFiles(path, { kind: "latest" });
  expect(files).toMatchObject([{ path, version: undefined }]);
});

test.each([
  [{ kind: "latest" }, [10]],
  [{ kind: "all" }, [2, 9, 10]],
  [{ kind: "list", versions: [10, 2] }, [2, 10]],
] as const)(
  "listSourceFiles() of a folder with policy %j gives versions %j",
  async (policy, versions) => {
    for (const name of ["10", "9", "2", "0", "01", "v3", "tmp"]) await addVersion(name);
    const files = await listSourceFiles(folder, policy);
    expect(files.map((file) => file.version)).toEqual(versions);
    expect(files.at(-1)?.path).toBe(join(folder, "10", "model.onnx"));
  },
);

test("listSourceFiles() takes the only .onnx file when there is no model.onnx", async () => {
  const path = await addVersion("1", "iris.onnx");
  await addVersion("1", "notes.txt");
  expect(await listSourceFiles(folder, { kind: "latest" })).toMatchObject([{ path }]);
});

test("listSourceFiles() gives another fingerprint when the file is written again", async () => {
  const path = await addVersion("1");
  const [before] = await listSourceFiles(folder, { kind: "latest" });
  await writeFile(path, "longer than before");
  const [after] = await listSourceFiles(folder, { kind: "latest" });
  expect(after?.fingerprint).not.toBe(before?.fingerprint);
});

test("listSourceFiles() gives another fingerprint when a file of the same size and time is moved there", async () => {
  const path = await addVersion("1");
  await utimes(path, 1, 1);
  const [before] = await listSourceFiles(folder, { kind: "latest" });
  await writeFile(`${path}.new`, "2");
  await utimes(`${path}.new`, 1, 1);
  await rename(`${path}.new`, path);
  const [after] = await listSourceFiles(folder, { kind: "latest" });
  expect(after?.fingerprint).not.toBe(before?.fingerprint);
});

test("listSourceFiles() gives the same fingerprint when nothing has changed", async () => {
  await addVersion("1");
  const look = (): Promise<unknown> => listSourceFiles(folder, { kind: "latest" });
  expect(await look()).toEqual(await look());
});

test("listSourceFiles() answers MODEL_LOAD_FAILED when there is no such file", async () => {
  const path = join(folder, "none.onnx");
  await expect(listSourceFiles(path, { kind: "latest" })).rejects.toMatchObject({
    code: "MODEL_LOAD_FAILED",
    message: `Cannot load "${path}": there is no such file`,
  });
});

test.each([
  [
    "no numbered folder",
    "v1",
    "the folder has no numbered versions, expected 1/model.onnx, 2/model.onnx",
  ],
  ["not the version of the list", "1", "version 2, 3 is not there, found 1"],
])(
  "listSourceFiles() answers MODEL_LOAD_FAILED when the folder has %s",
  async (_name, version, reason) => {
    await addVersion(version);
    const listing = listSourceFiles(folder, { kind: "list", versions: [2, 3] });
    await expect(listing).rejects.toMatchObject({
      code: "MODEL_LOAD_FAILED",
      message: expect.stringContaining(reason) as string,
    });
  },
);

test.each([
  ["two models and none is model.onnx", ["a.onnx", "b.onnx"]],
  ["no model", ["notes.txt"]],
])("listSourceFiles() says what is wrong with a version that has %s", async (_name, names) => {
  for (const name of names) await addVersion("2", name);
  await addVersion("3");
  const [broken, sound] = await listSourceFiles(folder, { kind: "all" });
  expect(broken?.problem?.message).toContain("expected model.onnx or exactly one other .onnx file");
  expect(sound?.problem).toBeUndefined();
});

const PROGRAM = { model: "m", command: ["run"], hasSource: true, env: {}, startMs: 1 };

test("listProgramSources() gives a file, a folder, or the folders of numbered versions", async () => {
  const program = { ...PROGRAM, folder, files: [] };
  const list = async (path: string, kind: "all" | "latest" = "all") => {
    const files = await listProgramSources(join(folder, path), { kind }, program);
    return files.map((file) => [file.path.slice(folder.length + 1), file.version]);
  };
  await addVersion("numbered/1", "a.bin");
  await addVersion("numbered/2", "a.bin");
  await addVersion("whole", "a.bin");
  expect(await list("whole/a.bin")).toEqual([["whole/a.bin", undefined]]);
  expect(await list("whole")).toEqual([["whole", undefined]]);
  expect(await list("numbered")).toEqual([
    ["numbered/1", 1],
    ["numbered/2", 2],
  ]);
  expect(await list("numbered", "latest")).toEqual([["numbered/2", 2]]);
  await expect(list("missing")).rejects.toThrow("there is no such file or folder");
});

test("listProgramSources() has another fingerprint when a file of source or program changes, not of a cache", async () => {
  const script = join(folder, "serve.py");
  await writeFile(script, "1");
  await addVersion("model/sub", "a.bin");
  const program = { ...PROGRAM, folder, files: [script] };
  const fingerprintOf = async (path: string | undefined) =>
    (await listProgramSources(path, { kind: "latest" }, program))[0]?.fingerprint;
  const first = await fingerprintOf(join(folder, "model"));
  await addVersion("model/__pycache__", "a.pyc");
  expect(await fingerprintOf(join(folder, "model"))).toBe(first);
  await utimes(join(folder, "model/sub/a.bin"), 1, 1);
  const second = await fingerprintOf(join(folder, "model"));
  const alone = await fingerprintOf(undefined);
  await utimes(script, 1, 1);
  expect(second).not.toBe(first);
  expect(await fingerprintOf(join(folder, "model"))).not.toBe(second);
  expect(await fingerprintOf(undefined)).not.toBe(alone);
});
