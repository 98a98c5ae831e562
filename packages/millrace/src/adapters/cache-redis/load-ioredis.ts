import { MillraceError } from "../../core/errors.ts";

type Ioredis = Pick<typeof import("ioredis"), "Redis">;

/**
 * The client of Redis and Valkey, which only those install who use it.
 * @throws NOT_IMPLEMENTED saying what to install.
 */
export async function loadIoredis(
  importModule: () => Promise<Ioredis> = () => import("ioredis"),
): Promise<Ioredis> {
  try {
    return await importModule();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new MillraceError(
      "NOT_IMPLEMENTED",
      'Cannot use a cache in Redis: package "ioredis" is not installed, run "npm install ioredis"',
      { cause },
    );
  }
}
