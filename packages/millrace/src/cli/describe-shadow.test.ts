import { describe, expect, it } from "vitest";
import { describeShadow, describeShadows } from "./describe-shadow.ts";
import { SHADOW } from "./test-status.ts";

const WIDE = { width: 100, tableWidth: Infinity, isUnicode: true, isColored: false };
const NARROW = { width: 60, tableWidth: 60, isUnicode: false, isColored: false };

describe("describeShadow()", () => {
  it("shows the verdict, what it was held against, and bars of agreement and latency", () => {
    expect(describeShadow(SHADOW, WIDE)).toBe(`\
shadow      rf of service iris
copies      50 % of the requests → iris-rf, compared by label
state       running
verdict     pass: all it has to keep to is kept
window      from 2026-11-21T15:00:00Z until 2026-11-21T16:00:00Z, computed in 8 ms
model       iris-rf@1  digest 0123456789abcdef
pairs       12,000 of at least 1,000: 11,990 compared, 11,960 agreed
agreement   99.75 % (99.64 % … 99.82 %), at least 99 % wanted
errors      shadow 8, answers 2: +0.05 pp (at most +0.13 pp), at most +0.5 pp allowed
latency     99th percentile 1.1 times that of the answers, at most 1.2 allowed; on average +0.21 ms
            (+0.2 … +0.22)
left out    queue 12

agreement        98 % ████████████████████│██████████████░░░░░ 100 %
                                          └ 99 % wanted
p50           answers █████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 1 ms
               shadow ███████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 1.2 ms
p95           answers ██████████████████░░░░░░░░░░░░░░░░░░░░░░ 2 ms
               shadow ███████████████████████░░░░░░░░░░░░░░░░░ 2.5 ms
p99           answers ████████████████████████████████████░░░░ 4 ms
               shadow ████████████████████████████████████████ 4.4 ms

differences, the most frequent first
       25  versicolor → virginica

events
  2026-11-21T16:00:00Z  pass, by verdict: all it has to keep to is kept
`);
  });

  it("keeps to the width of the terminal, and to ASCII in its pictures", () => {
    const text = describeShadow(SHADOW, NARROW);
    expect(text.split("\n").filter((line) => line.length > 60)).toEqual([]);
    expect(text).toContain(`\
agreement        98 % ###########|#######... 100 %
                                 ^ 99 % wanted
`);
  });

  it("says that it is excluded, and that nothing is known yet", () => {
    const status = { ...SHADOW, isExcluded: true, analysis: undefined, skipped: {}, events: [] };
    expect(describeShadow(status, WIDE)).toBe(`\
shadow      rf of service iris
copies      50 % of the requests → iris-rf, compared by label
state       excluded: it gets nothing
verdict     none yet
`);
  });

  it("shows a shadow that never agrees", () => {
    if (SHADOW.analysis === undefined) throw new Error("there is none");
    const agreement = { value: 0, low: 0, high: 0.03 };
    const text = describeShadow({ ...SHADOW, analysis: { ...SHADOW.analysis, agreement } }, WIDE);
    expect(text).toMatch(/^agreement +0 % ░+│░* 100 %$/m);
  });
});

it("describeShadows() lists them with their verdicts", () => {
  expect(describeShadows([SHADOW, { ...SHADOW, name: "new", analysis: undefined }], WIDE)).toBe(`\
shadow  service  to       share  state    verdict
------  -------  -------  -----  -------  -----------------------------------
rf      iris     iris-rf  50 %   running  pass: all it has to keep to is kept
new     iris     iris-rf  50 %   running  none yet
`);
  expect(describeShadows([], WIDE)).toContain("no shadow");
});
