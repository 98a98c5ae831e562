import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { ROOT } from "../test/e2e/millrace-process.ts";

/** A tensor as golden.json and the Open Inference Protocol write it, without its name. */
interface GoldenTensor {
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

/** An input and what Python's onnxruntime answers. */
export interface GoldenCase {
  readonly inputs: Readonly<Record<string, GoldenTensor>>;
  readonly outputs: Readonly<Record<string, GoldenTensor>>;
}

/** @param file relative to examples/models: `v2/iris_svc.onnx`. */
export function goldenCases(file: string): readonly GoldenCase[] {
  const text = readFileSync(join(ROOT, "examples/models/golden.json"), "utf8");
  const { models } = JSON.parse(text) as {
    models: Record<string, { cases: readonly GoldenCase[] }>;
  };
  return models[file]?.cases ?? [];
}

/** The rows of a tensor `[rows, width]`. */
export function rowsOf(tensor: GoldenTensor | undefined): (number | string)[][] {
  if (tensor === undefined) throw new Error("Cannot read golden.json: it has no such tensor");
  const [rows = 0, width = 1] = tensor.shape;
  return Array.from({ length: rows }, (_, row) =>
    tensor.data.slice(row * width, (row + 1) * width),
  );
}

/** The tolerance that golden.json states. */
export function expectGolden(found: unknown, rows: readonly (readonly unknown[])[]): void {
  const near = (value: unknown): unknown => expect.closeTo(Number(value), 5);
  expect(found).toEqual(rows.map((row) => row.map(near)));
}

/** @returns the reply with its body read as JSON, whose form is the caller's claim. */
export async function postJson<T>(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly body: T }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as T,
  };
}
