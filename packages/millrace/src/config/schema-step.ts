import { z } from "zod";
import { switchCondition } from "./schema-condition.ts";
import { DAY, duration, isNotEmpty, name } from "./schema-values.ts";
import { codeFile, stepName, workStep } from "./schema-work-step.ts";

/** A step as it is written, with defaults filled in. The types are by hand because a step contains steps. */
export type WrittenStep =
  string | WrittenSequence | WrittenParallel | WrittenSwitch | z.output<typeof workStep>;

export interface WrittenSequence {
  readonly sequence: readonly WrittenMember[];
  readonly map: Readonly<Record<string, string>>;
  readonly versions: "latest" | "together";
  readonly onError?: WrittenOnError | undefined;
  readonly name?: string | undefined;
}

export type WrittenMember =
  WrittenStep | { readonly step: WrittenStep; readonly onError?: WrittenOnError | undefined };

/** `fail`, `skip`, or the step that runs instead. */
export type WrittenOnError = WrittenStep;

export interface WrittenParallel {
  readonly parallel: Readonly<Record<string, WrittenStep>>;
  readonly combine: string;
  readonly onError: "omit" | "fail";
  /** Milliseconds. */
  readonly timeout?: number | undefined;
  readonly name?: string | undefined;
}

export interface WrittenSwitch {
  readonly switch: readonly WrittenCase[];
  readonly default: WrittenStep;
  readonly name?: string | undefined;
}

export interface WrittenCase {
  readonly name?: string | undefined;
  readonly when: z.output<typeof switchCondition>;
  readonly to: WrittenStep;
}

/** A step as a person writes it. */
export type StepInput =
  | string
  | {
      sequence: (StepInput | { step: StepInput; onError?: StepInput | undefined })[];
      map?: Record<string, string> | undefined;
      versions?: "latest" | "together" | undefined;
      onError?: StepInput | undefined;
      name?: string | undefined;
    }
  | {
      parallel: Record<string, StepInput>;
      combine?: string | undefined;
      onError?: "omit" | "fail" | undefined;
      timeout?: string | undefined;
      name?: string | undefined;
    }
  | {
      switch: {
        name?: string | undefined;
        when: z.input<typeof switchCondition>;
        to: StepInput;
      }[];
      default: StepInput;
      name?: string | undefined;
    }
  | z.input<typeof workStep>;

/** A step of a graph. Lazy because it contains itself; its JSON Schema is a reference to the one definition. */
export const step: z.ZodType<WrittenStep, StepInput> = z.lazy(() => stepForms);

const onError = z
  .union([z.enum(["fail", "skip"]), step])
  .optional()
  .meta({
    kind: "onError",
    description:
      "When it fails: `fail` fails the sequence, `skip` hands on what the step got, a step runs in its place.",
  });

const sequenceMember = z
  .union([
    step,
    z
      .strictObject({ step: step.meta({ description: "The step." }), onError })
      .meta({ tellingKey: "step" }),
  ])
  .meta({ kind: "step" });

const sequenceStep = z
  .strictObject({
    sequence: z.array(sequenceMember).min(1).meta({
      range: "a list of one or more steps",
      description: "Steps in their order: what one gives, the next one takes.",
    }),
    map: z
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .meta({
        description:
          "Where names differ: input of a step → output of the step before, or `step.output` of any step before; `input.x` is an input of the sequence.",
        examples: [{ x: "probabilities", "classify.image": "prepare.image" }],
      }),
    versions: z.enum(["latest", "together"]).default("latest").meta({
      description:
        "`together`: all its models run the same version number, the highest that all of them have.",
    }),
    onError: onError.meta({
      description: "`onError` of every member that has none of its own; absent: `fail`.",
    }),
    name: stepName,
  })
  .meta({ tellingKey: "sequence" });

const parallelStep = z
  .strictObject({
    parallel: z
      .record(name, step)
      .refine(isNotEmpty, "found no branch, expected at least one")
      .meta({ description: "Branches by name: run at the same time, on the same inputs." }),
    combine: z
      .union([z.enum(["each", "argmax", "mean", "vote"]), codeFile])
      .default("each")
      .meta({
        description:
          "What becomes of their predictions: `each` under its name, that with the largest score, their mean, the label most of them chose, or what a function makes of them.",
        examples: ["argmax", "./combine.ts"],
      }),
    onError: z.enum(["omit", "fail"]).default("omit").meta({
      description:
        "A branch that fails: `omit` answers without it and names it, unless all fail; `fail` fails all.",
    }),
    timeout: duration("1ms", DAY)
      .optional()
      .meta({ description: "A branch that takes longer has failed; absent: the request's time." }),
    name: stepName,
  })
  .meta({ tellingKey: "parallel" });

const switchCase = z.strictObject({
  name: name.optional().meta({ description: "Shown by `explain`; absent: what `to` leads to." }),
  when: switchCondition,
  to: step.meta({ description: "The step that is run." }),
});

const switchStep = z
  .strictObject({
    switch: z.array(switchCase).min(1).meta({
      range: "a list of one or more cases",
      description: "The first case whose condition holds is run.",
    }),
    default: step.meta({ description: "The step that is run when no case matches." }),
    name: stepName,
  })
  .meta({ tellingKey: "switch" });

const stepForms = z
  .union([name, sequenceStep, parallelStep, switchStep, ...workStep.options])
  .meta({ id: "step", kind: "step", later: ["stages"] });
