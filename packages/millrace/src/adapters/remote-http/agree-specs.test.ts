import { describe, expect, test } from "vitest";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import { agreeSpecs, type Declared } from "./agree-specs.ts";
import type { Said } from "./protocol.ts";

const X: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 4] };
const Y: TensorSpec = { name: "y", datatype: "FP32", shape: [-1, 3] };
const Z: TensorSpec = { name: "z", datatype: "INT64", shape: [-1] };
const NONE: Declared = { inputs: undefined, outputs: undefined };

function problemsOf(declared: Declared, said: Said | undefined): readonly string[] {
  const agreement = agreeSpecs(declared, said);
  return agreement.kind === "problems" ? agreement.problems : [];
}

describe("agreeSpecs()", () => {
  test("agreeSpecs() takes what one of them says when the other is silent", () => {
    const specs = { inputs: [X], outputs: [Y, Z] };
    expect(agreeSpecs(specs, undefined)).toEqual({ kind: "agreed", specs });
    expect(agreeSpecs(NONE, specs)).toEqual({ kind: "agreed", specs });
  });

  test("agreeSpecs() narrows shapes to what both allow, and leaves out outputs nobody declared", () => {
    const declared = { inputs: [{ ...X, shape: [-1, -1] }], outputs: [{ ...Y, shape: [8, -1] }] };
    const said = { inputs: [X], outputs: [Z, { ...Y, datatype: undefined }] };
    expect(agreeSpecs(declared, said)).toEqual({
      kind: "agreed",
      specs: { inputs: [X], outputs: [{ ...Y, shape: [8, 3] }] },
    });
  });

  test("agreeSpecs() takes a declaration for what the server leaves open", () => {
    const said = { inputs: [{ ...X, shape: undefined }], outputs: [Y] };
    expect(agreeSpecs({ inputs: [X], outputs: undefined }, said).kind).toBe("agreed");
    expect(problemsOf(NONE, said)).toEqual([
      'its server does not say the shape of "x", declare inputs',
    ]);
  });

  test("agreeSpecs() lists everything in which they differ", () => {
    const declared = { inputs: [{ ...X, datatype: "FP64" as const }], outputs: [Z, Y] };
    const said = { inputs: [X, Z], outputs: [{ ...Y, shape: [-1, 5] }] };
    expect(problemsOf(declared, said)).toEqual([
      'inputs declares "x" FP64 [-1, 4], its server says FP32 [-1, 4]',
      'outputs declares "z" INT64 [-1], its server knows "y"',
      'outputs declares "y" FP32 [-1, 3], its server says FP32 [-1, 5]',
      'its server also takes "z", which inputs leaves out',
    ]);
  });

  test.each([
    ["no names", { inputs: [{ ...X, name: "" }], outputs: [Y] }, "has no name"],
    ["the same name twice", { inputs: [X, X], outputs: [Y] }, 'are called "x"'],
    [
      "a shape beyond all bounds",
      { inputs: [{ ...X, shape: [-1, 2 ** 40, 2 ** 40] }], outputs: [Y] },
      "larger than any tensor",
    ],
    ["nothing", { inputs: [], outputs: [] }, "does not say what its inputs are"],
  ])("agreeSpecs() refuses a server that says %s", (_what, said, message) => {
    expect(problemsOf(NONE, said)[0]).toContain(message);
  });
});
