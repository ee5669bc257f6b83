// The form that makes a private endpoint. Subnets and targets are offered as the person types; each may also be an id.

import type { ComponentChildren, JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { ApiError, get, post, type Reply } from "../../api/client";
import { Dialog } from "../../components/dialog";
import { ErrorBox } from "../../components/states";
import { toast } from "../../components/toast";
import { shortId } from "../../format";
import { useResource } from "../../state/resource";

type Target = Reply<"/v1/registry/targets">["items"][number];

const EMPTY = { name: "", subnet: "", target: "", sub_resource: "", message: "", addresses: "" };
type Fields = typeof EMPTY;

export function CreationDialog(props: { close: () => void; done: () => void }): JSX.Element {
  const [fields, setFields] = useState<Fields>(EMPTY);
  const [manual, setManual] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const subnets = useResource((signal) => get("/v1/registry/subnets", { limit: 200 }, { signal }), []);
  const targets = useResource((signal) => get("/v1/registry/targets", { limit: 200 }, { signal }), []);
  const target = targets.data?.items.find((each) => [each.id, each.alias].includes(fields.target));
  const field = (name: keyof Fields): { value: string; onInput: (event: InputEvent) => void } => ({
    value: fields[name],
    onInput: (event) => {
      setFields({ ...fields, [name]: (event.currentTarget as HTMLInputElement).value });
    },
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    create(fields, manual).then(
      (made) => {
        toast(`The private endpoint ${made.name} is ${made.state}.`);
        props.done();
        props.close();
      },
      (failure: unknown) => {
        setError(failure instanceof ApiError ? failure : new ApiError(0, "", String(failure)));
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title="New private endpoint" close={props.close}>
      {error && <ErrorBox error={error} />}
      <form class="stacked" onSubmit={submit}>
        <Field label="Name">{(id) => <input id={id} required maxLength={80} {...field("name")} />}</Field>
        <Field label="Subnet">
          {(id) => (
            <>
              <input id={id} required list={`${id}-known`} {...field("subnet")} />
              <datalist id={`${id}-known`}>
                {subnets.data?.items.map((each) => (
                  <option key={each.id} value={each.id}>
                    {`${shortId(each.id)}, ${each.prefixes.join(", ")}`}
                  </option>
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field label="Target: the id of a resource or private link service, or an alias">
          {(id) => (
            <>
              <input id={id} required list={`${id}-known`} {...field("target")} />
              <datalist id={`${id}-known`}>
                {targets.data?.items.map((each) => (
                  <option key={each.id} value={each.id}>
                    {`${each.name}, ${each.type}`}
                  </option>
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field label="Sub-resource, for example blob">
          {(id) => <SubResource id={id} target={target} {...field("sub_resource")} />}
        </Field>
        <Field label="Static address; empty for a dynamic one">
          {(id) => <input id={id} {...field("addresses")} />}
        </Field>
        <p>
          <label class="check">
            <input
              type="checkbox"
              checked={manual}
              onChange={(event) => {
                setManual(event.currentTarget.checked);
              }}
            />
            Ask the owner of the target for approval
          </label>
        </p>
        {manual && (
          <Field label="Message to the owner">
            {(id) => <input id={id} maxLength={140} {...field("message")} />}
          </Field>
        )}
        <div class="actions">
          <button class="primary" disabled={busy}>
            Create
          </button>
          <button type="button" onClick={props.close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Field(props: { label: string; children: (id: string) => ComponentChildren }): JSX.Element {
  const id = useId();
  return (
    <p>
      <label for={id}>{props.label}</label>
      {props.children(id)}
    </p>
  );
}

function SubResource(props: {
  id: string;
  target: Target | undefined;
  value: string;
  onInput: (event: InputEvent) => void;
}): JSX.Element {
  const { target, ...input } = props;
  return (
    <>
      <input {...input} list={`${props.id}-known`} />
      <datalist id={`${props.id}-known`}>
        {target?.sub_resources.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </>
  );
}

async function create(fields: Fields, manual: boolean): Promise<Reply<"/v1/registry/endpoints", "post">> {
  const { addresses, ...texts } = fields;
  return post("/v1/registry/endpoints", {
    ...texts,
    message: manual ? texts.message : "",
    group: "",
    manual,
    addresses: addresses.split(/[\s,]+/).filter(Boolean),
  });
}
