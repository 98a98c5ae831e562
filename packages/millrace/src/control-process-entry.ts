import { runControlProcess } from "./main.ts";

runControlProcess();
