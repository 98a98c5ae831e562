import { expect, it } from "vitest";
import type { LogStatusAnswer, SinkAnswer } from "../control/log-status-json.ts";
import { describeLogStatus } from "./describe-log-status.ts";

const SINK: SinkAnswer = {
  name: "parquet",
  rows: 1_234,
  lag_seconds: 0,
  waiting: { segments: 0, bytes: 0 },
  errors: 0,
  problem: null,
  unreadable: 0,
  set_aside: 0,
};

const STATUS: LogStatusAnswer = {
  folder: "/srv/.millrace/log",
  shipping: true,
  problem: null,
  sinks: [SINK],
  segments: { count: 1, bytes: 1_500 },
  tables: [
    { name: "predictions", files: 1, bytes: 3e6, oldest: "2026-11-21", newest: "2026-11-21" },
    { name: "feedback", files: 0, bytes: 0, oldest: null, newest: null },
  ],
  dropped: { ring: 0 },
  without_payload: { ring: 0 },
  unclean_writers: 0,
  damaged_blocks: 0,
};

it("describeLogStatus() shows how far it is and how large, and nothing that is all right", () => {
  expect(describeLogStatus(STATUS, false)).toBe(`folder       /srv/.millrace/log
state        is shipped
segments     1 segment, 1.5 KiB
to parquet   1,234 rows since its start, nothing waits
predictions  1 file, 2.9 MiB, 2026-11-21
feedback     no file
`);
});

it("describeLogStatus() shows what is wrong", () => {
  const sink = {
    ...SINK,
    name: "text",
    rows: 1,
    lag_seconds: 600,
    waiting: { segments: 2, bytes: 300 },
    errors: 4,
    problem: "the disk is full",
    unreadable: 1,
    set_aside: 2,
  };
  const status = {
    ...STATUS,
    shipping: false,
    problem: "no room",
    sinks: [sink],
    tables: [],
    dropped: { ring: 7, disk: 0, failed: 2 },
    without_payload: { disk: 9 },
    unclean_writers: 1,
    damaged_blocks: 3,
  };
  expect(describeLogStatus(status, false)).toBe(`folder       /srv/.millrace/log
state        nothing is shipped: no room
segments     1 segment, 1.5 KiB
to text      1 row since its start, 300 B wait, 10 min behind, 4 failures, 1 record unreadable, 2 segments set aside, FAILS: the disk is full
left out     ring 7, failed 2
no payload   disk 9
killed       1 process
damaged      3 blocks
`);
});

it("describeLogStatus() of a log that nothing ships says what waits", () => {
  const sink = { ...SINK, rows: 0, lag_seconds: 10, waiting: { segments: 1, bytes: 2_048 } };
  const lines = describeLogStatus({ ...STATUS, sinks: [sink] }, true).split("\n");
  expect(lines).toContain("state        nothing runs");
  expect(lines).toContain("to parquet   2.0 KiB wait, 10 s behind");
});
