// A small chart of one or two series over time: areas with a scale, and the values at the pointer or at the arrow keys.
// Charts beside each other share the axis of time and the place that is read. Drawn as SVG, without a library.

import type { JSX } from "preact";
import { clock, number } from "../format";

export interface Series {
  readonly name: string;
  readonly kind: "first" | "second" | "third";
  readonly values: readonly (number | null)[];
}

/** The axis of time: the ends of the points, and where the first one begins. */
export interface Axis {
  readonly begins: Date;
  readonly times: readonly Date[];
}

interface Props {
  title: string;
  axis: Axis;
  series: readonly Series[];
  format?: (value: number) => string;
  /** The top of the scale, where it has one. */
  top?: number;
  /** The point that is read; `undefined`: the last one. */
  at: number | undefined;
  setAt: (at: number | undefined) => void;
}

const WIDTH = 300;
const HEIGHT = 80;

export function Chart(props: Props): JSX.Element {
  const { title, axis, series, format = number, at, setAt } = props;
  const { times } = axis;
  const last = times.length - 1;
  const index = Math.min(at ?? last, last);
  const values = series.flatMap((each) => each.values.map((value) => value ?? 0));
  const top = props.top ?? niceTop(Math.max(...values, 0));
  const x = placeOf(axis);
  const said = series.map((each) => `${each.name} ${valueAt(each, index, format)}`).join(", ");
  const time = times[index];
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="chart-time">{at !== undefined && time ? clock(time) : "now"}</span>
        <span class="legend">
          {series.map((each) => (
            <span key={each.name} class={each.kind}>
              {each.name} <b>{valueAt(each, index, format)}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div class="plot">
        <div class="scale" aria-hidden="true">
          <span>{format(top)}</span>
          <span>{format(top / 2)}</span>
          <span>{format(0)}</span>
        </div>
        <svg
          role="slider"
          tabIndex={0}
          aria-label={`${title}, the last hour`}
          aria-valuemin={0}
          aria-valuemax={Math.max(last, 0)}
          aria-valuenow={Math.max(index, 0)}
          aria-valuetext={time ? `${clock(time)}: ${said}` : "no data yet"}
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          onPointerMove={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            setAt(nearest(((event.clientX - box.left) / box.width) * WIDTH, times.length, x));
          }}
          onPointerLeave={() => {
            setAt(undefined);
          }}
          onBlur={() => {
            setAt(undefined);
          }}
          onKeyDown={(event) => {
            const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: last }[event.key];
            if (to === undefined || last < 0) return;
            event.preventDefault();
            setAt(Math.max(0, Math.min(to, last)));
          }}
        >
          {[0.5, HEIGHT / 2, HEIGHT - 0.5].map((y) => (
            <line key={y} class="base" x1="0" x2={WIDTH} y1={y} y2={y} />
          ))}
          {series.map((each) => (
            <g key={each.name} class={each.kind}>
              <path class="fill" d={area(each.values, x, top)} />
              <path class="line" d={line(each.values, x, top)} />
            </g>
          ))}
          {at !== undefined && <line class="cursor" x1={x(index)} x2={x(index)} y1="0" y2={HEIGHT} />}
        </svg>
      </div>
      <div class="axis quiet" aria-hidden="true">
        <span>{times.length ? clock(axis.begins) : ""}</span>
        <span>{times[last] ? clock(times[last]) : ""}</span>
      </div>
    </figure>
  );
}

/** Return a round number at or above a value: 1, 2 or 5 with zeros. */
function niceTop(value: number): number {
  if (value <= 1) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((each) => each * size >= value) ?? 10) * size;
}

/** Return the place of each point; the place of -1 is where the first one begins. */
function placeOf(axis: Axis): (index: number) => number {
  const from = axis.begins.getTime();
  const span = (axis.times.at(-1)?.getTime() ?? from) - from;
  return (index) => {
    const time = axis.times[index]?.getTime() ?? from;
    return span ? ((time - from) / span) * WIDTH : 0;
  };
}

function nearest(place: number, count: number, x: (index: number) => number): number {
  let best = 0;
  for (let index = 1; index < count; index += 1) {
    if (Math.abs(x(index) - place) < Math.abs(x(best) - place)) best = index;
  }
  return best;
}

function valueAt(series: Series, index: number, format: (value: number) => string): string {
  const found = series.values[index];
  return found === undefined || found === null ? "–" : format(found);
}

/** Return the path of a line. A value holds from the point before it; where there is no value, the line has a gap. */
function line(values: readonly (number | null)[], x: (index: number) => number, top: number): string {
  return runs(values)
    .map(([first, run]) => {
      const places = run.map((each, index) => `L${point(x(first + index), each, top)}`);
      return `M${point(x(first - 1), run[0] ?? 0, top)}${places.join("")}`;
    })
    .join("");
}

/** Return the path of the area below a line. */
function area(values: readonly (number | null)[], x: (index: number) => number, top: number): string {
  return runs(values)
    .map(([first, run]) => {
      const places = run.map((each, index) => `L${point(x(first + index), each, top)}`);
      const [left, right] = [point(x(first - 1), 0, top), point(x(first + run.length - 1), 0, top)];
      return `M${left}L${point(x(first - 1), run[0] ?? 0, top)}${places.join("")}L${right}Z`;
    })
    .join("");
}

function point(x: number, value: number, top: number): string {
  return `${x.toFixed(1)} ${(HEIGHT - 0.5 - (Math.min(value, top) / top) * (HEIGHT - 1)).toFixed(1)}`;
}

/** Return the values without gaps between them, each with the index of its first. */
function runs(values: readonly (number | null)[]): [number, number[]][] {
  const found: [number, number[]][] = [];
  let run: number[] = [];
  values.forEach((each, index) => {
    if (each === null) run = [];
    else if (run.push(each) === 1) found.push([index, run]);
  });
  return found;
}
