import * as pulumi from "@pulumi/pulumi";

/** A Kubernetes object of any kind, with Inputs in it. */
export interface KubernetesArgs {
  readonly apiVersion: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

/**
 * A Kubernetes object whose kind is known at run time only, as the Pulumi resource of its kind. The provider of
 * Kubernetes takes any `apiVersion` and `kind`; its own components for YAML register nothing under Pulumi's mocks.
 */
export class KubernetesObject extends pulumi.CustomResource {
  constructor(name: string, object: KubernetesArgs, opts?: pulumi.CustomResourceOptions) {
    const { apiVersion, kind } = object;
    const group = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
    super(`kubernetes:${group}:${kind}`, name, object, opts);
  }
}
