import { describeReadme } from "../run-readme.ts";

describeReadme("replay");
