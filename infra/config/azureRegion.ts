import { z } from "zod";

/** Short region name as `az account list-locations` gives it. */
export const azureRegion = z
  .string()
  .regex(/^[a-z][a-z0-9]+$/, "must be an Azure region's short name, such as westeurope");

/** Regions in which no availability zones exist, as Azure lists them; nodes cannot be spread there. */
export const regionsWithoutZones = [
  "northcentralus",
  "westus",
  "westcentralus",
  "ukwest",
  "francesouth",
  "germanynorth",
  "norwaywest",
  "switzerlandwest",
  "southindia",
  "westindia",
  "australiacentral",
  "australiasoutheast",
  "koreasouth",
  "canadaeast",
  "uaecentral",
  "southafricawest",
  "brazilsoutheast",
];
