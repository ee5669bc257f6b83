// Findings of one code. Where they share what pldns does and what to do, the group says that once.

import type { JSX } from "preact";
import type { Finding } from "../../api/schema";
import { SeverityBadge } from "../../components/badge";
import { Text } from "../../components/text";
import { counted } from "../../format";
import { Item } from "./item";

/** Return findings by severity and code. They arrive the most severe first, and stay in that order. */
export function grouped(items: readonly Finding[]): [string, Finding[]][] {
  const groups = new Map<string, Finding[]>();
  for (const each of items) {
    const key = `${each.severity} ${each.code}`;
    const group = groups.get(key);
    if (group) group.push(each);
    else groups.set(key, [each]);
  }
  return [...groups];
}

/** `open`: with all commands shown. `isPart`: there are more findings on other pages. */
export function Group(props: {
  items: readonly Finding[];
  open: boolean;
  isPart: boolean;
  changed: () => void;
}): JSX.Element | null {
  const { items, open, isPart, changed } = props;
  const [first, ...others] = items;
  if (!first) return null;
  const isShort =
    others.length > 0 && others.every((each) => each.action === first.action && each.advice === first.advice);
  return (
    <section class="finding-group" aria-label={`${first.severity} ${first.code}`}>
      <h2>
        <SeverityBadge severity={first.severity} /> {first.code}{" "}
        <span class="quiet">
          {counted(items.length, "finding")}
          {isPart && " on this page"}
        </span>
      </h2>
      <div class="findings">
        {isShort && (
          <dl class="terms shared">
            <dt>pldns</dt>
            <dd>
              <Text value={first.action} />
            </dd>
            <dt>What to do</dt>
            <dd>
              <Text value={first.advice} />
            </dd>
          </dl>
        )}
        {items.map((each) => (
          <Item key={each.id} finding={each} isShort={isShort} open={open} changed={changed} />
        ))}
      </div>
    </section>
  );
}
