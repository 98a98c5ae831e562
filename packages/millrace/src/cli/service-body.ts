import { writeExactJson } from "../core/exact-json.ts";
import type { JsonValue } from "../core/json.ts";
import { RowTableBuilder } from "../load-test/payloads/row-table-builder.ts";
import type { RowTable } from "../load-test/payloads/load-target.ts";
import { UsageError } from "./command.ts";
import type { LoadedService, ServiceInput } from "./load-service.ts";

/** `predict` is the body of `POST /predict`, `infer` that of the Open Inference Protocol. */
export type BodyForm = "predict" | "infer";

/** The sample of a service as a request. @throws UsageError where it has none. */
export function sampleBody(service: LoadedService, form: BodyForm): string {
  const { inputs } = service;
  const sample = sampleOf(service);
  const [input] = inputs;
  const isSingle = inputs.length === 1;
  if (form === "predict") {
    return writeExactJson(
      isSingle && input !== undefined ? { [memberOf(input)]: sample } : { inputs: sample },
    );
  }
  const byName = sample as Readonly<Record<string, JsonValue>>;
  return writeExactJson({
    inputs: inputs.map(({ name, datatype }) => {
      const rows = isSingle ? sample : byName[name];
      return { name, datatype, shape: shapeOf(rows), data: flat(rows) };
    }),
  });
}

/**
 * A request that is filled in with rows of so many columns.
 * @throws UsageError where the service does not take such rows.
 */
export function rowsBody(
  service: LoadedService,
  columns: readonly string[],
  form: BodyForm,
): string {
  const input = singleInput(service);
  const [, width = 1, ...inner] = input.shape;
  const isColumn = input.shape.length === 1;
  if (inner.length > 0) throw tooDeep(service);
  if ((isColumn || width >= 0) && columns.length !== width) {
    throw new UsageError(
      `--data: service "${service.name}" takes rows of ${width}, the file has ${columns.length} columns: ${columns.join(", ")}`,
    );
  }
  // One value a row has no brackets of its own, so it is one row a request.
  const rows = isColumn ? `[{{row.${columns[0] ?? ""}}}]` : "{{rows}}";
  return filledBody(input, rows, isColumn ? "[1]" : `[{{count}},${columns.length}]`, form);
}

/** Rows of the sample, for requests of several of them, and the request that is filled in with them. */
export function sampleRows(
  service: LoadedService,
  form: BodyForm,
): { readonly rows: RowTable; readonly body: string } {
  const input = singleInput(service);
  const sample = sampleOf(service);
  const [, ...rest] = shapeOf(sample);
  const [width] = rest;
  if (width === undefined) throw tooDeep(service);
  const names = Array.from({ length: width }, (_, index) => String(index));
  const builder = new RowTableBuilder(`the sample of "${service.name}"`, names);
  for (const row of sample as readonly (readonly JsonValue[])[]) builder.addRow(row);
  const shape = `[{{count}},${rest.join(",")}]`;
  return { rows: builder.finish("in-turn"), body: filledBody(input, "{{rows}}", shape, form) };
}

function filledBody(input: ServiceInput, rows: string, shape: string, form: BodyForm): string {
  const { name, datatype } = input;
  if (form === "predict") return `{${JSON.stringify(memberOf(input))}:${rows}}`;
  const head = `"name":${JSON.stringify(name)},"datatype":"${datatype}"`;
  return `{"inputs":[{${head},"shape":${shape},"data":${rows}}]}`;
}

/** One text a row, such as a picture, goes by its name, as in the API pages. */
function memberOf({ name, datatype, shape }: ServiceInput): string {
  return datatype === "BYTES" && shape.length === 1 ? name : "data";
}

function sampleOf({ name, inputs, sample }: LoadedService): JsonValue {
  if (sample !== undefined) return sample;
  const instead =
    inputs[0]?.name === "image_data"
      ? "--body picture.jpg"
      : "--data FILE with rows or --body FILE, or add models.<name>.sample";
  throw new UsageError(`service "${name}" has no sample to send: give ${instead}`);
}

function singleInput(service: LoadedService): ServiceInput {
  const [input, second] = service.inputs;
  if (input !== undefined && second === undefined) return input;
  throw tooDeep(service);
}

function tooDeep({ name, inputs }: LoadedService): UsageError {
  const taken = inputs.map((input) => `${input.name} ${input.datatype}[${input.shape.join(",")}]`);
  return new UsageError(
    `service "${name}" takes ${taken.join(", ")}: say with --body FILE where the rows belong`,
  );
}

function shapeOf(rows: JsonValue | undefined): readonly number[] {
  const shape: number[] = [];
  for (let part = rows; Array.isArray(part); part = (part as readonly JsonValue[])[0]) {
    shape.push(part.length);
  }
  return shape;
}

function flat(rows: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(rows) ? (rows.flat(Infinity) as JsonValue[]) : [rows ?? null];
}
