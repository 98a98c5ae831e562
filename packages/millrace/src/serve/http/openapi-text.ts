import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import { FORM_MEDIA_TYPE, IMAGE_MEDIA_TYPES, takesImage } from "./image-body.ts";
import { object, type Json } from "./openapi-parts.ts";

const FILE_SCHEMA = { type: "string", format: "binary" };

/**
 * The request of a service that takes one text a row, a key or a picture: by its name, and a picture as it is as well.
 * @returns undefined when the service takes something else.
 */
export function textRequest(
  inputs: readonly TensorSpec[],
  sample: readonly Tensor[] | undefined,
): Json | undefined {
  const input = inputs[0];
  if (input?.datatype !== "BYTES" || inputs.length > 1 || input.shape.length !== 1)
    return undefined;
  const isImage = takesImage(inputs);
  const text = isImage
    ? { type: "string", contentEncoding: "base64", description: "JPEG, PNG or WebP" }
    : { type: "string" };
  const rows = { type: "array", items: text, minItems: 1 };
  const schema = object({ [input.name]: { oneOf: [text, rows] } });
  const texts = sample?.[0]?.data as readonly string[] | undefined;
  const value = texts?.length === 1 ? texts[0] : texts;
  const json = value === undefined ? { schema } : { schema, example: { [input.name]: value } };
  const files = isImage ? imageContents(input.name) : {};
  return { required: true, content: { "application/json": json, ...files } };
}

function imageContents(name: string): Json {
  const form = { schema: object({ [name]: FILE_SCHEMA }) };
  const contents = IMAGE_MEDIA_TYPES.map((type) => [type, { schema: FILE_SCHEMA }] as const);
  return { ...Object.fromEntries(contents), [FORM_MEDIA_TYPE]: form };
}
