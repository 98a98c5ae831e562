import { MillraceError } from "../../core/errors.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import { readBody } from "./content-encoding.ts";
import type { Exchange } from "./exchange.ts";
import { isJsonMediaType, mediaTypeOf } from "./json-body.ts";
import { readMultipartFile } from "./multipart-file.ts";

/** Input of image steps: a service that takes nothing else may be sent a picture as it is. */
const IMAGE_INPUT = "image_data";

export const IMAGE_MEDIA_TYPES = ["image/jpeg", "image/png", "image/webp"] as const;
export const FORM_MEDIA_TYPE = "multipart/form-data";

/** Does what takes these inputs take a picture as a body? */
export function takesImage(inputs: readonly TensorSpec[]): boolean {
  const input = inputs[0];
  return (
    input?.name === IMAGE_INPUT &&
    inputs.length === 1 &&
    input.datatype === "BYTES" &&
    input.shape.length === 1
  );
}

/**
 * The one row of a body that is a picture, or a form with the file of one.
 * @returns undefined when the body is something else, for others to read; a promise only of one that is decoded first.
 * @throws UNSUPPORTED_MEDIA_TYPE for a body that is neither JSON nor a picture, where pictures are taken;
 * INVALID_BODY for an empty one or a wrong form; what `readBody` throws.
 */
export function imageRows(
  exchange: Exchange,
  inputs: readonly TensorSpec[],
): readonly Tensor[] | Promise<readonly Tensor[]> | undefined {
  if (!takesImage(inputs)) return undefined;
  const mediaType = mediaTypeOf(exchange);
  if (isJsonMediaType(mediaType)) return undefined;
  const isImage = (IMAGE_MEDIA_TYPES as readonly string[]).includes(mediaType);
  if (!isImage && mediaType !== FORM_MEDIA_TYPE) throw unsupported(mediaType);
  const read = (body: Uint8Array): readonly Tensor[] => {
    if (body.length === 0) throw empty();
    const contentType = exchange.header("content-type") ?? "";
    return [rowOf(isImage ? body : readMultipartFile(body, contentType).bytes)];
  };
  const body = readBody(exchange);
  return body instanceof Uint8Array ? read(body) : body.then(read);
}

/** As if it had come as JSON: steps know one form only. */
function rowOf(picture: Uint8Array): Tensor {
  const { buffer, byteOffset, byteLength } = picture;
  const text = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
  return { name: IMAGE_INPUT, datatype: "BYTES", shape: [1], data: [text] };
}

function unsupported(mediaType: string): MillraceError {
  const accepted = ["application/json", ...IMAGE_MEDIA_TYPES].join(", ");
  const message = `content-type is "${mediaType}", expected ${accepted} or ${FORM_MEDIA_TYPE}`;
  return new MillraceError("UNSUPPORTED_MEDIA_TYPE", `Cannot read the body: ${message}`, {
    problems: [{ location: ["header", "content-type"], message, type: "media_type" }],
  });
}

function empty(): MillraceError {
  const message = "the body is empty, expected a picture";
  return new MillraceError("INVALID_BODY", `Cannot read body: ${message}`, {
    problems: [{ location: ["body"], message, type: "body" }],
  });
}
