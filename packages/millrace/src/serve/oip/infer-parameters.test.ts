import { describe, expect, test } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import type { InferParameters } from "../../core/tensor/infer-parameters.ts";
import { readInferOptions } from "./infer-parameters.ts";

const NOTHING = { priority: undefined, timeoutMs: undefined, isBinaryByDefault: false };

describe("readInferOptions()", () => {
  test.each<[InferParameters | undefined, object]>([
    [undefined, {}],
    [{}, {}],
    [{ content_type: "np", mine: 7, toString: true }, {}],
    [{ priority: 0 }, {}],
    [{ priority: 1 }, { priority: 1 }],
    [{ priority: 3n }, { priority: 3 }],
    [{ timeout: 0 }, {}],
    [{ timeout: 1500 }, { timeoutMs: 1.5 }],
    [{ timeout: 2_000_000n }, { timeoutMs: 2000 }],
    [{ binary_data_output: true }, { isBinaryByDefault: true }],
    [{ binary_data_output: false }, {}],
    [{ sequence_id: 0, sequence_start: false, sequence_end: false }, {}],
    [{ sequence_id: 0n }, {}],
    [{ sequence_id: "" }, {}],
    [{ triton_enable_empty_final_response: true }, {}],
  ])("readInferOptions() reads %o as %j", (parameters, options) => {
    expect(readInferOptions(parameters)).toEqual({ ...NOTHING, ...options });
  });

  test.each<[InferParameters, string, string]>([
    [{ priority: 4 }, "INVALID_BODY", 'body.parameters.priority: found "4", expected 0'],
    [{ priority: -1 }, "INVALID_BODY", 'found "-1"'],
    [{ priority: 1.5 }, "INVALID_BODY", 'found "1.5"'],
    [{ priority: "1" }, "INVALID_BODY", "expected 0 (the default) or 1 (most urgent) to 3"],
    [{ timeout: -1 }, "INVALID_BODY", "body.parameters.timeout"],
    [{ timeout: "5" }, "INVALID_BODY", "expected whole microseconds of at least 0"],
    [{ binary_data_output: 1 }, "INVALID_BODY", "expected true or false"],
    [{ headers: "x" }, "INVALID_BODY", "body.parameters.headers: reserved"],
    [{ triton_final_response: true }, "INVALID_BODY", "reserved, a client must not send it"],
    [{ sequence_id: 7 }, "NOT_IMPLEMENTED", "this version does not serve sequences"],
    [{ sequence_id: "s" }, "NOT_IMPLEMENTED", '"sequence_id"'],
    [{ sequence_start: true }, "NOT_IMPLEMENTED", '"sequence_start"'],
  ])("readInferOptions() refuses %o with %s", (parameters, code, message) => {
    const read = (): unknown => readInferOptions(parameters);
    expect(read).toThrow(message);
    expect(codeOf(read)).toBe(code);
  });
});

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof MillraceError ? error.code : String(error);
  }
}
