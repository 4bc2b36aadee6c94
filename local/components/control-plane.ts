import { join } from "node:path";
import { probe } from "../http.ts";
import { kubeconfigPath, pkiPath } from "../pki.ts";
import type { ProcessSpec } from "../process.ts";
import { network, type Settings } from "../settings.ts";
import type { Tools } from "../tools.ts";
import { kubeconfigTls } from "./tls.ts";

export function apiServer(settings: Settings, tools: Tools): ProcessSpec {
  const pki = (file: string) => pkiPath(settings, file);
  const { ports } = settings;
  return {
    name: "kube-apiserver",
    command: join(tools.bin, "kube-apiserver"),
    args: [
      // All addresses, because pods come by the bridge's and the machine by 127.0.0.1, and the server takes one or
      // all. The chain SLIPWAY-INPUT refuses every other network.
      "--bind-address=0.0.0.0",
      `--advertise-address=${network.nodeAddress}`,
      `--secure-port=${ports.apiServer}`,
      `--cert-dir=${join(settings.runDir, "apiserver")}`,
      "--allow-privileged=true",
      "--anonymous-auth=false",
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      "--enable-bootstrap-token-auth=false",
      `--client-ca-file=${pki("ca.crt")}`,
      `--tls-cert-file=${pki("apiserver.crt")}`,
      `--tls-private-key-file=${pki("apiserver.key")}`,
      `--etcd-servers=https://127.0.0.1:${ports.etcd}`,
      `--etcd-cafile=${pki("etcd/ca.crt")}`,
      `--etcd-certfile=${pki("apiserver-etcd-client.crt")}`,
      `--etcd-keyfile=${pki("apiserver-etcd-client.key")}`,
      `--kubelet-client-certificate=${pki("apiserver-kubelet-client.crt")}`,
      `--kubelet-client-key=${pki("apiserver-kubelet-client.key")}`,
      "--kubelet-preferred-address-types=InternalIP",
      `--service-cluster-ip-range=${network.serviceCidr}`,
      `--service-account-issuer=https://kubernetes.default.svc.${network.clusterDomain}`,
      `--service-account-key-file=${pki("sa.pub")}`,
      `--service-account-signing-key-file=${pki("sa.key")}`,
      `--requestheader-client-ca-file=${pki("front-proxy-ca.crt")}`,
      "--requestheader-allowed-names=front-proxy-client",
      "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      "--requestheader-group-headers=X-Remote-Group",
      "--requestheader-username-headers=X-Remote-User",
      `--proxy-client-cert-file=${pki("front-proxy-client.crt")}`,
      `--proxy-client-key-file=${pki("front-proxy-client.key")}`,
      "--profiling=false",
      // By default a minute: so long whoever asks it would wait for an etcd that is no more.
      "--request-timeout=20s",
    ],
    ready: () =>
      probe({
        url: `https://127.0.0.1:${ports.apiServer}/readyz`,
        tls: kubeconfigTls(kubeconfigPath(settings, "admin")),
      }),
    deadline: 180,
  };
}

export function controllerManager(settings: Settings, tools: Tools): ProcessSpec {
  const pki = (file: string) => pkiPath(settings, file);
  const kubeconfig = kubeconfigPath(settings, "controller-manager");
  return {
    name: "kube-controller-manager",
    command: join(tools.bin, "kube-controller-manager"),
    args: [
      ...componentArgs(kubeconfig, settings.ports.controllerManager),
      `--cert-dir=${join(settings.runDir, "controller-manager")}`,
      `--client-ca-file=${pki("ca.crt")}`,
      `--requestheader-client-ca-file=${pki("front-proxy-ca.crt")}`,
      `--root-ca-file=${pki("ca.crt")}`,
      `--cluster-signing-cert-file=${pki("ca.crt")}`,
      `--cluster-signing-key-file=${pki("ca.key")}`,
      `--service-account-private-key-file=${pki("sa.key")}`,
      "--use-service-account-credentials=true",
      `--flex-volume-plugin-dir=${join(settings.stateDir, "kubelet/volume-plugins")}`,
      // Twenty requests a second, the default, stretch the start of some forty controllers to four seconds.
      "--kube-api-qps=200",
      "--kube-api-burst=400",
    ],
    ready: () => probe({ url: `https://127.0.0.1:${settings.ports.controllerManager}/healthz` }),
    deadline: 120,
  };
}

export function scheduler(settings: Settings, tools: Tools): ProcessSpec {
  const kubeconfig = kubeconfigPath(settings, "scheduler");
  return {
    name: "kube-scheduler",
    command: join(tools.bin, "kube-scheduler"),
    args: [
      ...componentArgs(kubeconfig, settings.ports.scheduler),
      `--cert-dir=${join(settings.runDir, "scheduler")}`,
    ],
    ready: () => probe({ url: `https://127.0.0.1:${settings.ports.scheduler}/readyz` }),
    deadline: 120,
  };
}

/** What the controller manager and the scheduler have in common. */
function componentArgs(kubeconfig: string, port: number): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    // There is one of each: electing a leader would cost a write every two seconds and up to 15 s at a restart.
    "--leader-elect=false",
    "--profiling=false",
  ];
}
