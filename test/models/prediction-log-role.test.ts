import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { FileSegmentStore } from "../../packages/millrace/src/adapters/segments-file/file-segment-store.ts";
import type { Config } from "../../packages/millrace/src/config/config.ts";
import type { MillraceInput } from "../../packages/millrace/src/config/define-config.ts";
import { loadConfig } from "../../packages/millrace/src/config/load.ts";
import { LOG_FOLDER } from "../../packages/millrace/src/core/predictions/log-folder.ts";
import { readBlock } from "../../packages/millrace/src/core/predictions/block-reader.ts";
import { rowsOf } from "../../packages/millrace/src/core/predictions/log-rows.ts";
import type { PredictionRow } from "../../packages/millrace/src/core/predictions/prediction-row.ts";
import { createMillrace } from "../../packages/millrace/src/library.ts";
import { createServeRole } from "../../packages/millrace/src/main.ts";
import type { ServeRole } from "../../packages/millrace/src/serve/serve-role.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";

const GATHER = { source: fixtureModel("gather.onnx"), sample: [0] };

const folders: string[] = [];
const roles: ServeRole[] = [];
afterEach(async () => {
  await Promise.all(roles.splice(0).map((role) => role.stop(0)));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newStateDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-log-"));
  folders.push(folder);
  return folder;
}

async function configOf(input: MillraceInput): Promise<Config> {
  const result = await loadConfig({ input, flags: [], env: {}, cwd: import.meta.dirname });
  if (result.kind === "ok") return result.config;
  throw new Error(result.problems.map(({ message }) => message).join("\n"));
}

async function startRole(input: MillraceInput, warnings: string[] = []): Promise<ServeRole> {
  const quiet = (): void => undefined;
  const warn = (_fields: object, text: string): void => void warnings.push(text);
  const log = { debug: quiet, info: quiet, warn, error: quiet };
  const role = await createServeRole(await configOf(input), () => log);
  roles.push(role);
  await role.loadModels();
  return role;
}

async function stop(role: ServeRole): Promise<void> {
  roles.splice(roles.indexOf(role), 1);
  expect(await role.stop(0)).toBe(true);
}

/** Everything that is in the segments of a state folder. */
async function rowsIn(stateDir: string): Promise<PredictionRow[]> {
  const store = new FileSegmentStore(join(stateDir, LOG_FOLDER));
  const rows: PredictionRow[] = [];
  for (const { id, isEnded } of await store.list()) {
    expect(isEnded).toBe(true);
    for await (const { bytes } of store.read(id, 0, (text) => expect.fail(text))) {
      for (const record of readBlock(bytes)) rows.push(...rowsOf(record, id.writer));
    }
  }
  return rows;
}

describe("a serve role with a state folder", () => {
  test("has every prediction in its segments when it has stopped", async () => {
    const dir = newStateDir();
    const unit = "header.x-user-id";
    const role = await startRole({
      state: { dir },
      server: { host: "127.0.0.1", httpPort: 0, grpcPort: "off" },
      models: { gather: GATHER },
      services: {
        gather: {
          default: true,
          graph: "gather",
          log: { unit, attributes: { page: "query.page" } },
        },
      },
    });
    const { httpPort } = await role.listen({ isShared: false, repository: undefined });
    const post = async (path: string, body: string): Promise<string> => {
      const reply = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/json",
          "x-request-id": "r-1",
          "x-user-id": "u-1",
          traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
      });
      await reply.text();
      return `${reply.status} ${reply.headers.get("x-prediction-id") ?? ""}`;
    };
    const [, id] = (await post("/predict?page=2", '{"data": [1]}')).split(" ");
    const infer = { inputs: [{ name: "INDEX", datatype: "INT64", shape: [2], data: [0, 2] }] };
    await post("/v2/models/gather/infer", JSON.stringify(infer));
    expect(await post("/predict", '{"data": [7]}')).toMatch("500 ");
    expect(await post("/predict", '{"data": "no rows"}')).toMatch("400 ");
    await stop(role);

    const rows = await rowsIn(dir);
    expect(rows.map((row) => [row.endpoint, row.status, row.features, row.prediction])).toEqual([
      ["/predict", "ok", '{"INDEX":1}', "20"],
      ["/v2/infer", "ok", '{"INDEX":0}', "10"],
      ["/v2/infer", "ok", '{"INDEX":2}', "30"],
      ["/predict", "error", '{"INDEX":7}', null],
    ]);
    expect(rows[0]).toMatchObject({
      prediction_id: id,
      request_id: "r-1",
      trace_id: "0af7651916cd43dd8448eb211c80319c",
      unit_hash: role.plane.log?.unitHash("u-1"),
      attributes: '{"page":"2"}',
    });
    expect(Math.abs((rows[0]?.ts ?? 0) / 1000 - Date.now())).toBeLessThan(60_000);
  });

  test("refuses a file that changes what its log was opened with, and takes the rest", async () => {
    const state = { dir: newStateDir() };
    const models = { gather: GATHER };
    const role = await startRole({ state, models });
    const changed = await configOf({ state, models, log: { roll: "1m", durability: "batch" } });
    await expect(role.apply(changed)).rejects.toThrow(
      "log.durability, log.roll changed, which needs a restart",
    );
    await role.apply(await configOf({ state, models, log: { whenFull: "wait" } }));
  });

  test("warns at its start, and of a changed file, of names that protect nothing", async () => {
    const state = { dir: newStateDir() };
    const models = { gather: GATHER };
    const warnings: string[] = [];
    const role = await startRole({ state, models, log: { redact: { INDX: "drop" } } }, warnings);
    expect(warnings).toEqual([expect.stringMatching(/^log\.redact: "INDX" is no input/)]);
    await role.apply(await configOf({ state, models, log: { redact: { INDEX: "drop" } } }));
    expect(warnings).toHaveLength(1);
    await role.apply(await configOf({ state, models, log: { redact: { INDEXX: "drop" } } }));
    expect(warnings[1]).toContain('"INDEXX"');
  });

  test("has none where the file says so", async () => {
    const role = await startRole({
      state: { dir: newStateDir() },
      models: { gather: GATHER },
      log: { sink: "off" },
    });
    expect(role.plane.log).toBeUndefined();
  });
});

describe("createMillrace()", () => {
  test("logs its predictions where it has a state folder, and nowhere else", async () => {
    const dir = newStateDir();
    for (const state of [{ dir }, undefined]) {
      const millrace = await createMillrace({
        models: { gather: GATHER },
        ...(state && { state }),
      });
      await millrace.predict("gather", [1, 2]);
      await millrace.close();
    }
    const rows = await rowsIn(dir);
    expect(rows.map((row) => [row.endpoint, row.row_index, row.prediction])).toEqual([
      ["library", 0, "20"],
      ["library", 1, "30"],
    ]);
  });
});
