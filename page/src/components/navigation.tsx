// The navigation: the views by section, with the number of open errors beside the findings.

import type { JSX } from "preact";
import { counted } from "../format";
import { href, Link } from "../router";
import { useOnlyRegistry } from "../state/identity";
import { overview } from "../state/live";
import { useRegistryRoles } from "../state/registry";
import { useStore } from "../state/store";
import { isFor, VIEWS } from "../views";
import { Icon } from "./icon";

const SECTIONS = ["Estate", "Queries", "System"] as const;

export function Navigation(props: { current: string }): JSX.Element {
  const hasRegistry = Boolean(useRegistryRoles());
  const onlyRegistry = useOnlyRegistry();
  const views = VIEWS.filter((each) => (!each.needs || hasRegistry) && isFor(each, onlyRegistry));
  return (
    <nav aria-label="Views" class="views">
      {SECTIONS.filter((section) => views.some((each) => each.section === section)).map((section) => (
        <section key={section}>
          <h2 id={`section-${section}`}>{section}</h2>
          <ul aria-labelledby={`section-${section}`}>
            {views
              .filter((each) => each.section === section)
              .map((each) => (
                <li key={each.path}>
                  <Link to={href(each.path)} current={each.path === props.current}>
                    <Icon name={each.path || "overview"} />
                    <span>{each.title}</span>
                    {each.path === "findings" && <Count />}
                  </Link>
                </li>
              ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

/** The number of open errors; of warnings where there is no error. */
function Count(): JSX.Element | null {
  const findings = useStore(overview)?.counts.findings;
  const severity = findings?.error ? "error" : "warning";
  const count = findings?.[severity] ?? 0;
  if (!count) return null;
  return (
    <span class={`count ${severity}`} title={`${counted(count, severity)} open`}>
      {count > 999 ? "999+" : count}
      <span class="unseen"> {severity}s</span>
    </span>
  );
}
