import { FEEDBACK_ENTRIES_MAX } from "../../core/feedback/read-feedback.ts";
import { jsonContent, object, PROBLEM_RESPONSES, type Json } from "./openapi-parts.ts";

const SCALAR = { type: ["string", "number", "boolean"] };

const ENTRY = {
  type: "object",
  description: "About a prediction, or about an entity at a time; a label or an event",
  properties: {
    prediction_id: {
      type: "string",
      description: "As in x-prediction-id; `<id>#<row>` of several",
    },
    entity_id: { type: "string", description: "Whom the last prediction by `ts` was for" },
    ts: {
      type: "string",
      description: "When it happened; default: now",
      examples: ["1795276800s"],
    },
    label: { oneOf: [SCALAR, { type: "array", items: SCALAR }], description: "What was right" },
    event: { type: "string", description: "What the client did" },
    value: { type: "number", description: "Of the event" },
    source: { type: "string", description: "Who says so" },
  },
  additionalProperties: true,
};

const ID = { type: "string" };

/** What becomes known of predictions later, sent to a service. */
export function feedbackOperation(tag: string, label: string | undefined): Json {
  const example = {
    prediction_id: "01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7",
    label: label ?? 1,
    source: "review",
  };
  const list = { type: "array", items: ENTRY, minItems: 1, maxItems: FEEDBACK_ENTRIES_MAX };
  const written = {
    description: "It is written; sent again it has the same id",
    content: {
      "application/json": {
        schema: {
          oneOf: [
            object({ feedback_id: ID }),
            object({ feedback_ids: { type: "array", items: ID } }),
          ],
        },
      },
    },
  };
  return {
    post: {
      tags: [tag],
      summary: "Say what was right, or what the client did",
      parameters: [{ name: "Idempotency-Key", in: "header", schema: { type: "string" } }],
      requestBody: jsonContent({ schema: { oneOf: [ENTRY, list] }, example }),
      responses: { "202": written, ...PROBLEM_RESPONSES },
    },
  };
}
