/** By this key Pulumi's wire format tells a special value, here always a secret, from a plain map. */
const secretSignature = "4dabf18193072939515e22adb298388d";

/** Puts what `show` makes of it in the place of each secret, however deep. */
export function mapSecrets(value: unknown, show: (secret: unknown) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => mapSecrets(inner, show));
  if (secretSignature in value) return show(mapSecrets((value as { value?: unknown }).value, show));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapSecrets(inner, show)]));
}

/** Takes away the markers by which Pulumi tells secrets from other values. */
export function withoutSecretMarkers(value: unknown): unknown {
  return mapSecrets(value, (secret) => secret);
}
