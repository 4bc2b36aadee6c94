import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { DeliveryConfig } from "../../infra/config/delivery.ts";
import { Fault } from "../../infra/fault.ts";
import { root } from "../../infra/projectRoot.ts";

/** A stack's configuration as its file has it: values by full key (`slipway:platform`). */
export type RawConfig = { readonly [key: string]: unknown };

function holdsCiphertext(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return "secure" in value || Object.values(value).some(holdsCiphertext);
}

/** What a Pulumi.<stack>.yaml holds: the configuration, and how its secrets are encrypted. */
export interface StackFile {
  readonly secretsprovider?: string;
  readonly encryptedkey?: string;
  readonly encryptionsalt?: string;
  readonly config?: RawConfig;
}

/** Name of the Pulumi project. */
export function projectName(): string {
  return (parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { name: string }).name;
}

/** What Pulumi takes as the name of a stack, as far as it is also part of a file's name. */
const stackNamePattern = /^[A-Za-z0-9_][\w.-]{0,99}$/;

/**
 * Reads Pulumi.<stack>.yaml as it is written; an encrypted value is a map with the key `secure`.
 *
 * @throws Fault when the file is missing or is not YAML
 */
export function readStackFile(stack: string): StackFile {
  if (!stackNamePattern.test(stack))
    throw new Fault({
      what: "--stack",
      value: JSON.stringify(stack),
      rule: "must be a stack's name: letters, digits, dots, dashes and underscores",
      fix: "name the stack as Pulumi.<stack>.yaml does",
    });
  const file = `Pulumi.${stack}.yaml`;
  try {
    return (parse(readFileSync(join(root, file), "utf8")) as StackFile | null) ?? {};
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Fault({
      what: file,
      value: missing ? "absent" : (error as Error).message,
      rule: missing ? "must exist" : "must be YAML",
      fix: missing ? `write ${file}; Pulumi.local.yaml is an example` : "correct it",
    });
  }
}

/**
 * Reads Pulumi.<stack>.yaml without Pulumi.
 *
 * @throws Fault when the file is missing or is not YAML, or has an encrypted value, which only the Pulumi CLI can read
 */
export function stackConfig(stack: string): RawConfig {
  const config = readStackFile(stack).config ?? {};
  const secret = Object.keys(config).find((key) => holdsCiphertext(config[key]));
  if (secret !== undefined)
    throw new Fault({
      what: `Pulumi.${stack}.yaml: ${secret}`,
      rule: "is encrypted, and only the Pulumi CLI can read it",
      fix: "install the Pulumi CLI",
    });
  return config;
}

const deliveryKey = "slipway:delivery";

/** How a configuration delivers. */
export function deliveryKind(config: RawConfig): string {
  return (config[deliveryKey] as { readonly kind?: string } | undefined)?.kind ?? "push";
}

/** Whether a configuration has a failed release put the one before back. */
export function isAtomic(config: RawConfig): boolean {
  return (config[deliveryKey] as { readonly atomic?: boolean } | undefined)?.atomic === true;
}

/** A configuration that pushes, and takes the workloads over from whoever has delivered them before. */
export function withHandover(config: RawConfig): RawConfig {
  return deliveryKind(config) === "push" ? pushingWithHandover(config) : config;
}

/** A configuration that delivers in another way, and keeps what it says of a failed release. */
function delivering(
  config: RawConfig,
  way: { readonly kind: DeliveryConfig["kind"]; readonly [key: string]: unknown },
): RawConfig {
  return { ...config, [deliveryKey]: { ...way, ...(isAtomic(config) ? { atomic: true } : {}) } };
}

/** A configuration by which push hands the workloads to another delivery, or takes them from it. */
export function pushingWithHandover(config: RawConfig): RawConfig {
  return delivering(config, { kind: "push", handover: true });
}

/** A stack's configuration with another delivery than its file has, where one is asked for. */
export function withDelivery(config: RawConfig, kind: DeliveryConfig["kind"] | undefined): RawConfig {
  if (kind === undefined || kind === deliveryKind(config)) return config;
  return delivering(config, kind === "gitops" ? { kind, engine: "argocd" } : { kind });
}
