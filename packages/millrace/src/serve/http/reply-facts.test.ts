import { expect, it } from "vitest";
import type { Target } from "../data-plane.ts";
import type { Prediction } from "../prediction.ts";
import { withReplyFacts } from "./reply-facts.ts";

const PREDICTION = { id: "0199" } as Prediction;

function targetOf(
  include: readonly ("mode" | "prediction_id")[],
  { arm = "", names = ["p"] }: { readonly arm?: string; readonly names?: readonly string[] } = {},
): Target {
  const predictor = { modelName: "svc", isBare: names.length > 1, predictionNames: names };
  const chosen = arm === "" ? undefined : { assignment: { arm } };
  return { service: { reply: { include } }, predictor, arm: chosen } as unknown as Target;
}

it("withReplyFacts() leaves a body alone that is to have none", () => {
  expect(withReplyFacts('{"prediction":[1]}', targetOf([]), PREDICTION)).toBe('{"prediction":[1]}');
});

it("withReplyFacts() says which arm answered, or which model, and the id", () => {
  const both = targetOf(["mode", "prediction_id"], { arm: "treatment" });
  expect(withReplyFacts('{"prediction":[1]}', both, PREDICTION)).toBe(
    '{"prediction":[1],"mode":"treatment","prediction_id":"0199"}',
  );
  expect(withReplyFacts('{"prediction":1}', targetOf(["mode"]), PREDICTION)).toBe(
    '{"prediction":1,"mode":"svc"}',
  );
});

it("withReplyFacts() takes no branch's place", () => {
  const target = targetOf(["mode", "prediction_id"], { names: ["a", "mode"] });
  expect(withReplyFacts('{"a":1,"mode":0}', target, PREDICTION)).toBe(
    '{"a":1,"mode":0,"prediction_id":"0199"}',
  );
});
