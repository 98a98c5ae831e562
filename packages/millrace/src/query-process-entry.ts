import { runQueryProcess } from "./query-main.ts";

runQueryProcess();
