// node cdk8s.js OBJECTS OUT: what a cdk8s program does with the objects.
import { readFileSync } from "node:fs";
import { ApiObject, App, Chart } from "cdk8s";

const app = new App({ outdir: process.argv[3] });
const charts = new Map();
for (const object of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const workload = object.metadata.labels["app.kubernetes.io/name"];
  if (!charts.has(workload)) charts.set(workload, new Chart(app, workload));
  new ApiObject(charts.get(workload), object.kind, object);
}
app.synth();
