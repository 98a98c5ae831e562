import { z } from "zod";
import { duration, name, share } from "./schema-values.ts";

/** Most steps of a ramp. */
const STEPS_MAX = 32;

const hold = duration("0s", "365d");
const units = z.int().min(0).max(1_000_000_000);

const rampStep = z
  .union([
    share(),
    z.strictObject({
      coverage: share().meta({ description: "Share of the units that take part." }),
      hold: hold.optional().meta({ description: "As `ramp.hold`, for this step." }),
      units: units.optional().meta({
        unit: "units",
        description: "As `ramp.units`, for this step.",
      }),
      approval: z.boolean().optional().meta({ description: "As `ramp.approval`, for this step." }),
    }),
  ])
  .meta({ shortFor: "coverage" });

/** `ramp` of an experiment. */
export const ramp = z.strictObject({
  steps: z
    .array(rampStep)
    .min(1)
    .max(STEPS_MAX)
    .prefault(["2%", "10%", "20%", "50%", "100%"])
    .meta({
      description: "Coverages in their order, each larger than the one before.",
      examples: [["2%", { coverage: "50%", hold: "1d", approval: true }, "100%"]],
    }),
  hold: hold.prefault("1h").meta({ description: "Shortest time of a step." }),
  units: units.default(100).meta({
    unit: "units",
    description: "Units that each arm has at least before the next step.",
  }),
  approval: z.boolean().default(false).meta({
    description: "Does somebody have to say `millrace experiment approve` before the next step?",
  }),
  start: z.enum(["auto", "manual"]).default("auto").meta({
    description:
      "`auto` starts as soon as all arms are ready, `manual` with `millrace experiment start`; before that everyone gets the control arm.",
  }),
  after: name.optional().meta({
    description: "Shadow of the service whose verdict has to be `pass` before the ramp starts.",
  }),
  promote: z.enum(["auto", "approval", "off"]).default("auto").meta({
    description:
      "When the decision is `ship` at the last step: all traffic goes to the winner, or does so after `millrace experiment approve`, or nothing changes.",
  }),
  noData: z.enum(["hold", "fail", "pass"]).default("hold").meta({
    description:
      "When no prediction of the experiment comes for `grace`: the ramp waits and says so, rolls back, or goes on.",
  }),
  grace: duration("1s", "30d").prefault("24h").meta({
    description: "Time without data after which `noData` holds.",
  }),
});
