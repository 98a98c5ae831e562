import { expect, it } from "vitest";
import { TestClock } from "../core/test-clock.ts";
import { ProgressBar } from "./progress-bar.ts";

it("ProgressBar shows nothing in the first second, then five pictures a second, and goes away", () => {
  const clock = new TestClock();
  const written: string[] = [];
  const bar = new ProgressBar({ write: (text) => written.push(text), isTTY: true }, 200, clock);
  bar.done = 100;
  clock.advanceMs(999);
  expect(written).toEqual([]);
  clock.advanceMs(1);
  bar.done = 200;
  clock.advanceMs(399);
  bar.end();
  clock.advanceMs(10_000);
  expect(written).toEqual([
    `\r${"█".repeat(15)}${"░".repeat(15)} 50 %  100 of 200`,
    `\r${"█".repeat(30)} 100 %  200 of 200`,
    "\r\u001b[2K",
  ]);
});

it("ProgressBar writes nothing where errors do not go to a terminal, and nothing when it was never shown", () => {
  const clock = new TestClock();
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  const piped = new ProgressBar({ write }, 10, clock);
  clock.advanceMs(5000);
  piped.end();
  const short = new ProgressBar({ write, isTTY: true }, 10, clock);
  clock.advanceMs(900);
  short.end();
  expect([written, clock.timerCount]).toEqual([[], 0]);
});
