import { stackTable } from "./stackTable.ts";

const begin = "<!-- Generated from the two stack files by npm run docs. -->";
const end = "<!-- End of what is generated. -->";

/**
 * The page about Azure with its table of the stacks as their files are now.
 *
 * @throws Error when the page has no place for the table
 */
export function azurePage(root: string, page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/azure.md must have "${begin}" before "${end}"`);
  return `${page.slice(0, from)}${begin}\n\n${stackTable(root, "dev", "prod")}\n\n${page.slice(to)}`;
}
