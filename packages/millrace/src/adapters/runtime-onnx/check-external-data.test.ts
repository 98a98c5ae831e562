import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkExternalData } from "./check-external-data.ts";

let root: string;
let modelPath: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "external-data-"));
  await mkdir(join(root, "model/sub"), { recursive: true });
  await mkdir(join(root, "model-two"));
  modelPath = join(root, "model/model.onnx");
  await writeFile(join(root, "secret.bin"), "secret");
  await writeFile(join(root, "model-two/secret.bin"), "secret");
  await writeFile(join(root, "model/weights.bin"), "12345678");
  await writeFile(join(root, "model/sub/more.bin"), "123");
  await symlink("weights.bin", join(root, "model/link-inside.bin"));
  await symlink("../secret.bin", join(root, "model/link-outside.bin"));
  await symlink("../model-two", join(root, "model/link-folder"));
  await symlink("model", join(root, "linked-model"));
});

afterAll(async () => {
  await rm(root, { recursive: true });
});

test("checkExternalData() adds up the sizes when all files are inside the folder", async () => {
  const locations = ["weights.bin", "sub/more.bin", "./link-inside.bin"];
  expect(await checkExternalData(modelPath, locations)).toBe(19);
  expect(await checkExternalData(modelPath, [])).toBe(0);
});

test("checkExternalData() accepts the files when the model's folder itself is a link", async () => {
  expect(await checkExternalData(join(root, "linked-model/model.onnx"), ["weights.bin"])).toBe(8);
});

test.each([
  ["../secret.bin", "leads out of the model's folder"],
  ["sub/../../secret.bin", "leads out of the model's folder"],
  ["sub/../weights.bin", "leads out of the model's folder"],
  ["..\\secret.bin", "leads out of the model's folder"],
  ["/etc/passwd", "is not a relative path"],
  ["\\\\server\\share", "is not a relative path"],
  ["C:\\secret.bin", "is not a relative path"],
  ["", "is not a relative path"],
  ["link-outside.bin", "is a link that leads out of the model's folder"],
  ["link-folder/secret.bin", "is a link that leads out of the model's folder"],
  ["missing.bin", "is not there"],
  ["sub", "is not a file"],
  [".", "is a link that leads out of the model's folder"],
  ["weights.bin\0", "has a character no file name should have"],
  ["*/_ORT_MEM_ADDR_/*", "is a memory address"],
])("checkExternalData() refuses and names the location when it is %j", async (location, why) => {
  const check = checkExternalData(modelPath, ["weights.bin", location]);
  await expect(check).rejects.toThrow(`its external data "${location}" ${why}`);
});
