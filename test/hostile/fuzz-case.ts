import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { makeGrpcCase, type GrpcCase, type Http2Case } from "./grpc-case.ts";
import { makeHttpCase, type HttpCase } from "./http-case.ts";

export type FuzzCase = HttpCase | GrpcCase | Http2Case;

const GRPC_SHARE = 0.2;

/** The case number `index` of a run: the same bytes each time, whatever ran before it. */
export function makeCase(seed: number, index: number): FuzzCase {
  // Neighbours must not be alike: the generator mixes its state well, its seed not at all.
  const random = new TestRandom(Math.imul(seed ^ (index * 0x9e3779b1), 0x85ebca6b) ^ index);
  return random.next() < GRPC_SHARE ? makeGrpcCase(random) : makeHttpCase(random);
}
