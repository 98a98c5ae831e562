import { z } from "zod";
import { GLOB_LENGTH_MAX } from "../core/rules/glob.ts";
import { isNotEmpty, isSound } from "./schema-values.ts";

/** Most values of one `oneOf`. */
const ONE_OF_MAX = 100;

const TESTS_TEXT = "equals, oneOf, prefix, matches, exists, atLeast, atMost, above, below";

// Each says in words what it is: of bare types zod makes one `type` with a list, which no problem could word.
const text = z.string().meta({ range: "text" });
const number = z.number().meta({ range: "a number" });
const boolean = z.boolean().meta({ range: "true or false" });
const nothing = z.null().meta({ range: "null" });

/** Of a header, a parameter, …: what it equals is compared as text. Of the elements of a tensor: as they are. */
export const textTest = valueTest(z.union([text, number, boolean]));

/** Of a value in a JSON body. `null` has no short form: it is too easily written by leaving a value out. */
export const bodyTest = valueTest(z.union([text, number, boolean, nothing]));

/** Of any of them. */
export type WrittenValueTest = z.output<typeof bodyTest>;

/** A value, a list of values, or an object of tests that must all hold. */
function valueTest<T extends z.ZodType>(value: T) {
  const bound = z.number().optional();
  const tests = z
    .strictObject({
      equals: value.optional().meta({ live: true, description: "It is this." }),
      oneOf: listOf(value).optional().meta({ live: true, description: "It is one of these." }),
      prefix: z
        .string()
        .min(1)
        .optional()
        .meta({ live: true, description: "It is a text that begins so." }),
      matches: z
        .string()
        .min(1)
        .max(GLOB_LENGTH_MAX)
        .optional()
        .meta({
          live: true,
          range: `a pattern of 1 to ${GLOB_LENGTH_MAX} characters, in which * is any text and ? any character`,
          description:
            "It is a text like this, in which `*` stands for any text and `?` for one character.",
          examples: ["moun*n"],
        }),
      exists: z.boolean().optional().meta({ live: true, description: "It is there, or not." }),
      atLeast: bound.meta({ live: true, description: "It is a number, this or more." }),
      atMost: bound.meta({ live: true, description: "It is a number, this or less." }),
      above: bound.meta({ live: true, description: "It is a number above this." }),
      below: bound.meta({ live: true, description: "It is a number below this." }),
    })
    .refine(isNotEmpty, {
      when: isSound,
      message: `found an empty object, expected one of ${TESTS_TEXT}`,
    });
  return z.union([text, number, boolean, listOf(value), tests]);
}

function listOf<T extends z.ZodType>(value: T) {
  return z
    .array(value)
    .min(1)
    .max(ONE_OF_MAX)
    .meta({ range: `a list of 1 to ${ONE_OF_MAX} values` });
}
