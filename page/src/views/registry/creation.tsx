// The form that makes a private endpoint: its network, subnet, target and sub-resource, and what it would do.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, get, post, type Reply } from "../../api/client";
import { Dialog } from "../../components/dialog";
import { ErrorBox } from "../../components/states";
import { toast } from "../../components/toast";
import { shortId } from "../../format";
import { useMay } from "../../state/identity";
import { useResource } from "../../state/resource";
import { Field, fieldOf } from "./fields";
import { PreviewShown } from "./preview";

type Subnet = Reply<"/v1/registry/subnets">["items"][number];
type Target = Reply<"/v1/registry/targets">["items"][number];
type Preview = Reply<"/v1/registry/preview", "post">;

const EMPTY = { name: "", subnet: "", target: "", sub_resource: "", message: "", addresses: "" };
type Fields = typeof EMPTY;
const MOST = 1000;

export function CreationDialog(props: { close: () => void; done: () => void }): JSX.Element {
  const [fields, setFields] = useState<Fields>(EMPTY);
  const [network, setNetwork] = useState("");
  const [manual, setManual] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [preview, setPreview] = useState<Preview>();
  const [busy, setBusy] = useState(false);
  const mayPreview = useMay("read");
  const subnets = useResource((signal) => get("/v1/registry/subnets", { limit: MOST }, { signal }), []);
  const targets = useResource((signal) => get("/v1/registry/targets", { limit: MOST }, { signal }), []);
  const target = targets.data?.items.find((each) => [each.id, each.alias, each.name].includes(fields.target));
  const set = (changed: Partial<Fields>): void => {
    setFields({ ...fields, ...changed });
    setPreview(undefined);
    setError(undefined);
  };
  const typed = (name: keyof Fields): { value: string; onInput: (event: InputEvent) => void } => ({
    value: fields[name],
    onInput: (event) => {
      set({ [name]: (event.currentTarget as HTMLInputElement).value });
    },
  });
  const send = (work: () => Promise<void>): void => {
    setBusy(true);
    setError(undefined);
    work().then(
      () => {
        setBusy(false);
      },
      (failure: unknown) => {
        setError(failure instanceof ApiError ? failure : new ApiError(0, "", String(failure)));
        setBusy(false);
      },
    );
  };
  const wanted = creation(fields, manual);
  const create = (event: Event): void => {
    event.preventDefault();
    send(async () => {
      const made = await post("/v1/registry/endpoints", wanted);
      toast(`The private endpoint ${made.name} is ${made.state}.`);
      props.done();
      props.close();
    });
  };
  const look = (event: Event): void => {
    if (!(event.currentTarget as HTMLButtonElement).form?.reportValidity()) return;
    send(async () => {
      setPreview(await post("/v1/registry/preview", { action: "create", name: "", endpoint: wanted }));
    });
  };
  const wrong = error && fieldOf(error.message);
  const problem = (name: string): string | undefined => (wrong === name ? error?.message : undefined);
  return (
    <Dialog title="New private endpoint" close={props.close}>
      {error && !wrong && <ErrorBox error={error} />}
      <form class="stacked" onSubmit={create}>
        <Field label="Name" problem={problem("name")}>
          {(at) => <input {...at} required maxLength={80} {...typed("name")} />}
        </Field>
        <Networks
          subnets={subnets.data?.items ?? []}
          network={network}
          subnet={fields.subnet}
          problem={problem("subnet")}
          choose={(chosen, subnet) => {
            setNetwork(chosen);
            set({ subnet });
          }}
        />
        <Field
          label="Target"
          hint="a resource, a private link service, or an alias"
          problem={problem("target")}
        >
          {(at) => (
            <>
              <input {...at} required list={`${at.id}-known`} {...typed("target")} />
              <datalist id={`${at.id}-known`}>
                {targets.data?.items.map((each) => (
                  <option key={each.id} value={each.id}>
                    {`${each.name}, ${each.type}`}
                  </option>
                ))}
              </datalist>
            </>
          )}
        </Field>
        <SubResource
          target={target}
          value={fields.sub_resource}
          problem={problem("sub_resource")}
          set={(sub_resource) => {
            set({ sub_resource });
          }}
        />
        <Field label="Static address" hint="empty for a dynamic one" problem={problem("addresses")}>
          {(at) => <input {...at} {...typed("addresses")} />}
        </Field>
        <p>
          <label class="check">
            <input
              type="checkbox"
              checked={manual}
              onChange={(event) => {
                setManual(event.currentTarget.checked);
                setPreview(undefined);
              }}
            />
            Ask the owner of the target for approval
          </label>
        </p>
        {manual && (
          <Field label="Message to the owner" problem={problem("message")}>
            {(at) => <input {...at} maxLength={140} {...typed("message")} />}
          </Field>
        )}
        {preview && <PreviewShown preview={preview} />}
        <div class="actions">
          <button class="primary" disabled={busy}>
            Create
          </button>
          {mayPreview && (
            <button type="button" disabled={busy} onClick={look}>
              Preview
            </button>
          )}
          <button type="button" onClick={props.close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** The choices of a virtual network and of a subnet in it. */
function Networks(props: {
  subnets: readonly Subnet[];
  network: string;
  subnet: string;
  problem: string | undefined;
  choose: (network: string, subnet: string) => void;
}): JSX.Element {
  const { subnets, subnet, problem, choose } = props;
  const networks = [...new Set(subnets.map((each) => each.vnet))];
  const network = props.network || (networks.length === 1 ? (networks[0] ?? "") : "");
  const inside = subnets.filter((each) => each.vnet === network);
  const only = (of: string): string => {
    const found = subnets.filter((each) => each.vnet === of);
    return found.length === 1 ? (found[0]?.id ?? "") : "";
  };
  return (
    <>
      <Field label="Virtual network">
        {(at) => (
          <select
            {...at}
            required
            value={network}
            onChange={(event) => {
              choose(event.currentTarget.value, only(event.currentTarget.value));
            }}
          >
            <option value="">choose one</option>
            {networks.map((each) => (
              <option key={each} value={each}>
                {shortId(each)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Subnet" problem={problem}>
        {(at) => (
          <select
            {...at}
            required
            disabled={!network}
            value={subnet}
            onChange={(event) => {
              choose(network, event.currentTarget.value);
            }}
          >
            <option value="">choose one</option>
            {inside.map((each) => (
              <option key={each.id} value={each.id}>
                {`${each.name}, ${each.prefixes.join(", ")}; ${each.endpoints} endpoints`}
              </option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}

function SubResource(props: {
  target: Target | undefined;
  value: string;
  problem: string | undefined;
  set: (value: string) => void;
}): JSX.Element {
  const { target, value, problem, set } = props;
  return (
    <Field
      label="Sub-resource"
      hint={target ? "what of the target" : "such as blob; none for an alias"}
      problem={problem}
    >
      {(at) =>
        target?.sub_resources.length ? (
          <select
            {...at}
            value={value}
            onChange={(event) => {
              set(event.currentTarget.value);
            }}
          >
            <option value="">
              {target.sub_resources.length === 1 ? target.sub_resources[0] : "choose one"}
            </option>
            {target.sub_resources.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        ) : (
          <input
            {...at}
            value={value}
            onInput={(event) => {
              set(event.currentTarget.value);
            }}
          />
        )
      }
    </Field>
  );
}

function creation(
  fields: Fields,
  manual: boolean,
): Omit<Fields, "addresses"> & { group: string; manual: boolean; addresses: string[] } {
  const { addresses, ...texts } = fields;
  return {
    ...texts,
    message: manual ? texts.message : "",
    group: "",
    manual,
    addresses: addresses.split(/[\s,]+/).filter(Boolean),
  };
}
