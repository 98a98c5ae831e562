import { userInfo } from "node:os";

/** Who runs this process. In a container, its user often has a number and no name. */
export function userName(read: () => { readonly username: string } = userInfo): string {
  try {
    return read().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
