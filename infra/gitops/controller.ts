import type * as pulumi from "@pulumi/pulumi";
import type { Manifest } from "./manifests.ts";
import { KubernetesObject } from "./resource.ts";

const clusterScoped = ["CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"];

/**
 * An object of a controller's release where it is installed: in its namespace, or in none.
 *
 * @param ownerLabel by which its owner finds it again: the recommended labels are the release's
 */
export function placed(
  manifest: Manifest,
  namespace: string,
  ownerLabel: { readonly [key: string]: string },
): Manifest {
  const { metadata, kind } = manifest;
  return {
    ...manifest,
    metadata: {
      ...metadata,
      ...(clusterScoped.includes(kind) ? {} : { namespace }),
      labels: { ...metadata.labels, ...ownerLabel },
    },
  };
}

export interface ControllerNamespace {
  readonly name: string;
  /** Labels of the stack that installs the controller. */
  readonly labels: { readonly [key: string]: string };
}

/** Installs a controller as children of a component: its own namespace, and in it the objects of its release. */
export function installController(
  name: string,
  namespace: ControllerNamespace,
  objects: readonly Manifest[],
  parent: pulumi.Resource,
): pulumi.Resource[] {
  const own = new KubernetesObject(
    `${name}-namespace`,
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: namespace.name,
        labels: { ...namespace.labels, "pod-security.kubernetes.io/enforce": "restricted" },
      },
    },
    { parent },
  );
  const inIt = objects.map(
    (object) =>
      new KubernetesObject(`${name}-${object.kind}-${object.metadata.name}`.toLowerCase(), object, {
        parent,
        dependsOn: [own],
      }),
  );
  return [own, ...inIt];
}
