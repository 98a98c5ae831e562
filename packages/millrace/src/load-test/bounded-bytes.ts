/**
 * Everything that a file or a pipe has, which may be one without an end.
 * @returns undefined where there are more bytes than `bytesMax`; nothing more is read then.
 */
export async function boundedBytes(
  pieces: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  const read: Uint8Array[] = [];
  let byteCount = 0;
  for await (const piece of pieces) {
    byteCount += piece.length;
    if (byteCount > bytesMax) return undefined;
    read.push(piece);
  }
  return Buffer.concat(read, byteCount);
}
