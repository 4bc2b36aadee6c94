import type { StackConfig } from "./stack.ts";

/** Every secret that a stack's configuration holds. A test keeps this complete. */
export function secretValues({ platform, secrets }: StackConfig): string[] {
  const password = platform.kind === "local" ? platform.registry?.password : undefined;
  return [
    ...Object.values(secrets).flatMap((variables) => Object.values(variables)),
    ...(password === undefined ? [] : [password]),
  ];
}
