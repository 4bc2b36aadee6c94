import { ApiextensionsV1Api, CustomObjectsApi, KubeConfig } from "@kubernetes/client-node";
import { readDescriptor } from "../../../local/descriptor.ts";

const group = "secrets-store.csi.x-k8s.io";
const plural = "secretproviderclasses";

/** What the Secrets Store CSI driver is told to mount. */
export interface SecretProviderClass {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly parameters: Record<string, string> };
}

function config(): KubeConfig {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromFile(readDescriptor().kubeconfig);
  return kubeconfig;
}

const strings = { type: "object", additionalProperties: { type: "string" } };
const list = (properties: object) => ({ type: "array", items: { type: "object", properties } });
const text = { type: "string" };

/** Makes the driver's kind known to the embedded cluster, with its schema but without the driver; returns how to undo that. */
export async function defineSecretProviderClasses(): Promise<() => Promise<void>> {
  const api = config().makeApiClient(ApiextensionsV1Api);
  const name = `${plural}.${group}`;
  await api.createCustomResourceDefinition({
    body: {
      metadata: { name },
      spec: {
        group,
        scope: "Namespaced",
        names: { kind: "SecretProviderClass", plural, singular: "secretproviderclass" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: "object",
                properties: {
                  spec: {
                    type: "object",
                    properties: {
                      provider: text,
                      parameters: strings,
                      secretObjects: list({
                        secretName: text,
                        type: text,
                        labels: strings,
                        annotations: strings,
                        data: list({ objectName: text, key: text }),
                      }),
                    },
                  } as never,
                },
              },
            },
          },
        ],
      },
    },
  });
  return async () => {
    await api.deleteCustomResourceDefinition({ name });
  };
}

export async function secretProviderClasses(namespace: string): Promise<SecretProviderClass[]> {
  const api = config().makeApiClient(CustomObjectsApi);
  const { items } = (await api.listNamespacedCustomObject({ group, version: "v1", namespace, plural })) as {
    items: SecretProviderClass[];
  };
  return items;
}
