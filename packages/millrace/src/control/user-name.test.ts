import { userInfo } from "node:os";
import { expect, it } from "vitest";
import { userName } from "./user-name.ts";

it("userName() gives the number of a user without a name", () => {
  const nameless = (): never => {
    throw new Error("uv_os_get_passwd returned ENOENT");
  };
  expect(userName(nameless)).toMatch(/^uid \d+$/);
  expect(userName()).toBe(userInfo().username);
});
