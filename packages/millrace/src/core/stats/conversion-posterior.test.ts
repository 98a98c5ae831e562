import { expect, it } from "vitest";
import { conversionPosterior } from "./conversion-posterior.ts";

// Exact, as fractions of whole numbers, rounded to what is written.
it.each([
  {
    successes: [10, 15],
    count: 100,
    chance: 0.853283789933966,
    loss: [0.052597695973848, 0.003578088130711],
  },
  {
    successes: [49, 51],
    count: 100,
    chance: 0.610770522687839,
    loss: [0.038724304339344, 0.019116461202089],
  },
  {
    successes: [200, 250],
    count: 10_000,
    chance: 0.991422775105882,
    loss: [0.005005015778319, 0.000006015578359],
  },
])("conversionPosterior() of $successes of $count has the chance $chance", (row) => {
  const [control, arm] = row.successes.map((successes) => ({ successes, count: row.count }));
  const found = conversionPosterior(control!, arm!);
  expect(found.chance).toBeCloseTo(row.chance, 12);
  expect(found.loss.control).toBeCloseTo(row.loss[0]!, 12);
  expect(found.loss.arm).toBeCloseTo(row.loss[1]!, 12);
});

it("conversionPosterior() mirrors when the arms change places", () => {
  const few = { successes: 3, count: 40 };
  const many = { successes: 90, count: 700 };
  const there = conversionPosterior(few, many);
  const back = conversionPosterior(many, few);
  expect(back.chance).toBeCloseTo(1 - there.chance, 12);
  expect(back.loss.arm).toBeCloseTo(there.loss.control, 12);
  expect(back.loss.control).toBeCloseTo(there.loss.arm, 12);
});

it("conversionPosterior() has losses whose difference is that of the means", () => {
  const { loss } = conversionPosterior({ successes: 5, count: 10 }, { successes: 30, count: 40 });
  expect(loss.control - loss.arm).toBeCloseTo(31 / 42 - 6 / 12, 12);
});

it("conversionPosterior() of nobody knows nothing, and of a million units is still a number", () => {
  const nobody = { successes: 0, count: 0 };
  const none = conversionPosterior(nobody, nobody);
  expect(none.chance).toBeCloseTo(0.5, 14);
  expect(none.loss.arm).toBeCloseTo(1 / 6, 14);
  const large = { successes: 500_000, count: 1_000_000 };
  expect(conversionPosterior(large, large).chance).toBeCloseTo(0.5, 9);
});
