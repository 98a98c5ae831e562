import { describeReadme } from "../run-readme.ts";

describeReadme("shadow-ab", { LC_ALL: "C.UTF-8" }); // for its bars
