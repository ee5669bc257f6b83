// Explain: what a client gets for a name, what clients of every network get, and why, step by step.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { get, type Query } from "../api/client";
import { Loaded } from "../components/states";
import { useResource } from "../state/resource";
import type { ViewProps } from "../views";
import { Answer } from "./explain/answer";
import { Form } from "./explain/form";
import { Offered, remember } from "./explain/offered";
import { SeenFrom } from "./explain/seen-from";
import { Steps } from "./explain/steps";

export default function ExplainView(props: ViewProps): JSX.Element {
  const { query } = props;
  return (
    <>
      <Form key={query.toString()} query={query} />
      {query.get("name") ? <Result asked={question(query)} /> : <Offered />}
    </>
  );
}

function question(query: URLSearchParams): Query<"/v1/explain"> {
  const [type, client] = [query.get("type"), query.get("client")];
  return {
    name: query.get("name") ?? "",
    ...(type ? { type } : {}),
    ...(client ? { client } : {}),
    ...(query.get("ask") ? { ask: true } : {}),
  };
}

function Result(props: { asked: Query<"/v1/explain"> }): JSX.Element {
  const { asked } = props;
  const found = useResource((signal) => get("/v1/explain", asked, { signal }), [asked]);
  useEffect(() => {
    if (found.data) remember(asked.name);
  }, [found.data]);
  return (
    <Loaded resource={found}>
      {(explanation) => (
        <>
          <Answer found={explanation} />
          <SeenFrom name={asked.name} type={asked.type ?? ""} present={explanation} />
          <Steps found={explanation} />
        </>
      )}
    </Loaded>
  );
}
