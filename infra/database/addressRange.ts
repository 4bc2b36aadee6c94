import * as pulumi from "@pulumi/pulumi";

/** The first and the last address of a block: of 203.0.113.0/30 these are 203.0.113.0 and 203.0.113.3. */
export function rangeOf(cidr: string): { readonly start: string; readonly end: string } {
  const [address, bits] = cidr.split("/") as [string, string];
  const size = 2 ** (32 - Number(bits));
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = number - (number % size);
  const text = (value: number) =>
    [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
  return { start: text(first), end: text(first + size - 1) };
}

/** What a preview shows for an address that only a run finds out. */
const notKnownYet = "255.255.255.255";

/**
 * The public address with this Azure id.
 *
 * @throws Error in a run, where a cluster has none
 */
export function outboundAddress(id: pulumi.Output<string>): pulumi.Output<string> {
  return id.apply(async (known) => {
    const { getPublicIPAddress } = await import("@pulumi/azure-native/network/index.js");
    const [, , , , resourceGroupName = "", , , , publicIpAddressName = ""] = known.split("/");
    const address =
      publicIpAddressName === ""
        ? undefined
        : (await getPublicIPAddress({ resourceGroupName, publicIpAddressName })).ipAddress;
    if (address !== undefined) return address;
    if (pulumi.runtime.isDryRun()) return notKnownYet;
    throw new Error("the cluster has no public address from which its pods reach the internet");
  });
}
