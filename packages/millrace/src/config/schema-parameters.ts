import { z } from "zod";
import { name } from "./schema-values.ts";

/** Most branches that are switched, or have a threshold, in one service. */
const BRANCHES_MAX = 256;

const active = z.boolean().meta({ live: true });

/** `services.<name>.parameters` of the file. */
export const parameters = z.strictObject({
  activate: z
    .union([active, mapOf(active)])
    .default(true)
    .meta({
      live: true,
      description:
        "Does the service predict? An object switches branches of its parallels, by name. Below the file: `ACTIVATE_<BRANCH>`, 0 or 1.",
      examples: [false, { virginica: false }],
    }),
  deactivated: z
    .union([
      z.literal([503, "503", "omit", "observe"]),
      z.strictObject({
        fallback: name.meta({ live: true, description: "Model or service that answers." }),
      }),
    ])
    .default(503)
    .meta({
      live: true,
      description:
        "When the service is off: `503` refuses, `{ fallback: <name> }` lets another model or service answer. A branch that is off is left out, with `observe` it is called and only its answer is left out.",
      examples: ["observe", { fallback: "small" }],
    }),
  thresholds: mapOf(z.number().meta({ live: true }))
    .optional()
    .meta({
      live: true,
      description:
        "Scores from which on a branch of `combine: each` answers 1, else 0, by branch; `default` is that of the others, 0.95 when it is absent. Without thresholds it answers its prediction. Below the file: `THRESHOLD_<BRANCH>`, `DEFAULT_THRESHOLD`.",
      examples: [{ default: 0.95, setosa: 0.9 }],
    }),
  retries: z.int().min(0).max(10).default(0).meta({
    live: true,
    unit: "retries",
    description:
      "Times a step that failed for a reason that may pass is tried again, within the deadline.",
  }),
});

function mapOf<T extends z.ZodType>(value: T) {
  return z
    .record(name, value)
    .refine(
      (map) => Object.keys(map).length <= BRANCHES_MAX,
      `found too many names, expected at most ${BRANCHES_MAX}`,
    );
}
