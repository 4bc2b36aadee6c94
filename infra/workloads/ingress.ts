import type { types } from "@pulumi/kubernetes";
import { metadata } from "./labels.ts";
import type { Release } from "./release.ts";

/** The controller of AKS's application routing: the class of its Ingresses, and the namespace of its pods. */
export const appRouting = {
  className: "webapprouting.kubernetes.azure.com",
  namespace: "app-routing-system",
} as const;

/** Name of the Secret with the certificate, which the workload's SecretProviderClass keeps current. */
export function tlsSecretName(workload: string): string {
  return `${workload}-tls`;
}

/** The host name at which the workload answers by HTTPS, or nothing where it is reached otherwise. */
export function ingress(release: Release) {
  const { name, exposure, workload } = release;
  if (exposure.type !== "Ingress") return undefined;
  const [port] = Object.keys(workload.ports) as [string];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: metadata(release),
    spec: {
      ingressClassName: appRouting.className,
      tls: [{ hosts: [exposure.host], secretName: tlsSecretName(name) }],
      rules: [
        {
          host: exposure.host,
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name, port: { name: port } } } }],
          },
        },
      ],
    },
  } satisfies types.input.networking.v1.Ingress;
}
