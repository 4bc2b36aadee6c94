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

/** Kinds that are made in this order: what nothing else can be without, and what is ready when its pods are. */
const first = ["Namespace"];
const last = ["DaemonSet", "Deployment", "Job", "StatefulSet"];

/** Its pods are waited for with what makes them. */
function withoutAwait(manifest: Manifest): Manifest {
  if (manifest.kind !== "Service") return manifest;
  const { metadata } = manifest;
  return {
    ...manifest,
    metadata: { ...metadata, annotations: { ...metadata.annotations, "pulumi.com/skipAwait": "true" } },
  };
}

/**
 * Makes the objects of a controller's release as children of a component, those with pods last: Pulumi does some
 * things at a time, on two processors eight, and as many that wait for pods would keep back the roles and definitions
 * without which none starts.
 *
 * @param namespaces those that the release does not bring itself
 * @returns all of them, namespaces before all others
 */
export function installObjects(
  name: string,
  objects: readonly Manifest[],
  parent: pulumi.Resource,
  namespaces: readonly pulumi.Resource[] = [],
): pulumi.Resource[] {
  const stages = [
    objects.filter(({ kind }) => first.includes(kind)),
    objects.filter(({ kind }) => !first.includes(kind) && !last.includes(kind)),
    objects.filter(({ kind }) => last.includes(kind)),
  ];
  const all = [...namespaces];
  for (const stage of stages) {
    const dependsOn = [...all];
    for (const object of stage) {
      const own = `${name}-${object.kind}-${object.metadata.name}`.toLowerCase();
      all.push(new KubernetesObject(own, withoutAwait(object), { parent, dependsOn }));
    }
  }
  return all;
}

/** Installs a controller as children of a component: its own namespace, and in it the objects of its release. */
export function installController(
  name: string,
  namespace: ControllerNamespace,
  objects: readonly Manifest[],
  parent: pulumi.Resource,
): pulumi.Resource[] {
  const labels = { ...namespace.labels, "pod-security.kubernetes.io/enforce": "restricted" };
  const own = new KubernetesObject(
    `${name}-namespace`,
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace.name, labels } },
    { parent },
  );
  return installObjects(name, objects, parent, [own]);
}
