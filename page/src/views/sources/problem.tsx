// What is wrong with a source, in words, and what to do about it.

import type { JSX } from "preact";
import type { Reply } from "../../api/client";
import { Copy, Text } from "../../components/text";
import { counted } from "../../format";
import { href, Link } from "../../router";
import type { Source } from "../sources";

type Degradation = Reply<"/v1/status">["degraded"][number];

/** Problems of files or subscriptions that are listed for one source. */
const LISTED = 3;

/** `problems`: those of all sources. */
export function Problem(props: { source: Source; problems: readonly Degradation[] }): JSX.Element {
  const { last_error, sync, unreadable, parts, incomplete, name, type } = props.source;
  const own = props.problems.filter((each) => each.source === name && each.message !== last_error);
  if (!last_error && !unreadable && !incomplete && !own.length) return <span class="quiet">none</span>;
  return (
    <>
      {last_error && <Text value={last_error} />}
      {sync.failures > 1 && <div class="note">{sync.failures} failed syncs in a row</div>}
      {own.slice(0, LISTED).map((each) => (
        <div key={each.scope}>
          {each.scope && (
            <>
              <Copy value={each.scope} shown={each.scope.split("/").pop() ?? each.scope} />:{" "}
            </>
          )}
          <Text value={each.message} />
        </div>
      ))}
      {unreadable > 0 && (
        <div class="note">
          {unreadable} of {counted(parts, "file or subscription", "files or subscriptions")} cannot be read
        </div>
      )}
      {incomplete > 0 && <div class="note">{counted(incomplete, "list")} without all pages</div>}
      <div class="note">{sync.held ? HELD : (ADVICE[type] ?? ADVICE.azure)}</div>
      {own[0]?.scope && (
        <Link class="target" to={href("findings", { name: own[0].scope })} title={`Findings about ${name}`}>
          Findings
        </Link>
      )}
    </>
  );
}

const HELD = "Decide about the held sync above.";
const ADVICE: Readonly<Record<string, string>> = {
  files: "Mend the file: pldns reads it again when it changes, and serves its last good data until then.",
  registry: "Check the database of the registry. pldns serves the last data.",
  hub: "Check the hub and the way to it. pldns serves the last data.",
  azure:
    "Check the way to Azure, and that the identity may read the subscriptions. pldns serves the last data.",
};
