import { expect, it } from "vitest";
import { AgreementGroups } from "./agreement-groups.ts";

it("AgreementGroups puts all groups beyond its bound into one, which comes last", () => {
  const groups = new AgreementGroups();
  for (let i = 0; i < 1000; i++) {
    groups.add(`z${i}`, { isAgreed: i % 2 === 0, isFailed: false, became: `label ${i}` });
  }
  const list = groups.list();
  expect(list).toHaveLength(201);
  expect(list.at(-1)).toMatchObject({ name: "other", compared: 800, agreed: 400 });
  // Of the labels that they became only so many are told apart.
  expect(list.at(-1)?.became?.[0]).toEqual({ label: "other", rows: 300 });
});
