// Tables. A wide one scrolls inside its frame, also with the keyboard. On a narrow screen each row becomes a card.

import type { ComponentChildren, JSX, RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { refine, usePlace } from "../router";
import { Empty } from "./states";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers are aligned to the right. */
  readonly kind?: "number" | "main";
}

interface Shown<Row> {
  /** What the table lists, for screen readers. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  /** A text that is different for each row, and stays the same. */
  id: (row: Row) => string;
  /** What to say where there is no row. */
  empty: ComponentChildren;
}

export function Table<Row>(props: Shown<Row>): JSX.Element {
  return props.rows.length ? <Filled {...props} /> : <Empty>{props.empty}</Empty>;
}

function Filled<Row>(props: Shown<Row>): JSX.Element {
  const { label, columns, rows, id } = props;
  const box = useRef<HTMLDivElement>(null);
  const wide = useWide(box);
  return (
    <div
      class={wide ? "scroll wide" : "scroll"}
      role="group"
      aria-label={label}
      tabIndex={wide ? 0 : undefined}
      ref={box}
    >
      <table>
        <thead>
          <tr>
            {columns.map((each) => (
              <th key={each.head} scope="col" class={each.kind}>
                {each.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map((each) => (
                <td key={each.head} class={each.kind} data-head={each.head}>
                  <div class="cell">{each.cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Return whether the table in a frame is wider than the frame. */
function useWide(box: RefObject<HTMLDivElement | null>): boolean {
  const [wide, setWide] = useState(false);
  useLayoutEffect(() => {
    const frame = box.current;
    const table = frame?.firstElementChild;
    if (!frame || !table) return undefined;
    const measure = (): void => {
      setWide(table.scrollWidth > frame.clientWidth + 1);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(frame);
    observer.observe(table);
    return () => {
      observer.disconnect();
    };
  }, [box]);
  return wide;
}

/** A table of one page of a list, with buttons for the others. The address of the view has the place in the list. */
export function PagedTable<Row>(props: Shown<Row> & { next: string | null }): JSX.Element {
  const { next, ...shown } = props;
  return (
    <>
      <Table {...shown} />
      <Pager label={props.label} next={next} />
    </>
  );
}

/** The buttons for the other pages of a list. `next`: the cursor of the next page. */
export function Pager(props: { label: string; next: string | null }): JSX.Element | null {
  const { query } = usePlace();
  const { label, next } = props;
  const isFirst = !query.get("cursor");
  if (next === null && isFirst) return null;
  return (
    <div class="pager" role="group" aria-label={`Pages: ${label}`}>
      <button
        type="button"
        disabled={isFirst}
        onClick={() => {
          refine({ cursor: undefined });
        }}
      >
        First page
      </button>
      <button
        type="button"
        disabled={isFirst}
        onClick={() => {
          history.back();
        }}
      >
        Previous
      </button>
      <button
        type="button"
        disabled={next === null}
        onClick={() => {
          refine({ cursor: next ?? undefined });
        }}
      >
        Next
      </button>
    </div>
  );
}
