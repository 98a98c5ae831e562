import { expect, it } from "vitest";
import { Places } from "./places.ts";

it("Places lets so many in, the next one when one is given back, and tells when all are", async () => {
  const places = new Places(2);
  await places.take();
  await places.take();
  let isIn = false;
  const third = places.take().then(() => (isIn = true));
  await Promise.resolve();
  expect(isIn).toBe(false);
  places.giveBack();
  await third;
  let isEmpty = false;
  const empty = places.empty().then(() => (isEmpty = true));
  places.giveBack();
  await Promise.resolve();
  await Promise.resolve();
  expect(isEmpty).toBe(false);
  places.giveBack();
  await empty;
});
