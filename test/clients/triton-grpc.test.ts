import { expect, it } from "vitest";
import { describeTritonClient } from "./describe-triton-client.ts";
import type { Outcomes } from "./python-script.ts";

const SUMS = [Array.from({ length: 16 }, (_, i) => i + 1)];

function describeGrpc(outcomes: () => Outcomes): void {
  it("compressed messages are read", () => {
    expect(outcomes().of("grpc_compression")).toEqual([SUMS, SUMS]);
  });

  it("a stream answers each request, and goes on after a wrong one", () => {
    const { numbers, errors } = outcomes().of<{ numbers: [string, number][]; errors: string[] }>(
      "stream",
    );
    expect(numbers).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9].map((number) => [String(number), number]));
    expect(errors).toEqual([expect.stringContaining("Request for unknown model")]);
  });
}

describeTritonClient("grpc", (outcomes) => {
  describeGrpc(outcomes);

  it("requests at once get their own answers, and one can be cancelled", () => {
    expect(outcomes().of("callbacks")).toEqual({
      numbers: Array.from({ length: 32 }, (_, i) => i),
      cancelled: [expect.stringMatching(/cancelled/i)],
    });
  });
});

describeTritonClient("grpc.aio", describeGrpc);
