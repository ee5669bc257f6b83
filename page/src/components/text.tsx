// Texts of pldns and Azure: always text, never markup. Each is kept apart from the text around it, so that characters
// that change the direction of writing change nothing else.

import { Fragment, type JSX } from "preact";
import { absolute, counted, groupOf, isWhole, pieces, relative, shortId, visible } from "../format";
import { Store, useStore } from "../state/store";
import { toast } from "./toast";

const now = new Store(new Date());
setInterval(() => {
  if (!document.hidden) now.set(new Date());
}, 1000);

/** Return the present time; the component is rendered again every second. */
export function useNow(): Date {
  return useStore(now);
}

/** A value as it is. A long one may wrap at the signs in it, a short word not at all. */
export function Text(props: { value: string }): JSX.Element {
  const text = visible(props.value);
  if (isWhole(text)) return <bdi class="whole">{text}</bdi>;
  const [first, ...others] = pieces(text);
  return (
    <bdi>
      {first}
      {others.map((each, index) => (
        <Fragment key={index}>
          <wbr />
          {each}
        </Fragment>
      ))}
    </bdi>
  );
}

/** Copy a text, and say so. */
export function copied(value: string): void {
  navigator.clipboard.writeText(value).then(
    () => {
      toast("Copied.");
    },
    () => {
      toast("This browser does not permit copying.", "problem");
    },
  );
}

/** A name, address or id that a click copies. `shown`: a shorter text for it. */
export function Copy(props: { value: string; shown?: string }): JSX.Element {
  return (
    <button
      type="button"
      class="copy"
      title={`Copy ${visible(props.value)}`}
      onClick={() => {
        copied(props.value);
      }}
    >
      <Text value={props.shown ?? props.value} />
    </button>
  );
}

/** An Azure resource: its name and resource group. A click copies the whole id. */
export function ResourceId(props: { value: string }): JSX.Element {
  const group = groupOf(props.value);
  return (
    <span class="resource">
      <Copy value={props.value} shown={shortId(props.value)} />
      {group && (
        <span class="quiet">
          {" "}
          <Text value={group} />
        </span>
      )}
    </span>
  );
}

/** A time: how long ago, with the whole time in the zone of the reader as its title. */
export function When(props: { at: string | null; none?: string }): JSX.Element {
  const present = useNow();
  if (!props.at) return <span class="quiet">{props.none ?? "never"}</span>;
  const time = new Date(props.at);
  return (
    <time dateTime={props.at} title={absolute(time)}>
      {relative(time, present)}
    </time>
  );
}

/** Some values in a row, and how many more there are. */
export function Some(props: { values: readonly string[]; total?: number; none?: string }): JSX.Element {
  const { values, total = values.length } = props;
  if (!values.length) return <span class="quiet">{props.none ?? "none"}</span>;
  return (
    <span>
      {values.map((each, index) => (
        <span key={each}>
          {index ? ", " : ""}
          <Text value={each} />
        </span>
      ))}
      {total > values.length && (
        <span class="quiet"> and {counted(total - values.length, "more", "more")}</span>
      )}
    </span>
  );
}
