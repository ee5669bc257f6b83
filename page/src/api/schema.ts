// The types of the admin interface, made from its OpenAPI document by `make page-check`. Only types: the build of the
// page does not need them.

import type { components } from "../../../build/page/schema.d.ts";

export type { paths } from "../../../build/page/schema.d.ts";

export type Schemas = components["schemas"];
export type Overview = Schemas["Overview"];
export type WhoAmI = Schemas["WhoAmI"];
export type Role = WhoAmI["role"];
export type Finding = Schemas["FindingItem"];
export type Severity = Finding["severity"];
export type EstateMap = Schemas["EstateMap"];
export type MapNode = Schemas["MapNode"];
export type MapEdge = Schemas["MapEdge"];
export type MapRest = Schemas["MapRest"];
export type MapFocus = Schemas["MapFocus"];
