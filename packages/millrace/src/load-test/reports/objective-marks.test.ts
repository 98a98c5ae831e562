import { describe, expect, it } from "vitest";
import { objectiveMarks } from "./objective-marks.ts";

describe("objectiveMarks()", () => {
  it("marks the limits of latencies that the picture has, in ms", () => {
    const objectives = [
      { objective: "p99<50ms", met: true, found: "41ms" },
      { objective: "p50<=800us", met: false, found: "1ms" },
      { objective: "max<1.5s", met: true, found: "1s" },
    ];
    expect(objectiveMarks(objectives, ["p50", "p99", "max"])).toEqual([
      { axis: "y", at: 50, label: "p99<50ms", color: "good" },
      { axis: "y", at: 0.8, label: "p50<=800us", color: "bad" },
      { axis: "y", at: 1500, label: "max<1.5s", color: "good" },
    ]);
  });

  it("marks nothing that is no upper limit of a latency shown", () => {
    const objectives = ["errors<0.1%", "rate>=100/s", "p99>1ms", "p99.9<50ms", "p99<50ms<script>"];
    const results = objectives.map((objective) => ({ objective, met: true, found: "" }));
    expect(objectiveMarks(results, ["p99"])).toEqual([]);
  });
});
