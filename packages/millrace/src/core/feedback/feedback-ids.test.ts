import { hash } from "node:crypto";
import { expect, it } from "vitest";
import type { FeedbackEntry } from "./feedback-entry.ts";
import { FeedbackIds } from "./feedback-ids.ts";

const ids = new FeedbackIds((bytes) => hash("sha256", bytes, "hex"));

const ENTRY: FeedbackEntry = {
  about: { kind: "prediction", id: "p" },
  report: { kind: "label", text: "1", value: 1 },
  tsUs: undefined,
  source: undefined,
  attributes: undefined,
};

it("idOf() is the same for the same content, whatever its attributes", () => {
  const id = ids.idOf(ENTRY, "p");
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(ids.idOf({ ...ENTRY, attributes: '{"a":1}' }, "p")).toBe(id);
});

it("idOf() differs when anything that counts differs", () => {
  const all = [
    ids.idOf(ENTRY, "p"),
    ids.idOf(ENTRY, "q"),
    ids.idOf({ ...ENTRY, about: { kind: "unit", entityId: "p" } }, "p"),
    ids.idOf({ ...ENTRY, report: { kind: "label", text: "1", value: undefined } }, "p"),
    ids.idOf({ ...ENTRY, report: { kind: "label", text: "2", value: 2 } }, "p"),
    ids.idOf({ ...ENTRY, report: { kind: "event", name: "1", value: 1 } }, "p"),
    ids.idOf({ ...ENTRY, tsUs: 0 }, "p"),
    ids.idOf({ ...ENTRY, source: "1" }, "p"),
  ];
  expect(new Set(all).size).toBe(all.length);
});
