import { describe, expect, it } from "vitest";
import { capacityCharts } from "./capacity-charts.ts";
import { capacityPage } from "./capacity-page.ts";
import { testCapacityReport } from "./test-capacity-report.ts";

/** Text of the answers of the first screen, in order. */
function answersOf(page: string): string[] {
  return [...page.matchAll(/<p class="answer[^"]*">(.*?)<\/p>/g)].map(([, html = ""]) => html);
}

/** The page without its scripts. */
function mainOf(page: string): string {
  return page.slice(page.indexOf("<main>"), page.indexOf("</main>"));
}

const NOTHING = {
  rate: 0,
  confirmations: 0,
  curve: [],
  server_p99_ms: null,
  limits: { concurrency: 0, rate: 0, autoscale_target: 0 },
} as const;

describe("capacityPage()", () => {
  it.each([
    ["found", {}, ["900/s", "The service", "Yes"]],
    [
      "at least",
      { outcome: "at_least", is_generator_bound: true, interval: { low: 900, high: null } },
      ["≥ 900/s", "The generator", "Not fully"],
    ],
    ["none", { ...NOTHING, outcome: "none" }, ["Nothing", "The service", "Not fully"]],
    ["unfinished", { ...NOTHING, outcome: "unfinished" }, ["Unknown", "Unknown", "Not fully"]],
    ["confirmed too rarely", { confirmations: 1 }, ["900/s", "The service", "Not fully"]],
  ] as const)("answers on its first screen: %s", async (_, facts, answers) => {
    const page = await capacityPage(testCapacityReport(facts));
    expect(answersOf(page)).toEqual(answers);
    expect(mainOf(page)).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("has the limits to set, a line for each step, and whether the figures agree", async () => {
    const page = await capacityPage(testCapacityReport());
    for (const text of [
      ">720/s<",
      ">630/s<",
      "1.2 % apart, 5 % allowed; they agree",
      "12,345 queue_full",
    ])
      expect(page).toContain(text);
    expect(page.match(/<th scope="row"/g)).toHaveLength(13);
  });

  it("recommends no limits and claims no agreement where the search says too little", async () => {
    const littles_law = { ...testCapacityReport().littles_law, under_way: 0, tolerance: 7.95 };
    const page = await capacityPage(
      testCapacityReport({ outcome: "unfinished", confirmations: 0, littles_law }),
    );
    expect(page).toContain("None: 900/s was confirmed 0 times only.");
    expect(page).not.toContain(">720/s<");
    expect(page).toContain("too few samples to compare them");
  });

  it("shows hostile texts as texts", async () => {
    const hostile = `</script><img src=x onerror="alert(2)">`;
    const page = await capacityPage(
      testCapacityReport({
        name: hostile,
        command: hostile,
        targets: [hostile],
        objectives: [hostile],
        limited_by: hostile,
        notes: [hostile],
        refused: { [hostile]: 1 },
      }),
    );
    expect(page).not.toContain("<img");
    expect(page.match(/<\/script>/g)).toHaveLength(3);
  });
});

describe("capacityCharts()", () => {
  it("draws the rates in order, without the single client and the pauses, and marks what was found", () => {
    const [goodput, knee] = capacityCharts(testCapacityReport());
    expect(goodput?.xs).toEqual([450, 900, 900, 900, 900, 937.5, 956.25, 1012.5, 1125, 1350, 1800]);
    expect(goodput?.marks).toEqual([
      { axis: "x", at: 900, until: 937.5, label: "", color: "p90" },
      { axis: "x", at: 900, label: "900/s", color: "p90" },
    ]);
    expect(knee?.marks?.at(-1)).toEqual({ axis: "y", at: 50, label: "p99<50ms", color: "bad" });
  });

  it("tells apart what held, what was missed and what the generator spoiled", () => {
    const { curve } = testCapacityReport();
    const spoiled = curve.map((point) => ({ ...point, spoiled: point.rate > 1500 }));
    const [goodput] = capacityCharts(testCapacityReport({ curve: spoiled }));
    const counts = goodput?.series.map(
      ({ label, values }) => [label, values.filter((value) => value !== null).length] as const,
    );
    expect(counts).toEqual([
      ["offered", 11],
      ["goodput", 11],
      ["held", 5],
      ["missed", 5],
      ["generator too slow", 1],
    ]);
  });

  it("draws nothing where no rate was tried", () => {
    expect(capacityCharts(testCapacityReport({ curve: [] }))).toEqual([]);
  });
});
