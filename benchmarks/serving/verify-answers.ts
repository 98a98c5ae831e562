import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../machine.ts";

export const BODY = '{"data":[[5.1,3.5,1.4,0.2]]}';
export const PATH = "/predict";

interface Golden {
  readonly tolerance: number;
  readonly models: Readonly<Record<string, { readonly cases: readonly GoldenCase[] }>>;
}

interface GoldenCase {
  readonly inputs: Readonly<Record<string, { readonly data: readonly number[] }>>;
  readonly outputs: Readonly<Record<string, { readonly data: readonly number[] }>>;
}

/** As many requests as the widest load has connections. */
const AT_ONCE = 64;

/**
 * Compares answers with those of Python's onnxruntime in golden.json: one by one, then many different ones at
 * once, since a server that mixes up answers is fast too.
 * @throws when one is wrong.
 */
export async function verifyAnswers(port: number): Promise<void> {
  const text = readFileSync(join(ROOT, "examples/models/golden.json"), "utf8");
  const { tolerance, models } = JSON.parse(text) as Golden; // our own file
  const cases = (models["iris_svc.onnx"]?.cases ?? []).filter(
    ({ inputs }) => inputs["float_input"]?.data.length === 4,
  );
  if (cases.length < 2)
    throw new Error("Cannot verify answers: golden.json holds no two iris rows");
  const check = (golden: GoldenCase): Promise<void> => verifyOne(port, golden, tolerance);
  for (const golden of cases) await check(golden);
  const mixed = Array.from({ length: AT_ONCE }, (_, i) => cases[i % cases.length] as GoldenCase);
  await Promise.all(mixed.map(check));
}

async function verifyOne(
  port: number,
  { inputs, outputs }: GoldenCase,
  tolerance: number,
): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${PATH}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ data: [inputs["float_input"]?.data] }),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  const expected = outputs["output_probability"]?.data ?? [];
  const { prediction } = JSON.parse(text) as { prediction?: readonly unknown[] };
  const found = (prediction ?? []).flat(); // one row stands with or without a pair of brackets of its own
  const isRight =
    response.status === 200 &&
    found.length === expected.length &&
    expected.every((value, i) => Math.abs(value - Number(found[i])) <= tolerance);
  if (!isRight) throw new Error(`Wrong answer, expected ${expected.join(", ")}: ${text}`);
}
