/**
 * Values of kube-prometheus-stack: whatever namespace a stack runs in, its monitors, rules and dashboards are found,
 * by no more than their kind.
 */
export const prometheusValues = {
  prometheus: {
    prometheusSpec: {
      serviceMonitorSelectorNilUsesHelmValues: false,
      ruleSelectorNilUsesHelmValues: false,
      podMonitorSelectorNilUsesHelmValues: false,
      retention: "15d",
    },
  },
  grafana: {
    sidecar: { dashboards: { enabled: true, label: "grafana_dashboard", searchNamespace: "ALL" } },
    // A password that everybody knows is none: the chart makes one.
    adminPassword: null,
  },
};

/**
 * Values of Headlamp. It has no rights of its own (the chart's default is those of the cluster's admin): whoever
 * opens it signs in with a token, and sees what that token may see.
 */
export const headlampValues = {
  clusterRoleBinding: { create: false },
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 100,
    runAsGroup: 101,
    privileged: false,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  },
};
