import { PolicyPack } from "@pulumi/policy";
import { houseRules } from "./rules.ts";

/** The house rules as a policy pack: `pulumi preview --policy-pack infra/policy`. */
new PolicyPack("slipway", {
  policies: houseRules.map(({ name, description, level, violations }) => ({
    name,
    description,
    enforcementLevel: level,
    validateResource: ({ type, props }, reportViolation) => {
      for (const violation of violations({ type, props })) reportViolation(violation);
    },
  })),
});
