import { takeLock } from "../lock.ts";

/** Runs alone on the embedded environment: another command that changes it waits, and says so. */
export async function withLock(command: string, action: () => Promise<void>): Promise<void> {
  const lock = await takeLock(command, (holder) =>
    console.log(`waiting for ${holder}, which is at work on the same environment`),
  );
  try {
    await action();
  } finally {
    await lock.release();
  }
}
