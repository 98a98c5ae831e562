import { createMillrace } from "millrace";

const source = `${import.meta.dirname}/../models/multi_input.onnx`;
const millrace = await createMillrace({ models: { parcel: source } });
const inputs = { measurements: [[40, 1, 15, 6.5]], region: [["île"]] };
const { prediction, label, model } = await millrace.predict("parcel", inputs);
console.log(model, label, prediction);
await millrace.close();
