import type { Attributes, JsonPath } from "../core/rules/attributes.ts";
import type { Condition } from "../core/rules/condition.ts";
import { isTrue } from "../core/rules/evaluate.ts";
import { UnitCodes } from "../core/rules/hash-unit.ts";
import { TimeZones } from "../core/rules/time-zones.ts";
import type { SwitchSubject } from "../core/graph/switch-step.ts";
import type { JsonValue } from "../core/json.ts";
import type { Clock } from "../core/clock.ts";
import type { Tensor } from "../core/tensor/tensor.ts";

/**
 * Makes the test of a case of a switch.
 * @param countInvalid is told how many predicates met a value they cannot be made on.
 */
export function switchCondition(
  when: Condition,
  clock: Clock,
  countInvalid: (count: number) => void,
): (subject: SwitchSubject) => boolean {
  const zones = new TimeZones();
  const units = new UnitCodes();
  return (subject) => {
    const tally = { invalidCount: 0 };
    const moment = { wallMs: clock.wallMs(), zones, units };
    const isMatch = isTrue(when, new SwitchAttributes(subject), moment, tally);
    if (tally.invalidCount > 0) countInvalid(tally.invalidCount);
    return isMatch;
  };
}

/** The request as the conditions of a switch see it: with the inputs of the switch, and maybe without anything else. */
class SwitchAttributes implements Attributes {
  readonly #subject: SwitchSubject;

  constructor(subject: SwitchSubject) {
    this.#subject = subject;
  }

  get #request(): Attributes | undefined {
    return this.#subject.attributes;
  }

  get method(): string {
    return this.#request?.method ?? "";
  }

  get path(): string {
    return this.#request?.path ?? "";
  }

  get caller(): string | undefined {
    return this.#request?.caller;
  }

  get unit(): string {
    return this.#request?.unit ?? this.#subject.predictionId;
  }

  header(name: string): string | undefined {
    return this.#request?.header(name);
  }

  query(name: string): string | undefined {
    return this.#request?.query(name);
  }

  cookie(name: string): string | undefined {
    return this.#request?.cookie(name);
  }

  body(path: JsonPath): JsonValue | undefined {
    return this.#request?.body(path);
  }

  input(name: string): Tensor | undefined {
    return this.#subject.input(name);
  }
}

/** Names of the switch's inputs that a condition looks at. */
export function* inputsReadBy(condition: Condition): Iterable<string> {
  switch (condition.kind) {
    case "all":
    case "any":
      for (const part of condition.conditions) yield* inputsReadBy(part);
      return;
    case "not":
      yield* inputsReadBy(condition.condition);
      return;
    case "input":
      yield condition.name;
      return;
    default:
  }
}
