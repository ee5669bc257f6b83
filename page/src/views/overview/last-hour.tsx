// Charts of the last hour. They begin with the first seconds of traffic.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, type Reply } from "../../api/client";
import { type Axis, Chart } from "../../components/chart";
import { Empty, Loaded } from "../../components/states";
import { share } from "../../format";
import { useResource } from "../../state/resource";

type Point = Reply<"/v1/traffic">["points"][number];

const EVERY = 10;

export function LastHour(): JSX.Element {
  const traffic = useResource((signal) => get("/v1/traffic", {}, { signal }), [], EVERY);
  return (
    <section aria-labelledby="hour" class="hour">
      <h2 id="hour">Last hour</h2>
      <Loaded resource={traffic}>
        {({ points }) =>
          points.length ? <Charts points={points} /> : <Empty>The charts begin in a few seconds.</Empty>
        }
      </Loaded>
    </section>
  );
}

function Charts(props: { points: readonly Point[] }): JSX.Element {
  const { points } = props;
  const [at, setAt] = useState<number | undefined>(undefined);
  const axis = axisOf(points);
  const per = (key: "private" | "public" | "failed"): number[] =>
    points.map((each) => (each.seconds ? each[key] / each.seconds : 0));
  const hits = points.map((each) => (each.hits + each.misses ? each.hits / (each.hits + each.misses) : null));
  const shared = { axis, at, setAt };
  return (
    <div class="charts">
      <Chart
        {...shared}
        title="Answers per second"
        series={[
          { name: "private", kind: "first", values: per("private") },
          { name: "public", kind: "second", values: per("public") },
        ]}
      />
      <Chart
        {...shared}
        title="Cache hits"
        series={[{ name: "hits", kind: "second", values: hits }]}
        format={share}
        top={1}
      />
      <Chart
        {...shared}
        title="Failed answers per second"
        series={[{ name: "failed", kind: "third", values: per("failed") }]}
      />
    </div>
  );
}

function axisOf(points: readonly Point[]): Axis {
  const times = points.map((each) => new Date(each.at));
  const first = times[0] ?? new Date();
  return { begins: new Date(first.getTime() - (points[0]?.seconds ?? 0) * 1000), times };
}
