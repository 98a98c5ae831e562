import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { fetchModel } from "./fetch-model.ts";

const MODEL = Buffer.alloc(300_000, "model");
const DIGEST = createHash("sha256").update(MODEL).digest("hex");

let server: Server;
let origin: string;
let requestCount = 0;
let folder: string;

const ROUTES: Record<string, (response: ServerResponse) => void> = {
  "/model.onnx": (response) => response.end(MODEL),
  "/moved": (response) => response.writeHead(302, { location: "/model.onnx" }).end(),
  "/empty": (response) => response.writeHead(204).end(),
  "/cut": (response) => {
    response.writeHead(200, { "content-length": MODEL.length }).write(MODEL.subarray(0, 1000));
    response.socket?.end();
  },
};

beforeAll(async () => {
  server = createServer((request, response) => {
    requestCount++;
    const route = ROUTES[new URL(request.url ?? "", origin).pathname];
    if (route === undefined) response.writeHead(404).end("no such file");
    else route(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  requestCount = 0;
  folder = await mkdtemp(join(tmpdir(), "millrace-fetch-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("fetchModel() names the file by its digest and makes the folder", async () => {
  const inner = join(folder, "not", "there");
  const path = await fetchModel(`${origin}/model.onnx`, DIGEST, inner);
  expect(path).toBe(join(inner, `${DIGEST}.onnx`));
  expect(MODEL.equals(await readFile(path))).toBe(true);
  expect(await readdir(inner)).toEqual([`${DIGEST}.onnx`]);
});

test("fetchModel() asks no second time when the file is there", async () => {
  const fetchIt = (): Promise<string> => fetchModel(`${origin}/model.onnx`, DIGEST, folder);
  expect(await fetchIt()).toBe(await fetchIt());
  expect(requestCount).toBe(1);
});

test("fetchModel() gives every caller the whole file when several fetch it at once", async () => {
  const paths = await Promise.all(
    Array.from({ length: 5 }, () => fetchModel(`${origin}/model.onnx`, DIGEST, folder)),
  );
  expect(new Set(paths).size).toBe(1);
  expect(MODEL.equals(await readFile(paths[0] ?? ""))).toBe(true);
  expect(await readdir(folder)).toHaveLength(1);
});

test.each([
  ["/none", "the server answered 404"],
  ["/empty", "the server answered 204"],
  ["/moved", "unexpected redirect"],
  ["/cut", "other side closed"],
])("fetchModel() answers MODEL_LOAD_FAILED for %s and leaves no file", async (route, reason) => {
  await expect(fetchModel(`${origin}${route}`, DIGEST, folder)).rejects.toMatchObject({
    code: "MODEL_LOAD_FAILED",
    message: `Cannot load "${origin}${route}": ${reason}`,
  });
  expect(await readdir(folder)).toEqual([]);
});

test("fetchModel() refuses a file of another digest and leaves none", async () => {
  const other = "0".repeat(64);
  await expect(fetchModel(`${origin}/model.onnx`, other, folder)).rejects.toThrow(
    `its sha256 is ${DIGEST}, expected ${other}`,
  );
  expect(await readdir(folder)).toEqual([]);
});

test("fetchModel() asks nobody when there is no digest", async () => {
  await expect(fetchModel(`${origin}/model.onnx`, undefined, folder)).rejects.toThrow(
    "a model from a URL needs its sha256",
  );
  expect(requestCount).toBe(0);
});

test("fetchModel() says why when nobody listens at any address of the host", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  await expect(fetchModel(`http://localhost:${port}/m`, DIGEST, folder)).rejects.toThrow(
    "ECONNREFUSED",
  );
});

test("fetchModel() keeps the query of a signed address out of its message", async () => {
  const url = `${origin}/none?X-Amz-Signature=secret`;
  await expect(fetchModel(url, DIGEST, folder)).rejects.toThrow(
    `Cannot load "${origin}/none": the server answered 404`,
  );
});
