import { Command } from "commander";
import { explain, Fault } from "../../infra/fault.ts";
import { runSteps } from "../../local/render.ts";
import { nextCommands, type StateContext, stateOptions, stateTasks } from "./steps.ts";

const program = new Command("azure:state")
  .description(
    "Prepares, once, what keeps Pulumi's state on Azure: a storage container and a Key Vault key. Again, it changes nothing.",
  )
  .option("--name <name>", "names the resources: the team or the project", "slipway")
  .requiredOption("--location <region>", "Azure region, such as westeurope")
  .option(
    "--deployer <object-id>",
    "who else deploys: object id of a user, group or service principal; may be repeated",
    (id: string, all: string[]) => [...all, id],
    [],
  )
  .action(async ({ deployer, ...given }) => {
    const parsed = stateOptions.safeParse({ ...given, deployers: deployer });
    if (!parsed.success) {
      const { path, message } = parsed.error.issues[0] ?? { path: [], message: "" };
      const option = path[0] === "deployers" ? "deployer" : String(path[0]);
      const value = option === "deployer" ? deployer[Number(path[1])] : given[option];
      throw new Fault({ what: `--${option}`, value: JSON.stringify(value), rule: message });
    }
    const context = await runSteps<StateContext>(stateTasks(parsed.data), {});
    console.log(`\n${nextCommands(context)}`);
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
