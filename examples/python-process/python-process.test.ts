import { testPython } from "../../tools/test-venv.ts";
import { describeReadme } from "../run-readme.ts";

process.env["PYTHON"] = testPython();
// The packages are installed without compiled modules: what the first start compiles, the others need not.
process.env["PYTHONDONTWRITEBYTECODE"] = "";

describeReadme("python-process");
