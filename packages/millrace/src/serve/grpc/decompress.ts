import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { MillraceError } from "../../core/errors.ts";
import { messageTooLarge } from "./message-frames.ts";

/** Encodings that messages may have, as `grpc-accept-encoding` lists them. */
export const ENCODINGS = "identity,deflate,gzip";

const INFLATERS = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/**
 * @param encoding of the call: `grpc-encoding`.
 * @throws NOT_IMPLEMENTED for another encoding, BODY_TOO_LARGE for a message that grows beyond the limit.
 */
export async function decompress(
  message: Buffer,
  encoding: string | undefined,
  messageBytesMax: number,
): Promise<Buffer> {
  if (encoding !== "gzip" && encoding !== "deflate") {
    const found = encoding === undefined ? "no grpc-encoding" : JSON.stringify(encoding);
    throw new MillraceError(
      "NOT_IMPLEMENTED",
      `Cannot read the message: it is compressed and the call has ${found}, expected one of ${ENCODINGS}`,
    );
  }
  try {
    return await INFLATERS[encoding](message, { maxOutputLength: messageBytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw messageTooLarge(messageBytesMax);
    }
    throw new MillraceError("MALFORMED_REQUEST", `Cannot read the message: it is not ${encoding}`);
  }
}
