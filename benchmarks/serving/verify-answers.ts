import { setTimeout as sleep } from "node:timers/promises";
import { post } from "./http-post.ts";
import type { Peer } from "./peers/peer.ts";
import type { Case, Workload } from "./workloads.ts";

/** As many requests as the widest load has connections. */
const AT_ONCE = 64;
/** Images are large, and the generators hold 8 connections then. */
const IMAGES_AT_ONCE = 8;

/** A server that has just started may refuse what comes all at once: that is no wrong answer, it is asked again. */
const REFUSALS_MAX = 50;
const REFUSED_PAUSE_MS = 50;

/**
 * Compares answers with those of Python's onnxruntime: one by one, then many different ones at once, since a
 * server that mixes up answers is fast too.
 * @throws when one is wrong.
 */
export async function verifyAnswers(peer: Peer, workload: Workload, port: number): Promise<void> {
  const check = (row: Case): Promise<void> => verifyOne(peer, workload, port, row);
  for (const row of workload.cases) await check(row);
  const count = workload.name === "conv" ? IMAGES_AT_ONCE : AT_ONCE;
  const mixed = Array.from({ length: count }, (_, i) => i % workload.cases.length);
  await Promise.all(mixed.map((i) => check(workload.cases[i] as Case)));
}

async function verifyOne(peer: Peer, workload: Workload, port: number, row: Case): Promise<void> {
  const request = peer.request(workload, row);
  let { status, body } = await post(port, request);
  for (let i = 0; i < REFUSALS_MAX && (status === 503 || status === 429); i++) {
    await sleep(REFUSED_PAUSE_MS);
    ({ status, body } = await post(port, request));
  }
  const text = body.toString();
  if (status !== 200) throw new Error(`${peer.name} answers ${status}: ${text}`);
  const found = numbersIn(JSON.parse(text));
  if (!isClose(found, row.output, workload.tolerance)) {
    throw new Error(`${peer.name} is wrong, expected ${row.output.join(", ")}: ${text}`);
  }
}

export function isClose(
  found: readonly number[],
  expected: readonly number[],
  tolerance: number,
): boolean {
  return (
    found.length === expected.length &&
    expected.every((value, i) => Math.abs(value - (found[i] ?? NaN)) <= tolerance)
  );
}

/** @returns the values of an answer: `[…]`, `{"prediction": …}` or `{"outputs": [{"data": …}]}`, nested or flat. */
export function numbersIn(answer: unknown): number[] {
  if (Array.isArray(answer)) return answer.flat(Infinity).map(Number);
  const { prediction, outputs } = answer as {
    readonly prediction?: unknown;
    readonly outputs?: readonly { readonly data: unknown }[];
  };
  return numbersIn(prediction ?? outputs?.[0]?.data ?? []);
}
