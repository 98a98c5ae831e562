import { describeReadme } from "../run-readme.ts";

describeReadme("prep-pred");
