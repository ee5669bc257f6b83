// Who is signed in, and what the role permits. What a role may not do is not offered.

import { ApiError, get } from "../api/client";
import type { Role, WhoAmI } from "../api/schema";
import { Store, useStore } from "./store";

const RANKS: Record<Role, number> = { registry: 0, read: 1, operate: 2, admin: 3 };

/** `undefined` until pldns has answered; `null` for somebody who has to sign in. */
export const identity = new Store<WhoAmI | null | undefined>(undefined);

/** Ask pldns who this is. */
export async function identify(): Promise<void> {
  try {
    identity.set(await get("/v1/whoami"));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) signedOut();
  }
}

/** Note that pldns has refused a request that proves no identity. */
export function signedOut(): void {
  identity.set(null);
}

/** Return whether the person may do what needs a role. */
export function useMay(role: Role): boolean {
  const known = useStore(identity);
  return known ? RANKS[known.role] >= RANKS[role] : false;
}
