/** Where the CI systems keep the branch that the running pull request is to be merged into. */
const targetVariables = [
  "GITHUB_BASE_REF",
  "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
  "SYSTEM_PULLREQUEST_TARGETBRANCH",
  "CHANGE_TARGET",
  "BITBUCKET_PR_DESTINATION_BRANCH",
];

/** The remote's branch that a change is compared with: the pull request's target, else the main branch. */
export function targetBranch(env: NodeJS.ProcessEnv): string {
  const given = targetVariables.map((name) => env[name]).find((value) => value !== undefined && value !== "");
  // Azure Pipelines tells it as refs/heads/main.
  return `origin/${given?.replace(/^refs\/heads\//, "") ?? "main"}`;
}
