/**
 * Runs a task of `run.ts` in a process of its own. Pulumi serializes a dynamic provider's functions into the state and
 * runs them where nothing that a module imports exists: Node.js's own modules are all there is.
 *
 * @param inputs what the task takes, as plain JSON; credentials in it are seen by nobody else
 * @throws Error with the task's own message
 */
export async function runInOwnProcess<Result>(task: string, inputs: unknown): Promise<Result> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const { existsSync } = process.getBuiltinModule("node:fs");
  const { dirname, join } = process.getBuiltinModule("node:path");
  let root = process.cwd();
  while (!existsSync(join(root, "infra/gitops/run.ts")) && dirname(root) !== root) root = dirname(root);
  const output = await new Promise<string>((resolve, reject) => {
    const program = [join(root, "infra/gitops/run.ts"), task];
    // Credentials go in by standard input: arguments and variables can be seen by others.
    const child = spawn(join(root, "node_modules/.bin/node"), program, {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
    child.stdin.end(JSON.stringify(inputs));
  });
  const { result, error } = JSON.parse(output || '{"error":"ended without a word"}') as {
    result?: Result;
    error?: string;
  };
  if (error !== undefined) throw new Error(error);
  return result as Result;
}
