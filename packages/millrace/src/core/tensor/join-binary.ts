import { rawByteLength, writeRaw } from "./raw-tensor.ts";
import type { Tensor } from "./tensor.ts";

/** A body of the Open Inference Protocol, with or without its binary tensor extension. */
export interface JoinedBody {
  readonly bytes: string | Uint8Array;
  /** Bytes of the JSON at the front; undefined when there is nothing else. */
  readonly jsonBytes: number | undefined;
}

/**
 * The JSON before binary tensors ends on a multiple of this, filled up with spaces: whoever received the body can
 * read tensors of any type in place.
 */
const ALIGNMENT_BYTES = 8;

/** Puts tensors in raw form behind the JSON that describes them; without any it stays the text it is. */
export function joinBinary(json: string, tensors: readonly Tensor[]): JoinedBody {
  if (tensors.length === 0) return { bytes: json, jsonBytes: undefined };
  const length = Buffer.byteLength(json);
  const jsonBytes = Math.ceil(length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const size = tensors.reduce((sum, tensor) => sum + rawByteLength(tensor), jsonBytes);
  const bytes = Buffer.allocUnsafe(size);
  bytes.write(json);
  bytes.fill(" ", length, jsonBytes);
  let at = jsonBytes;
  for (const tensor of tensors) at = writeRaw(tensor, bytes, at);
  return { bytes, jsonBytes };
}
