import { stringify } from "yaml";
import { network } from "../settings.ts";

/**
 * What the cluster needs in itself before anything is delivered to it, as YAML: the API server's right to ask
 * kubelets (for logs and exec), volumes and DNS.
 *
 * @param dnsImage reference of a loaded CoreDNS image
 * @param forward whether the machine has a resolver that pods can use
 */
export function clusterObjects(dnsImage: string, forward: boolean): string {
  const objects = [
    kubeletAccess,
    ...volumeObjects,
    ...dnsAccess,
    dnsConfig(forward),
    dnsDeployment(dnsImage, forward),
    dnsService,
  ];
  return objects.map((object) => stringify(object)).join("---\n");
}

// kubeadm puts the API server's client certificate for kubelets in this group, and this binding gives it its rights.
const kubeletAccess = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "kubeadm:cluster-admins" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
  subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "kubeadm:cluster-admins" }],
};

/** Name of the provisioner in the StorageClass. */
export const volumeProvisioner = "slipway.dev/directory";

const volumeObjects = [
  {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "directory", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: volumeProvisioner,
    volumeBindingMode: "WaitForFirstConsumer",
    reclaimPolicy: "Delete",
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "slipway:volumes" },
    roleRef: {
      apiGroup: "rbac.authorization.k8s.io",
      kind: "ClusterRole",
      name: "system:persistent-volume-provisioner",
    },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "slipway:volumes" }],
  },
];

const labels = { "k8s-app": "kube-dns" };
const dns = { name: "coredns", namespace: "kube-system" };

const dnsAccess = [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: dns },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "system:coredns" },
    rules: [
      {
        apiGroups: [""],
        resources: ["endpoints", "services", "pods", "namespaces"],
        verbs: ["list", "watch"],
      },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "system:coredns" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:coredns" },
    subjects: [{ kind: "ServiceAccount", ...dns }],
  },
];

function dnsConfig(forward: boolean) {
  const Corefile = `.:53 {
    errors
    health {
      lameduck 5s
    }
    ready
    kubernetes ${network.clusterDomain} in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
${forward ? "    forward . /etc/resolv.conf\n" : ""}    cache 30
    loop
    loadbalance
}
`;
  return { apiVersion: "v1", kind: "ConfigMap", metadata: dns, data: { Corefile } };
}

function dnsDeployment(image: string, forward: boolean) {
  const port = (name: string, containerPort: number, protocol = "TCP") => ({ name, containerPort, protocol });
  const probe = (path: string, at: number) => ({
    httpGet: { path, port: at },
    periodSeconds: 5,
    timeoutSeconds: 5,
  });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...dns, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        // The configuration is read once: a change of it has to change the pod.
        metadata: { labels, annotations: { "slipway.dev/forward": String(forward) } },
        spec: {
          serviceAccountName: dns.name,
          priorityClassName: "system-cluster-critical",
          // The machine's resolver, not the service that this pod is behind.
          dnsPolicy: "Default",
          containers: [
            {
              name: "coredns",
              image,
              imagePullPolicy: "Never",
              args: ["-conf", "/etc/coredns/Corefile"],
              ports: [port("dns", 53, "UDP"), port("dns-tcp", 53), port("metrics", 9153)],
              resources: { requests: { cpu: "50m", memory: "40Mi" }, limits: { memory: "170Mi" } },
              livenessProbe: { ...probe("/health", 8080), initialDelaySeconds: 30, failureThreshold: 5 },
              readinessProbe: { ...probe("/ready", 8181), periodSeconds: 2 },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
              },
              volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
            },
          ],
          volumes: [{ name: "config", configMap: { name: dns.name } }],
        },
      },
    },
  };
}

const dnsService = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "kube-dns", namespace: dns.namespace, labels },
  spec: {
    clusterIP: network.dnsService,
    selector: labels,
    ports: [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "dns-tcp", port: 53, protocol: "TCP" },
    ],
  },
};
