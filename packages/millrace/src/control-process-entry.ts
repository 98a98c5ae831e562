import { runControlProcess } from "./control-main.ts";

runControlProcess();
