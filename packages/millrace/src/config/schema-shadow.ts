import { z } from "zod";
import { step } from "./schema-step.ts";
import { duration, name, share } from "./schema-values.ts";
import { codeFile } from "./schema-work-step.ts";

const compare = z
  .union([
    z.enum(["auto", "equal", "label"]),
    z
      .strictObject({
        tolerance: z.number().min(0).meta({
          description: "Allowed distance of each number: so much, and so much of the answer's.",
        }),
      })
      .meta({ tellingKey: "tolerance" }),
    z
      .strictObject({
        topK: z.int().min(1).max(1000).meta({
          unit: "classes",
          description: "The same classes are the best so many, in any order.",
        }),
      })
      .meta({ tellingKey: "topK" }),
    codeFile,
  ])
  .default("auto")
  .meta({
    description:
      "When a prediction of the shadow is as good as the answer: `equal`, the same `label`, within a tolerance, the same best classes, or what a function says. `auto`: the label where classes are predicted, else a tolerance of 0.001.",
    examples: ["label", { tolerance: 0.01 }, { topK: 3 }, "./compare.ts"],
  });

const verdict = z.strictObject({
  agreement: share().prefault("99%").meta({
    description: "Share of the predictions that agree at least, with 95 % confidence.",
  }),
  errors: share().prefault("0.5%").meta({
    description: "How many more of its predictions may fail, as a difference of shares.",
  }),
  latency: z.number().min(0.01).max(1000).default(1.2).meta({
    range: "0.01 to 1000",
    description: "Its 99th percentile of latency by that of what answers, at most.",
  }),
  pairs: z.int().min(1).max(1_000_000_000).default(1000).meta({
    unit: "pairs",
    description: "Pairs of predictions below which there is no verdict.",
  }),
  lengthMin: duration("0s", "365d").prefault("10m").meta({
    description: "Time before which there is none.",
  }),
  every: duration("1s", "1d").prefault("10s").meta({
    description: "How often the numbers are looked at.",
  }),
  exclude: z.boolean().default(true).meta({
    description: "Is a shadow stopped whose verdict is `exclude`?",
  }),
});

/** One of `traffic.shadow` of a service. */
export const shadow = z.strictObject({
  name: name.optional().meta({
    description:
      "Shown in metrics, in the log and by `millrace shadow`; absent: that of what it runs.",
  }),
  to: step.meta({ description: "What gets the copies: a model, a service or a step." }),
  percent: share().prefault("100%").meta({
    description: "Share of the requests that are copied.",
  }),
  compare,
  timeout: duration("1ms", "1h").optional().meta({
    description:
      "Longest time of a copy; absent: twice the 99th percentile of what answers, at least 1s, at most 10s.",
  }),
  concurrency: z.int().min(1).max(10_000).default(32).meta({
    unit: "requests",
    description: "Copies in work at a time, in each process.",
  }),
  queue: z.int().min(0).max(1_000_000).default(256).meta({
    unit: "requests",
    description: "Copies that wait, in each process; one more is left out.",
  }),
  verdict: verdict.prefault({}).meta({ description: "What it has to keep to." }),
});
