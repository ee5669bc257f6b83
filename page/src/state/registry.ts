// What the person may do in the registry: roles there are by subscription.

import type { Schemas } from "../api/schema";
import { identity } from "./identity";
import { useStore } from "./store";

export type RegistryRoles = Schemas["RegistryRolesItem"];

/** Return the roles in the registry. `null`: there is no registry, or no role in it; `undefined`: not known yet. */
export function useRegistryRoles(): RegistryRoles | null | undefined {
  const known = useStore(identity);
  return known === undefined ? undefined : (known?.registry ?? null);
}

/** Return whether the roles permit to approve and reject the connections of a target. */
export function owns(roles: RegistryRoles, target: string): boolean {
  return roles.owner.includes(subscriptionOf(target));
}

/** Return whether the roles permit to change private endpoints in the subscription of an id. */
export function consumes(roles: RegistryRoles, id: string): boolean {
  const subscription = subscriptionOf(id);
  return roles.owner.includes(subscription) || roles.consumer.includes(subscription);
}

function subscriptionOf(id: string): string {
  return (id.split("/")[2] ?? "").toLowerCase();
}
