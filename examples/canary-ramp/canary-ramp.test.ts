import { describeReadme } from "../run-readme.ts";

describeReadme("canary-ramp");
