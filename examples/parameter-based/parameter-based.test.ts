import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess, runMillrace } from "../../test/e2e/millrace-process.ts";
import { postJson } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("parameter-based");

const SETOSA = [[5.1, 3.5, 1.4, 0.2]];
const ALL_ON = { setosa: 1, versicolor: 0, virginica: 0 };

describe("parameter-based", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("parameter-based");
    millrace = await MillraceProcess.start(["up", example.path]);
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  const ask = (service: string, { url } = millrace) =>
    postJson<Readonly<Record<string, unknown>>>(`${url}/services/${service}/predict`, {
      data: SETOSA,
    });

  async function change(...words: readonly string[]): Promise<void> {
    const { code, stderr } = await runMillrace([...words, "--url", millrace.facts.control ?? ""]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  }

  it("answers every process's requests with what was set, until it is unset", async () => {
    await change("set", "services.iris.parameters.activate=true", "--for", "1h");
    for (let request = 0; request < 20; request++) {
      expect((await ask("iris")).body).toEqual(ALL_ON);
    }
    await change("unset", "services.iris.parameters.activate");
    for (let request = 0; request < 20; request++) {
      expect((await ask("iris")).body).toEqual({ setosa: 1, versicolor: 0 });
    }
  });

  it("says yes or no by the threshold in force", async () => {
    await change("set", "services.iris.parameters.thresholds.setosa=0.99");
    expect((await ask("iris")).body["setosa"]).toBe(0);
    await change("unset", "services.iris.parameters.thresholds.setosa");
    expect((await ask("iris")).body["setosa"]).toBe(1);
  });

  it("keeps what was set over a restart", async () => {
    await change("set", "services.iris.parameters.activate=false", "--reason", "a bad day");
    await millrace.stop();
    millrace = await MillraceProcess.start(["up", example.path]);
    const { status, body } = await ask("iris");
    expect([status, body["code"]]).toEqual([503, "DEACTIVATED"]);
    await change("unset", "services.iris.parameters.activate");
    expect((await ask("iris")).status).toBe(200);
  });

  it("takes switches and thresholds from the environment where the file says nothing", async () => {
    const env = { ACTIVATE_VERSICOLOR: "0", THRESHOLD_SETOSA: "0.99" };
    await using other = await MillraceProcess.start(["serve", example.path], { env });
    expect((await ask("by-environment", other)).body).toEqual({ setosa: 0, virginica: 0 });
    expect((await ask("iris", other)).body).toEqual({ setosa: 1 }); // 0.9 in the file; nothing of versicolor
  });
});
