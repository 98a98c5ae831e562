import { describe, expect, it } from "vitest";
import { MillraceError, PROBLEMS_MAX } from "../errors.ts";
import { FEEDBACK_ENTRIES_MAX, readFeedback, type Feedback } from "./read-feedback.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 16);
const ID = "01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7";

function read(body: unknown): Feedback {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readFeedback(new TextEncoder().encode(text), NOW_MS);
}

/** Places and messages of what is wrong. */
function problemsOf(body: unknown): string[] {
  try {
    read(body);
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== "INVALID_BODY") throw error;
    return error.problems.map(
      ({ location, type, message }) => `${location.join(".")} ${type}: ${message}`,
    );
  }
  return [];
}

function reportOf(body: object): unknown {
  return read({ prediction_id: ID, ...body }).entries[0]?.report;
}

describe("readFeedback()", () => {
  it("readFeedback() reads one object with everything in it", () => {
    const body = {
      prediction_id: ID.toUpperCase(),
      label: "setosa",
      ts: "2026-11-21T15:00:00Z",
      source: "botanist",
      region: "eu",
      certain: true,
    };
    expect(read(body)).toEqual({
      isList: false,
      entries: [
        {
          about: { kind: "prediction", id: ID },
          report: { kind: "label", text: "setosa", value: undefined },
          tsUs: (NOW_MS - 3_600_000) * 1_000,
          source: "botanist",
          attributes: '{"region":"eu","certain":true}',
        },
      ],
    });
  });

  it("readFeedback() reads a list, rows of predictions and units", () => {
    const { entries, isList } = read([
      { prediction_id: `${ID}#12`, event: "clicked", value: 2.5 },
      { entity_id: "user-7", ts: "1795276800s", event: "bought" },
      { entity_id: 7, ts: "1795276800s", label: 1 },
    ]);
    expect(isList).toBe(true);
    expect(entries.map(({ about }) => about)).toEqual([
      { kind: "prediction", id: `${ID}#12` },
      { kind: "unit", entityId: "user-7" },
      { kind: "unit", entityId: "7" },
    ]);
    expect(entries[0]?.report).toEqual({ kind: "event", name: "clicked", value: 2.5 });
  });

  it.each([
    ["setosa", "setosa", undefined],
    [true, "true", undefined],
    [7, "7", 7],
    [-0.25, "-0.25", -0.25],
    [["cat", 2, true], '["cat",2,true]', undefined],
    ["日本", "日本", undefined],
  ])("readFeedback() keeps the label %j as %s", (label, text, value) => {
    expect(reportOf({ label })).toEqual({ kind: "label", text, value });
  });

  it("readFeedback() keeps whole numbers beyond 2^53 exact, in labels and attributes", () => {
    const { entries } = read(
      `{"prediction_id":"${ID}","label":9007199254740993,"order":9007199254740993}`,
    );
    expect(entries[0]?.report).toMatchObject({ text: "9007199254740993" });
    expect(entries[0]?.attributes).toBe('{"order":9007199254740993}');
  });

  it("readFeedback() takes null for absent", () => {
    const { entries } = read({
      prediction_id: ID,
      entity_id: null,
      label: 0,
      event: null,
      ts: null,
    });
    expect(entries[0]).toMatchObject({ tsUs: undefined, report: { text: "0", value: 0 } });
  });

  it("readFeedback() names every mistake of every entry at once, with its place", () => {
    expect(
      problemsOf([
        { prediction_id: ID, label: "a" },
        { prediction_id: "7", label: {}, ts: 1795276800 },
        "setosa",
        { label: "a", event: "b", source: 7 },
        { entity_id: "u", label: [1, null] },
        { prediction_id: ID, entity_id: "u", ts: "1s", event: "", value: "2" },
      ]),
    ).toEqual(
      [
        '1.ts time: found 1795276800, expected a time with its zone, "2026-11-21T16:00:00Z", or the time since 1970 with its unit, "1795276800s" or "1795276800000ms"',
        '1.prediction_id uuid: found "7", expected a UUID, of one row of several with its number: <UUID>#<row>',
        "1.label type: found an object, expected a text, a number, true or false, or a list of them",
        '2 type: found "setosa", expected an object',
        "3 missing: found neither, expected prediction_id, or entity_id with ts",
        "3 missing: found both, expected either label or event",
        "3.source type: found 7, expected a text of 1 to 256 characters",
        "4.ts missing: found none, expected a time: it tells which prediction of the entity is meant",
        "4.label.1 type: found null, expected a text, a number, true or false, or a list of them",
        "5 missing: found both, expected prediction_id, or entity_id with ts",
        '5.value type: found "2", expected a number',
        "5.event range: found 0 characters, expected 1 to 256",
      ].map((text) => `body.${text}`),
    );
  });

  it.each([
    [{ label: "a", value: 1 }, "body.value unknown: found a value beside a label"],
    [{ label: "" }, "body.label range: found 0 characters"],
    [{ label: [] }, "body.label range: found 0 elements, expected 1 to 100"],
    [{ label: "x".repeat(1025) }, "body.label range: found 1025 characters, expected 1 to 1024"],
    [{ label: "a", ts: "2026-11-23T16:00:00Z" }, "body.ts range: found"],
    [{ event: "e", note: "x".repeat(9000) }, "body range: found attributes of 9011 characters"],
    [
      { event: "e", ...Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, i])) },
      "body range: found 65 attributes, expected at most 64",
    ],
  ])("readFeedback() refuses %j", (body, problem) => {
    const [found = ""] = problemsOf({ prediction_id: ID, ...body });
    expect(found.slice(0, problem.length)).toBe(problem);
  });

  it("readFeedback() refuses text that no file of the log could hold", () => {
    const half = String.raw`"\ud800"`;
    const isRefused = (member: string): boolean =>
      problemsOf(`{"prediction_id":"${ID}",${member}}`)[0]?.includes("not Unicode") === true;
    expect(isRefused(`"label":${half}`)).toBe(true);
    expect(isRefused(`"label":[1,${half}]`)).toBe(true);
    expect(isRefused(`"event":"e","note":{"a":[${half}]}`)).toBe(true);
    expect(isRefused(`"event":"e",${half}:1`)).toBe(true);
  });

  it("readFeedback() refuses an infinite label, and takes a prediction id of any version", () => {
    expect(problemsOf(`{"prediction_id":"${ID}","label":1e999}`)[0]).toContain(
      "beyond all doubles",
    );
    expect(problemsOf({ prediction_id: "f47ac10b-58cc-4372-a567-0e02b2c3d479", label: 1 })).toEqual(
      [],
    );
    for (const id of [`${ID}#`, `${ID}#01`, `${ID}#-1`, `${ID}#1#2`, `${ID} `]) {
      expect(problemsOf({ prediction_id: id, label: 1 })).toHaveLength(1);
    }
  });

  it("readFeedback() takes 1 to 1000 entries and names at most 20 problems", () => {
    const entry = { prediction_id: ID, label: 1 };
    const list = (length: number) => Array.from({ length }, () => entry);
    expect(read(list(FEEDBACK_ENTRIES_MAX)).entries).toHaveLength(1000);
    expect(problemsOf(list(1001))).toEqual(["body range: found 1001 entries, expected 1 to 1000"]);
    expect(problemsOf([])).toEqual(["body range: found 0 entries, expected 1 to 1000"]);
    expect(problemsOf(Array.from({ length: 1000 }, () => 7))).toHaveLength(PROBLEMS_MAX);
  });

  it.each(['{"a":1,"a":2}', "{", '{"prediction_id":1} x', "[".repeat(200)])(
    "readFeedback() refuses %j as JSON",
    (body) => {
      expect(() => read(body)).toThrow(expect.objectContaining({ code: "INVALID_JSON" }) as Error);
    },
  );
});
