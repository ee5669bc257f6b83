// The registry: connections that wait for a decision of their owner, and private endpoints with their states.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, type Reply } from "../api/client";
import { Choice, Search } from "../components/filters";
import { Empty, Loaded, Loading } from "../components/states";
import { PagedTable } from "../components/table";
import { Text } from "../components/text";
import { href, Link } from "../router";
import { consumes, owns, useRegistryRoles, type RegistryRoles } from "../state/registry";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";
import { Names, Resource, STATES, StateShown, Values, type State } from "./registry/cells";
import { CreationDialog } from "./registry/creation";
import { DecisionDialog, type Action, type Decision } from "./registry/decision";

type Connection = Reply<"/v1/registry/connections">["items"][number];
type Endpoint = Reply<"/v1/registry/endpoints">["items"][number];

const LISTS = {
  waiting: "Waiting for approval",
  connections: "Connections",
  endpoints: "Endpoints",
} as const;
type List = keyof typeof LISTS;
const PAGE = 50;
const EVERY = 5;

export default function RegistryView(props: ViewProps): JSX.Element {
  const roles = useRegistryRoles();
  if (roles === undefined) return <Loading />;
  if (roles === null) return <Empty>This pldns has no registry, or you have no role in it.</Empty>;
  return <Lists query={props.query} roles={roles} />;
}

function Lists(props: { query: URLSearchParams; roles: RegistryRoles }): JSX.Element {
  const { query, roles } = props;
  const asked = query.get("list");
  const list: List = asked === "connections" || asked === "endpoints" ? asked : "waiting";
  const [decision, setDecision] = useState<Decision>();
  const [creating, setCreating] = useState(false);
  const [round, setRound] = useState(0);
  const again = (): void => {
    setRound(round + 1);
  };
  const shown = { query, roles, round, decide: setDecision };
  return (
    <>
      <nav class="lists" aria-label="Lists of the registry">
        {(Object.keys(LISTS) as List[]).map((each) => (
          <Link
            key={each}
            to={href("registry", each === "waiting" ? {} : { list: each })}
            current={each === list}
          >
            {LISTS[each]}
          </Link>
        ))}
        {roles.owner.length + roles.consumer.length > 0 && (
          <button
            type="button"
            class="primary"
            onClick={() => {
              setCreating(true);
            }}
          >
            New private endpoint
          </button>
        )}
      </nav>
      {list === "waiting" ? <Waiting roles={roles} /> : <Filters />}
      {list === "endpoints" ? (
        <Endpoints {...shown} />
      ) : (
        <Connections {...shown} waiting={list === "waiting"} />
      )}
      {decision && (
        <DecisionDialog
          decision={decision}
          close={() => {
            setDecision(undefined);
          }}
          done={again}
        />
      )}
      {creating && (
        <CreationDialog
          close={() => {
            setCreating(false);
          }}
          done={again}
        />
      )}
    </>
  );
}

/** What a list of waiting connections is for, in the words of the role. */
function Waiting(props: { roles: RegistryRoles }): JSX.Element {
  const { owner, consumer } = props.roles;
  return (
    <p class="note">
      {owner.length
        ? "Somebody wants to connect a private endpoint to a target that you own. After an approval, pldns answers its names."
        : consumer.length
          ? "These connections wait for the owner of their target."
          : "These connections wait for the owner of their target. Your role may only read."}
    </p>
  );
}

interface Listed {
  query: URLSearchParams;
  roles: RegistryRoles;
  /** Another number: something was changed here, so the list is read again. */
  round: number;
  decide: (decision: Decision) => void;
}

function Filters(): JSX.Element {
  return (
    <div class="filters">
      <Choice label="State" name="state" all="every state" options={STATES.map((each) => [each, each])} />
      <Search label="Endpoint" name="name" hint="the whole name" />
    </div>
  );
}

/** Return the query of a list: the filters in the address. */
function filters(
  query: URLSearchParams,
  state = query.get("state"),
): { limit: number; state?: State[]; name?: string[]; cursor?: string } {
  const [name, cursor] = [query.get("name"), query.get("cursor")];
  return {
    limit: PAGE,
    ...(state && { state: [state as State] }),
    ...(name && { name: [name] }),
    ...(cursor && { cursor }),
  };
}

function Connections(props: Listed & { waiting: boolean }): JSX.Element {
  const { query, roles, round, decide, waiting } = props;
  const asked = waiting ? filters(query, "Pending") : filters(query);
  const read = useResource(
    (signal) => get("/v1/registry/connections", asked, { signal }),
    [asked, round],
    EVERY,
  );
  const buttons = (row: Connection): JSX.Element | null =>
    owns(roles, row.target) ? (
      <Buttons
        of={row.name}
        actions={ACTIONS.filter(([action, , not]) => not !== row.state && !(waiting && action === "remove"))}
        act={(action) => {
          decide({ action, id: row.id, etag: row.etag, message: row.message });
        }}
      />
    ) : null;
  return (
    <Loaded resource={read}>
      {({ items, next }) => (
        <PagedTable<Connection>
          label={LISTS[waiting ? "waiting" : "connections"]}
          rows={items}
          next={next}
          id={(each) => each.id}
          empty={waiting ? "No connection waits for approval." : "No connection matches."}
          columns={[
            { head: "Endpoint", kind: "main", cell: (each) => <Resource id={each.endpoint} /> },
            {
              head: "Target",
              cell: (each) => (
                <>
                  <Resource id={each.target} />
                  {each.sub_resource && (
                    <div class="note">
                      sub-resource <Text value={each.sub_resource} />
                    </div>
                  )}
                </>
              ),
            },
            {
              head: "Message",
              cell: (each) =>
                each.message ? <Text value={each.message} /> : <span class="quiet">none</span>,
            },
            ...(waiting
              ? []
              : [
                  {
                    head: "State",
                    cell: (each: Connection) => <StateShown state={each.state} why={each.description} />,
                  },
                ]),
            ...(roles.owner.length ? [{ head: "Decide", cell: buttons }] : []),
          ]}
        />
      )}
    </Loaded>
  );
}

/** The action, its button, and the state in which it changes nothing. */
const ACTIONS: readonly (readonly [Action, string, State | ""])[] = [
  ["approve", "Approve", "Approved"],
  ["reject", "Reject", "Rejected"],
  ["remove", "Remove", ""],
];

function Buttons(props: { of: string; actions: typeof ACTIONS; act: (action: Action) => void }): JSX.Element {
  return (
    <div class="row-actions">
      {props.actions.map(([action, word]) => (
        <button
          key={action}
          type="button"
          class={action === "approve" ? "primary" : undefined}
          aria-label={`${word} ${props.of}`}
          onClick={() => {
            props.act(action);
          }}
        >
          {word}
        </button>
      ))}
    </div>
  );
}

function Endpoints(props: Listed): JSX.Element {
  const { query, roles, round, decide } = props;
  const asked = filters(query);
  const read = useResource(
    (signal) => get("/v1/registry/endpoints", asked, { signal }),
    [asked, round],
    EVERY,
  );
  const buttons = (row: Endpoint): JSX.Element | null =>
    consumes(roles, row.id) ? (
      <Buttons
        of={row.name}
        actions={[["delete", "Delete", ""]]}
        act={(action) => {
          decide({ action, id: row.id, etag: row.etag, message: "" });
        }}
      />
    ) : null;
  return (
    <Loaded resource={read}>
      {({ items, next }) => (
        <PagedTable<Endpoint>
          label={LISTS.endpoints}
          rows={items}
          next={next}
          id={(each) => each.id}
          empty="No private endpoint matches."
          columns={[
            { head: "Endpoint", kind: "main", cell: (each) => <Resource id={each.id} /> },
            { head: "State", cell: (each) => <StateShown state={each.state} why={each.description} /> },
            { head: "Addresses", cell: (each) => <Values values={each.addresses} /> },
            { head: "Names", cell: (each) => <Names endpoint={each} /> },
            { head: "Target", cell: (each) => <Resource id={each.target} /> },
            ...(roles.owner.length + roles.consumer.length ? [{ head: "Change", cell: buttons }] : []),
          ]}
        />
      )}
    </Loaded>
  );
}
