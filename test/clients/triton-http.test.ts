import { expect, it } from "vitest";
import { DATATYPES } from "./client-server.ts";
import { describeTritonClient } from "./describe-triton-client.ts";
import type { Outcomes } from "./python-script.ts";

const FROM_0 = Array.from({ length: 16 }, (_, i) => i);

function describeHttp(outcomes: () => Outcomes): void {
  it.each(DATATYPES.filter((datatype) => datatype !== "FP16"))(
    "%s comes back bit by bit as JSON",
    (datatype) => {
      const echoes = outcomes().of<Record<string, [unknown, unknown]>>("json_tensors");
      const [sent, received] = echoes[datatype] ?? [];
      expect(sent).toBeDefined();
      expect(received).toEqual(sent);
    },
  );

  it("JSON and bytes stand in one request and in one reply", () => {
    const answer = {
      sum: [FROM_0.map((i) => i + 1)],
      difference: [FROM_0.map((i) => i - 1)],
    };
    expect(outcomes().of("mixed_tensors")).toEqual([
      { ...answer, isBinary: [true, false] },
      { ...answer, isBinary: [false, true] },
    ]);
  });

  it("gzip and deflate work in both directions", () => {
    expect(outcomes().of("compression")).toEqual([]);
  });

  it("unknown query parameters are ignored", () => {
    expect(outcomes().of("query_parameters")).toEqual([FROM_0.map((i) => i + 1)]);
  });

  it("each of 64 requests at once gets its own answer", () => {
    expect(outcomes().of("parallel_requests")).toEqual(Array.from({ length: 64 }, (_, i) => i));
  });
}

describeTritonClient("http", describeHttp);
describeTritonClient("http.aio", describeHttp);
