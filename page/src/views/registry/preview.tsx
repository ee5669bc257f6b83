// What a change of the registry would do: endpoints with their addresses, names before and after, and findings.

import type { JSX } from "preact";
import type { Reply } from "../../api/client";
import { Badge, SeverityBadge } from "../../components/badge";
import { Copy, ResourceId, Some, Text } from "../../components/text";

type Preview = Reply<"/v1/registry/preview", "post">;
type Named = Preview["names"][number];
type Item = Named["before"];

export function PreviewShown(props: { preview: Preview }): JSX.Element {
  const { endpoints, names, opens, closes } = props.preview;
  return (
    <section class="answer preview" aria-label="What would change" role="status">
      <h3>What would change</h3>
      {endpoints.map((each) => (
        <p key={each.id}>
          <ResourceId value={each.id} /> would be <strong>{each.state}</strong>
          {each.addresses.length > 0 && ", with the address "}
          {each.addresses.map((address) => (
            <Copy key={address} value={address} />
          ))}
        </p>
      ))}
      {names.length ? (
        <ul class="diff">
          {names.map((each) => (
            <li key={each.name}>
              <Text value={each.name} />
              <ul>
                <Side item={each.before} sign="−" />
                <Side item={each.after} sign="+" />
              </ul>
            </li>
          ))}
        </ul>
      ) : (
        <p class="note">
          {endpoints.some((each) => each.state === "Pending")
            ? "No name would get another answer now: names are answered once the connection is approved."
            : "No name would get another answer."}
        </p>
      )}
      {opens.map((each) => (
        <p key={each.id}>
          <SeverityBadge severity={each.severity} /> would open: <Text value={each.text || each.code} />
        </p>
      ))}
      {closes.map((each) => (
        <p key={each.id}>
          <Badge tone="good">would close</Badge> <Text value={each.text || each.code} />
        </p>
      ))}
      {!opens.length && <p class="note">No finding about its names and addresses would open.</p>}
    </section>
  );
}

function Side(props: { item: Item; sign: "−" | "+" }): JSX.Element {
  const { item, sign } = props;
  const kind = sign === "−" ? "gone" : "new";
  const label = sign === "−" ? "before:" : "after:";
  if (!item) {
    return (
      <li class={kind}>
        <span aria-label={label}>{sign}</span> <span class="quiet">no private answer</span>
      </li>
    );
  }
  return (
    <>
      {item.answers.map((each, index) => (
        <li key={index} class={kind}>
          <span aria-label={label}>{sign}</span> {each.data.length ? each.data.join(", ") : each.rcode} in{" "}
          <Some values={each.networks} total={each.networks_total} none="no network" />
        </li>
      ))}
    </>
  );
}
