import { z } from "zod";
import { WEEKDAYS } from "../core/rules/time-window.ts";
import { isTimeZone } from "../core/rules/time-zones.ts";
import { isSound } from "./schema-values.ts";

const TIME_OF_DAY = "(?:[01]\\d|2[0-3]):[0-5]\\d";

const date = z.iso.date().meta({ range: "a date such as 2026-12-31" });

/** `time` of a condition. */
export const timeWindow = z
  .strictObject({
    from: z
      .string()
      .regex(new RegExp(`^${TIME_OF_DAY}$`))
      .default("00:00")
      .meta({ live: true, range: "a time 00:00 to 23:59", description: "Begins then." }),
    to: z
      .string()
      .regex(new RegExp(`^(?:${TIME_OF_DAY}|24:00)$`))
      .default("24:00")
      .meta({
        live: true,
        range: "a time 00:00 to 24:00",
        description: "Ends before that; where it is the earlier of both, on the next day.",
      }),
    timeZone: z.string().refine(isTimeZone).meta({
      live: true,
      range: "an IANA time zone such as Europe/Berlin, Asia/Seoul or UTC",
      description: "Whose clocks count.",
    }),
    weekdays: z
      .array(z.enum(WEEKDAYS))
      .min(1)
      .optional()
      .meta({ live: true, description: "Days on which it begins; absent: all." }),
    fromDate: date
      .optional()
      .meta({ live: true, description: "First day on which it begins; absent: no first one." }),
    toDate: date
      .optional()
      .meta({ live: true, description: "Last day on which it begins; absent: no last one." }),
  })
  .refine(({ from, to }) => from !== to, {
    when: isSound,
    path: ["to"],
    message: 'the same as "from", expected another time; a whole day is 00:00 to 24:00',
  })
  .refine(({ fromDate = "", toDate = "9999-12-31" }) => fromDate <= toDate, {
    when: isSound,
    path: ["toDate"],
    message: 'before "fromDate", expected that day or a later one',
  });

export type WrittenTimeWindow = z.output<typeof timeWindow>;
