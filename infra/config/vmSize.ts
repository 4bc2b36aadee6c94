import { z } from "zod";

/** An Azure VM size's name: `Standard_D2s_v5`. */
export const vmSize = z
  .string()
  .regex(/^Standard_[A-Z]+\d[A-Za-z0-9_-]*$/, "must be an Azure VM size, such as Standard_D2s_v5");

/** Number of cores that a size's name tells, as Azure names them: `Standard_D4s_v5` has 4. */
export function cores(size: string): number {
  return Number(/^Standard_[A-Z]+(\d+)/.exec(size)?.[1] ?? Number.NaN);
}

/** Burstable: cheap, and slow once its credits are used up. */
export function isBurstable(size: string): boolean {
  return size.startsWith("Standard_B");
}

/** B sizes with a `t` have 1 GiB of memory: `Standard_B2ts_v2`. */
function isTiny(size: string): boolean {
  return /^Standard_B\d+[a-z]*t[a-z]*_v2$/.test(size);
}

/** A size that AKS takes for a system pool. */
export const systemVmSize = vmSize.refine(
  (size) => !(cores(size) < 2 || isTiny(size)),
  "is too small for a system pool: AKS needs 2 cores and 4 GiB or more, such as Standard_B2s",
);
