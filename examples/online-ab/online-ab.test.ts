import { describeReadme } from "../run-readme.ts";

describeReadme("online-ab");
