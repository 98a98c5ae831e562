import { expect, test } from "vitest";
import { LoopLoad } from "../../../core/overload/loop-load.ts";
import { TestClock } from "../../../core/test-clock.ts";
import { HELD_MAX, HELD_MS_MAX, LaneTurn, type Holdable } from "./lane-turn.ts";

/** Ends turns by hand. */
class TurnClock extends TestClock {
  endTurn: () => void = () => expect.unreachable("no turn is open");
  turnCount = 0;

  override soon(run: () => void): void {
    this.turnCount++;
    this.endTurn = run;
  }
}

/** A lane whose answers take 1 ms, with an objective of 100: 30 fit into a turn. Refusals take 10 % of the time. */
function setUp() {
  const clock = new TurnClock();
  const load = new LoopLoad({ refusalShareMax: 0.1 });
  load.record(1_000, 0, 1_000);
  load.endTurn(0, 0);
  let busyReads = 0;
  const turn = new LaneTurn({
    clock,
    load,
    busyMs: () => {
      busyReads++;
      return clock.nowMs();
    },
    objectiveMs: () => 100,
  });
  const shed: string[] = [];
  const connection = (name: string): Holdable => ({ shed: () => void shed.push(name) });
  const begin = (count: number): number => {
    let begun = 0;
    for (let i = 0; i < count; i++) if (turn.begins()) begun++;
    return begun;
  };
  return { clock, load, turn, shed, connection, begin, busyReads: () => busyReads };
}

test("begins() lets in what a turn can answer, anew in each turn", () => {
  const { clock, begin, turn } = setUp();
  for (let i = 0; i < 3; i++) {
    expect(begin(40)).toBe(30);
    clock.endTurn();
  }
  expect(turn.heldCount).toBe(0);
});

test("begins() opens one turn for all its requests, and reads no time when they are few", () => {
  const { clock, begin, busyReads } = setUp();
  expect(clock.turnCount).toBe(0);
  begin(15);
  expect([clock.turnCount, busyReads()]).toEqual([1, 0]);
  clock.endTurn();
  expect(clock.turnCount).toBe(1);
  begin(16);
  expect([clock.turnCount, busyReads()]).toEqual([2, 1]);
});

test("refused() gives the place back", () => {
  const { turn, begin } = setUp();
  expect(begin(10)).toBe(10);
  for (let i = 0; i < 5; i++) turn.refused();
  expect(begin(40)).toBe(25);
});

test("hold() keeps requests to the end of the turn, then the oldest are refused first", () => {
  const { clock, turn, shed, connection, begin } = setUp();
  begin(30);
  for (const name of ["a", "b", "c", "d", "e", "f", "g", "h"]) {
    expect(turn.hold(connection(name))).toBe(true);
  }
  expect(shed).toEqual([]);
  clock.endTurn(); // a tenth of 30 ms: six refusals of half an answer each
  expect(shed).toEqual(["a", "b", "c", "d", "e", "f"]);
  expect(turn.heldCount).toBe(2);
});

test("hold() leaves nobody behind when no further request comes", () => {
  const { clock, turn, shed, connection, begin } = setUp();
  begin(30);
  for (let i = 0; i < 20; i++) turn.hold(connection(String(i)));
  clock.endTurn();
  expect(turn.heldCount).toBe(14);
  clock.endTurn();
  expect([turn.heldCount, shed.length]).toEqual([0, 20]);
  clock.endTurn();
  const { turnCount } = clock;
  expect(turnCount).toBe(3); // the last one found nothing, and opened none
});

test("hold() takes in at most HELD_MAX", () => {
  const { turn, connection } = setUp();
  for (let i = 0; i < HELD_MAX; i++) expect(turn.hold(connection("x"))).toBe(true);
  expect(turn.hold(connection("y"))).toBe(false);
  expect(turn.heldCount).toBe(HELD_MAX);
});

test("hold() refuses what has waited for HELD_MS_MAX, whatever it costs", () => {
  const { clock, turn, shed, connection, begin } = setUp();
  begin(30);
  for (let i = 0; i < 50; i++) turn.hold(connection("old"));
  clock.advanceMs(1);
  turn.hold(connection("young"));
  clock.advanceMs(HELD_MS_MAX - 1);
  clock.endTurn();
  expect([shed.length, turn.heldCount]).toEqual([50, 1]);
});

test("forget() takes a connection out", () => {
  const { clock, turn, shed, connection, begin } = setUp();
  begin(30);
  const [first, second] = [connection("a"), connection("b")];
  turn.hold(first);
  turn.hold(second);
  turn.forget(first);
  clock.endTurn();
  expect(shed).toEqual(["b"]);
});

test("begins() learns from loaded turns that follow each other, and from no others", () => {
  const { clock, load, begin } = setUp();
  const turnOf = (requests: number, ms: number): void => {
    begin(requests);
    clock.advanceMs(ms);
    clock.endTurn();
  };
  for (let i = 0; i < 1_000; i++) {
    turnOf(20, 10);
    turnOf(1, 50);
  }
  expect(load.answerMs).toBe(1);
  for (let i = 0; i < 1_000; i++) turnOf(20, 10);
  expect(load.answerMs).toBeCloseTo(0.5, 3);
});

test("defer() keeps the replies of a turn with company until it ends, in their order", () => {
  const { clock, begin, turn } = setUp();
  const sent: string[] = [];
  begin(2);
  expect(turn.defer(turn.number, () => sent.push("a"))).toBe(true);
  expect(turn.defer(turn.number, () => sent.push("b"))).toBe(true);
  expect(sent).toEqual([]);
  clock.endTurn();
  expect(sent).toEqual(["a", "b"]);
  begin(2);
  clock.endTurn();
  expect(sent).toEqual(["a", "b"]);
});

test("defer() keeps no reply of a lone request, of an earlier turn, or between turns", () => {
  const { clock, begin, turn } = setUp();
  const send = (): void => expect.unreachable("nothing was kept");
  begin(1);
  const { number } = turn;
  expect(turn.defer(number, send)).toBe(false);
  clock.endTurn();
  expect(turn.defer(number, send)).toBe(false);
  begin(2);
  expect(turn.defer(number, send)).toBe(false);
  clock.endTurn();
});
