import { describe, expect, it } from "vitest";
import type { LoadResult } from "./generator/load-plan.ts";
import { figuresOf } from "./figures.ts";
import type { OverloadRow } from "./measure-overload.ts";
import type { ThroughputRow } from "./measure-throughput.ts";
import { noMeasurements, type Measurements } from "./measurements.ts";
import { pictureSvg } from "./picture.ts";
import { QUICK } from "./plan.ts";
import { faultLines, reportText } from "./report.ts";
import { overloadOf, throughputOf } from "./summary.ts";
import { targetsOf } from "./targets.ts";

const SOME = { n: 100, p50: 1, p95: 2, p99: 3, max: 4 };

function throughput(server: string, repetition: number, answersPerSecond: number): ThroughputRow {
  return {
    server,
    model: "iris",
    repetition,
    connections: 64,
    answersPerSecond,
    latencyMs: SOME,
    failed: 0,
    generatorCpu: 0.5,
    cpuUs: 10,
    othersOnCore: 0,
    faults: [],
  };
}

function overload(server: string, goodput: number, isValid: boolean): OverloadRow {
  const load: LoadResult = {
    statuses: {},
    due: 1000,
    ok: 400,
    okInTime: 400,
    refused: 500,
    failed: 0,
    missed: 100,
    abandoned: 0,
    unanswered: 0,
    answersInAll: 900,
    okPerSecond: 400,
    latencyMs: SOME,
    refusedMs: SOME,
    lagMs: SOME,
    generatorBusy: 0.5,
    connectionsPeak: 4000,
  };
  return {
    server,
    model: "iris",
    repetition: 0,
    rule: "waits 10 ms",
    capacityPerSecond: 500,
    load,
    durationMs: 1000,
    goodput,
    recoveryMs: 5,
    isValid,
    faults: [],
    cpuUs: 10,
    othersOnCore: 0,
  };
}

function found(): Measurements {
  const rows = [
    throughput("millrace", 0, 100),
    throughput("mosec", 0, 50),
    throughput("millrace", 1, 300),
    throughput("mosec", 1, 70),
  ];
  const runs = [overload("millrace", 0.95, true), overload("millrace", 0.1, false)];
  return { ...noMeasurements(), throughput: rows, overload: runs };
}

describe("throughputOf()", () => {
  it("takes the median of the repetitions of a server and keeps their range", () => {
    const [ours] = throughputOf(found().throughput, "iris");
    expect(ours).toMatchObject({
      server: "millrace",
      answersPerSecond: 200,
      least: 100,
      most: 300,
    });
  });
});

describe("overloadOf()", () => {
  it("prefers runs in which the generator was on time", () => {
    expect(overloadOf(found().overload, "iris")).toMatchObject([
      { server: "millrace", goodput: 0.95 },
    ]);
    expect(overloadOf([overload("mosec", 0.1, false)], "iris")).toMatchObject([
      { isValid: false, goodput: 0.1 },
    ]);
  });
});

describe("targetsOf()", () => {
  it("judges what was measured and leaves out what was not", () => {
    expect(targetsOf(found())).toMatchObject([
      { name: "iris at 64 connections, by the best other", value: 200 / 60, isMet: true },
      { name: "iris, goodput at twice its capacity, client waits 10 ms", isMet: true },
    ]);
  });
});

describe("reportText()", () => {
  it("has a table for what was measured and none for the rest", () => {
    const machine = {
      cpu: "some",
      cores: 2,
      memoryGib: 8,
      system: "Linux",
      node: "v24",
      commit: "abc",
      loadBefore: 0,
      startedAt: "now",
    };
    const text = reportText({
      machine,
      command: "npm run bench",
      versions: { mosec: "1" },
      commands: {},
      isPinned: true,
      plan: QUICK,
      found: found(),
      targets: targetsOf(found()),
      faults: [],
    });
    expect(text).toMatch(/\| Millrace +\| 200 /);
    expect(text).toContain("95 %");
    expect(text).not.toContain("gRPC, 64");
    expect(text).not.toContain("NaN");
  });
});

describe("faultLines()", () => {
  it("puts runs with the same kind of fault on one line", () => {
    const faults = [
      { text: "the machine was not idle" },
      { text: "12 % went to others", run: "a" },
      { text: "13 % went to others", run: "b" },
    ];
    expect(faultLines(faults)).toEqual(["the machine was not idle", "12 % went to others (a; b)"]);
  });
});

describe("pictureSvg()", () => {
  it("draws a bar for each main server that was measured", () => {
    const svg = pictureSvg(found());
    expect(svg.match(/>Millrace</g)).toHaveLength(2);
    expect(svg.match(/>Mosec</g)).toHaveLength(1);
    expect(svg).not.toContain("NaN");
  });
});

describe("figuresOf()", () => {
  it("names every median by server, model, load and unit", () => {
    const figures = figuresOf(found());
    expect(figures.get("mosec, iris, 64 connections: answers/s")).toBe(60);
    expect(figures.get("millrace, iris, twice its capacity, waits 10 ms: goodput")).toBe(0.95);
  });
});
