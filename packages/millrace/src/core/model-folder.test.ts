import { expect, test } from "vitest";
import { isPartOfModel } from "./model-folder.ts";

test.each([
  ["model.joblib", true],
  ["sub/model.v1.bin", true],
  [".git/config", false],
  ["sub/.cache", false],
  ["__pycache__", false],
  ["sub/__pycache__/serve.pyc", false],
  ["my__pycache__/a", true],
])("isPartOfModel(%j) is %s", (path, expected) => {
  expect(isPartOfModel(path)).toBe(expected);
});
