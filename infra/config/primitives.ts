import { z } from "zod";

/** RFC 1123 label: what Kubernetes takes as the name of a namespace, Service or container. */
export const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    "must be a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit",
  )
  .max(63, "must be a DNS label of at most 63 characters");

/** A TCP port, 1 to 65535. */
export const port = z
  .int("must be a whole number")
  .min(1, "must be a port from 1 to 65535")
  .max(65535, "must be a port from 1 to 65535");

/** A port in the API server's default `--service-node-port-range`. */
export const nodePort = z
  .int("must be a whole number")
  .min(30000, "must be a NodePort from 30000 to 32767")
  .max(32767, "must be a NodePort from 30000 to 32767");

/** The path part of an image reference, without a tag, by the OCI distribution specification. */
export const imageRepository = z
  .string()
  .regex(
    /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/,
    "must be an image name: lower-case letters, digits and single separators (. _ __ - /)",
  );

/** An image reference as a Dockerfile's FROM takes it. */
export const imageReference = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._:/-]*(:[\w][\w.-]{0,127})?(@sha256:[a-f0-9]{64})?$/,
    "must be an image reference such as node:24-bookworm-slim, in lower case",
  );

/** An image by its digest: `registry/name@sha256:…`. */
export const digestReference = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.:-]*(\/[a-z0-9._-]+)+@sha256:[a-f0-9]{64}$/,
    "must be registry/name@sha256:… with 64 hexadecimal digits",
  );

/** A build's number: both an image tag and a label value. */
export const buildNumber = z
  .string()
  .regex(
    /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/,
    "must be at most 63 letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit",
  );

/** A registry's host, with a port where it is not 443: `myregistry.azurecr.io`, `127.0.0.1:5000`. */
export const registryServer = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/,
    "must be a registry's host name, with :port if need be, and without https:// or a path",
  )
  .refine((server) => {
    const given = Number(/:(\d+)$/.exec(server)?.[1] ?? 443);
    return given >= 1 && given <= 65535;
  }, "must have a port from 1 to 65535");

/** The name of an environment variable (POSIX). */
export const environmentName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    "must be an environment variable's name: letters, digits and underscores, not beginning with a digit",
  );

const quantityPattern = /^\d+(\.\d+)?([eE][+-]?\d+|m|[kMGTPE]|[KMGTPE]i)?$/;

function quantity(example: string, pattern: RegExp = quantityPattern) {
  return z
    .string(`must be a Kubernetes quantity as a string, such as "${example}"`)
    .regex(pattern, `must be a Kubernetes quantity such as "${example}"`);
}

/** Processor time in cores: `250m` is a quarter of one. */
export const cpu = quantity("250m", /^(\d+m|\d+(\.\d{1,3})?)$/);

/** Bytes: `128Mi` is 128 × 2^20. */
export const memory = quantity("128Mi", /^\d+(\.\d+)?([eE][+-]?\d+|[kMGTPE]|[KMGTPE]i)?$/);

const decimalSuffixes = "kMGTPE";

/** The number that a Kubernetes quantity stands for: `1.5Ki` is 1536. */
function amount(quantity: string): number {
  const [, digits, prefix = "", binary = ""] = /^(.*?\d)([kKMGTPEm]?)(i?)$/.exec(quantity) ?? [];
  const number = Number(digits);
  // Dividing, unlike multiplying by 0.001, makes 300m exactly 0.3.
  if (prefix === "m") return number / 1000;
  const power = decimalSuffixes.indexOf(prefix === "K" ? "k" : prefix) + 1;
  return prefix === "" ? number : number * (binary === "i" ? 1024 : 1000) ** power;
}

/** Compares two Kubernetes quantities: negative when `a` is less than `b`, zero when they are equal. */
export function compareQuantities(a: string, b: string): number {
  return amount(a) - amount(b);
}

/** A stack in full: `organization/project/stack`. */
export const stackName = z
  .string()
  .regex(
    /^[^/\s]+\/[^/\s]+\/[^/\s]+$/,
    "must be organization/project/stack (organization is 'organization' in a backend of your own)",
  );

/** A block of IPv4 addresses. */
export const cidr = z.cidrv4("must be an IPv4 CIDR such as 203.0.113.0/24");

/** A path in a container. */
export const absolutePath = z.string().regex(/^\//, "must be an absolute path");

/** What a ConfigMap takes as the name of a file. */
export const fileName = z
  .string()
  .regex(/^[-._a-zA-Z0-9]{1,253}$/, "must be a file name: letters, digits, dots, dashes and underscores");

/** A string that is set by `pulumi config set --secret` and never shown. */
export const secretString = z.string().min(1, "must not be empty").meta({ secret: true });

/** Of credentials that a run can rotate. */
export const generation = z
  .int("must be a whole number")
  .min(1, "must be 1 or more")
  .default(1)
  .describe(
    "Generation of the workloads' users and passwords. Raise it to rotate them; those of the generation before stay valid.",
  );
