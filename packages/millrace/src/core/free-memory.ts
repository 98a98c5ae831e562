/** Smaller memory is not worth a call: the next young collection frees it. */
export const FREED_BYTES_MIN = 16_384;

/**
 * Frees the memory of `bytes` now, not at the next collection: buffers of megabytes are a few bytes to the garbage
 * collector, which lets them pile up, and then collects everything because of them. Nothing may use the memory any
 * more, through this view or another one; all of them are empty afterwards.
 */
export function freeMemory(bytes: ArrayBufferView): void {
  if (bytes.byteLength < FREED_BYTES_MIN) return; // asked first: a small one has no buffer before somebody asks for it
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer)) return;
  try {
    buffer.transfer(0);
  } catch {
    // Memory that others share, such as Node's pool of small buffers, is locked against this: it stays.
  }
}
