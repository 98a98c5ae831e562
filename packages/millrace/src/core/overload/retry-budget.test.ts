import { describe, expect, test } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

function budgetOf(active: number): RetryBudget {
  const budget = new RetryBudget();
  for (let i = 0; i < active; i++) budget.begin();
  return budget;
}

describe("RetryBudget", () => {
  test.each([
    [0, 3],
    [2, 3],
    [15, 3],
    [20, 4],
    [25, 5],
    [1000, 200],
  ])(
    "RetryBudget allows a fifth of the active requests and three always: %i → %i",
    (active, limit) => {
      const budget = budgetOf(active);
      expect(budget.limit).toBe(limit);
      let taken = 0;
      while (budget.tryTake("retry")) taken++;
      expect(taken).toBe(limit);
      expect(budget.counts).toEqual({ retry: limit, hedge: 0, denied: 1 });
    },
  );

  test("tryTake() counts what is under way, of both kinds, not what was", () => {
    const budget = budgetOf(1);
    for (let i = 0; i < 100; i++) {
      expect(budget.tryTake("hedge")).toBe(true);
      budget.giveBack();
    }
    expect(budget.tryTake("retry") && budget.tryTake("hedge") && budget.tryTake("retry")).toBe(
      true,
    );
    expect(budget.tryTake("hedge")).toBe(false);
    expect(budget.extra).toBe(3);
    expect(budget.counts).toEqual({ retry: 2, hedge: 101, denied: 1 });
  });

  test("tryTake() gives no more when the requests that made room for it have ended", () => {
    const budget = budgetOf(25);
    for (let i = 0; i < 5; i++) budget.tryTake("retry");
    for (let i = 0; i < 20; i++) budget.end();
    budget.giveBack();
    expect(budget.tryTake("retry")).toBe(false);
    budget.giveBack();
    budget.giveBack();
    expect(budget.tryTake("retry")).toBe(true);
  });
});
