import { runServeProcess } from "./main.ts";

runServeProcess();
