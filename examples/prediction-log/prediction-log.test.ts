import { describeReadme } from "../run-readme.ts";

describeReadme("prediction-log");
