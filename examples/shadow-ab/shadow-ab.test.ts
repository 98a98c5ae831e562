import { describeReadme } from "../run-readme.ts";

describeReadme("shadow-ab");
