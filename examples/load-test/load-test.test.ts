import { describeReadme } from "../run-readme.ts";

describeReadme("load-test");
