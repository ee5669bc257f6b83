// Who is signed in, and what the role permits. What a role may not do is not offered.

import { get, whenSignedOut } from "../api/client";
import type { Role, WhoAmI } from "../api/schema";
import { Store, useStore } from "./store";

const RANKS: Record<Role, number> = { registry: 0, read: 1, operate: 2, admin: 3 };

/** `undefined` until pldns has answered; `null` for somebody who has to sign in. */
export const identity = new Store<WhoAmI | null | undefined>(undefined);

// Any request may be the first that is refused because the session has ended.
whenSignedOut(() => {
  identity.set(null);
});

/** Ask pldns who this is. What was known stays where pldns does not answer. */
export async function identify(): Promise<void> {
  await get("/v1/whoami").then(
    (known) => {
      identity.set(known);
    },
    () => undefined,
  );
}

/** Return whether the person may do nothing but use the registry. */
export function useOnlyRegistry(): boolean {
  return useStore(identity)?.role === "registry";
}

/** Return whether the person may do what needs a role. */
export function useMay(role: Role): boolean {
  const known = useStore(identity);
  return known ? RANKS[known.role] >= RANKS[role] : false;
}
