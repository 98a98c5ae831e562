/** Elements of the widest datatype must lie on a multiple of this to be read in place. */
const ALIGNMENT_BYTES = 8;

/**
 * A buffer for a body that arrives in parts.
 * @param jsonBytes length of the JSON in front of binary tensors, when the request says it: the tensors behind it
 * then lie aligned in memory, and no reader has to move them.
 * @returns `byteLength` bytes of any content, in memory that nothing else uses.
 */
export function bodyBuffer(byteLength: number, jsonBytes: string | undefined): Buffer {
  if (jsonBytes === undefined) return Buffer.allocUnsafeSlow(byteLength);
  const over = Number(jsonBytes) % ALIGNMENT_BYTES;
  const start = over > 0 ? ALIGNMENT_BYTES - over : 0;
  return Buffer.allocUnsafeSlow(start + byteLength).subarray(start);
}
