import { describe, expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { formatTraceParent, parseTraceContext, STATE_LENGTH_MAX } from "./trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("parseTraceContext()", () => {
  test("parseTraceContext() reads ids, flags and state", () => {
    expect(parseTraceContext(`00-${TRACE}-${SPAN}-01`, "a=1,b=2")).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      isSampled: true,
      isRandom: false,
      state: "a=1,b=2",
      isRecorded: false,
    });
    expect(parseTraceContext(`00-${TRACE}-${SPAN}-02`, undefined)).toMatchObject({
      isSampled: false,
      isRandom: true,
      state: undefined,
    });
  });

  test.each([
    ["a later version with more behind it", `01-${TRACE}-${SPAN}-01-more`],
    ["a later version without", `fe-${TRACE}-${SPAN}-01`],
    ["flags that nobody knows yet", `00-${TRACE}-${SPAN}-f9`],
  ])("parseTraceContext() reads %s as the version it knows", (_, parent) => {
    const context = parseTraceContext(parent, undefined);
    expect(context).toMatchObject({ traceId: TRACE, spanId: SPAN, isSampled: true });
    expect(context && formatTraceParent(context)).toBe(`00-${TRACE}-${SPAN}-01`);
  });

  test.each([
    ["nothing", undefined],
    ["an empty text", ""],
    ["a version that is none", `ff-${TRACE}-${SPAN}-01`],
    ["more than version 00 has", `00-${TRACE}-${SPAN}-01-more`],
    ["a longer version without a dash", `01-${TRACE}-${SPAN}-01more`],
    ["upper case", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["ids that are too short", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["other digits", `00-${TRACE.slice(1)}g-${SPAN}-01`],
    ["another dash", `00_${TRACE}-${SPAN}-01`],
    ["no flags", `00-${TRACE}-${SPAN}-`],
    ["flags that are no digits", `00-${TRACE}-${SPAN}-0x`],
    ["two headers joined", `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ["space around it", ` 00-${TRACE}-${SPAN}-01`],
  ])("parseTraceContext() takes %s for no context", (_, parent) => {
    expect(parseTraceContext(parent, "a=1")).toBeUndefined();
  });

  test.each([
    ["what no header can hold", "a=\u0001"],
    ["what is too long", "a".repeat(STATE_LENGTH_MAX + 1)],
    ["what is empty", ""],
    ["what is not ASCII", "a=é"],
  ])("parseTraceContext() leaves out of the state %s", (_, state) => {
    expect(parseTraceContext(`00-${TRACE}-${SPAN}-01`, state)).toMatchObject({ state: undefined });
  });

  test("parseTraceContext() takes what is changed anywhere for no context, or for one that can be sent", () => {
    const random = new TestRandom(1_605);
    const valid = `00-${TRACE}-${SPAN}-01`;
    let readCount = 0;
    for (let i = 0; i < 2_000; i++) {
      const at = random.below(valid.length);
      const changed =
        valid.slice(0, at) +
        String.fromCharCode(random.below(128)) +
        valid.slice(at + random.below(3));
      const context = parseTraceContext(changed, changed);
      if (context === undefined) continue;
      readCount++;
      const sent = formatTraceParent(context);
      expect(sent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-0[0-3]$/);
      expect(parseTraceContext(sent, changed)).toEqual(context);
    }
    expect(readCount).toBeGreaterThan(10);
  });
});

test("formatTraceParent() gives back what was read", () => {
  for (const flags of ["00", "01", "02", "03"]) {
    const parent = `00-${TRACE}-${SPAN}-${flags}`;
    const context = parseTraceContext(parent, undefined);
    expect(context && formatTraceParent(context)).toBe(parent);
  }
});
