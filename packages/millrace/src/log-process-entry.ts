import { runLogProcess } from "./log-main.ts";

runLogProcess();
