import { parseGoDuration } from "../core/load/parse-go-duration.ts";
import { UsageError, type CommandLine } from "./command.ts";

/** Reads the values of options, and says what is allowed where one is wrong. @throws UsageError */
export class Flags {
  readonly #line: CommandLine;

  constructor(line: CommandLine) {
    this.#line = line;
  }

  has(name: string): boolean {
    return this.#line.options.has(name);
  }

  text(name: string): string | undefined {
    const text = this.#line.options.get(name);
    if (text === "") throw new UsageError(`--${name} needs a value`);
    return text;
  }

  all(name: string): readonly string[] {
    return this.#line.values.get(name) ?? [];
  }

  /** Is a switch on? `-name`, `-name=true` and `-name=false` say so. */
  isOn(name: string, whenAbsent: boolean): boolean {
    const text = this.#line.options.get(name);
    if (text === undefined) return whenAbsent;
    if (["", "true", "1", "t"].includes(text.toLowerCase())) return true;
    if (["false", "0", "f"].includes(text.toLowerCase())) return false;
    throw wrong(name, "true or false", text);
  }

  count(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const count = /^\d+$/.test(text) ? Number(text) : NaN;
    if (count >= min && count <= max) return count;
    throw wrong(name, `a whole number from ${min} to ${max}`, text);
  }

  /** ms. */
  duration(name: string, minMs: number, maxMs: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const ms = parseGoDuration(text);
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
    const from = minMs === 0 ? "0" : `${minMs}ms`;
    throw wrong(name, `a duration with its unit, from ${from} to ${maxMs / 3_600_000}h`, text);
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw wrong(name, `${choices.join(" or ")}`, text);
  }
}

function wrong(name: string, expected: string, found: string): UsageError {
  return new UsageError(`--${name}: expected ${expected}, found ${JSON.stringify(found)}`);
}
