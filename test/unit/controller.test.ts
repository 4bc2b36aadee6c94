import "../support/offline.ts";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { installController } from "../../infra/gitops/controller.ts";
import type { Manifest } from "../../infra/gitops/manifests.ts";
import { recordRegistrations, register } from "../support/registrations.ts";

class Controller extends pulumi.ComponentResource {
  constructor(objects: readonly Manifest[]) {
    super("test:Controller", "cd");
    installController("cd", { name: "cd", labels: {} }, objects, this);
  }
}

const object = (kind: string): Manifest => ({ apiVersion: "v1", kind, metadata: { name: "it" } });

test("a controller's pods come after all that they need: Pulumi, waiting for some, may have no place left for it", async () => {
  const kinds = ["StatefulSet", "Deployment", "CustomResourceDefinition", "Role", "Service", "ConfigMap"];
  const run = () => register(() => new Controller(kinds.map(object)));
  const { registrations } = await recordRegistrations(run);
  const needs = Object.fromEntries(registrations.map(({ name, dependsOn }) => [name, dependsOn.toSorted()]));
  const needed = ["cd-configmap-it", "cd-customresourcedefinition-it", "cd-role-it", "cd-service-it"];
  for (const pods of ["cd-statefulset-it", "cd-deployment-it"])
    expect(needs[pods]).toEqual([...needed.slice(0, 2), "cd-namespace", ...needed.slice(2)]);
  for (const other of needed) expect(needs[other]).toEqual(["cd-namespace"]);
});

test("a controller's Service is not waited for: it has no address before there are pods, and these come last", async () => {
  const service = { ...object("Service"), metadata: { name: "it", annotations: { own: "kept" } } };
  const made: Record<string, { metadata?: unknown }> = {};
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => {
      made[name] = inputs;
      return { id: name, state: inputs };
    },
    call: () => ({}),
  });
  new Controller([service, object("Deployment")]);
  await pulumi.runtime.disconnect();
  expect(made["cd-service-it"]?.metadata).toMatchObject({
    annotations: { own: "kept", "pulumi.com/skipAwait": "true" },
  });
  expect(made["cd-deployment-it"]?.metadata).not.toHaveProperty("annotations");
});
