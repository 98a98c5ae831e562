import { z } from "zod";

/** A value of the request: `header.x-user-id`, `cookie.session`, `query.page`, `body.customer.tier`, `jwt.sub`. */
export const requestValue = z
  .string()
  .max(256)
  .regex(/^(?:header|cookie|query|body|jwt)\.[^.](?:.*[^.])?$/)
  .meta({
    range: "header.<name>, cookie.<name>, query.<name>, body.<path> or jwt.<claim>",
    examples: ["header.x-user-id", "body.customer.tier"],
  });
