// The search across everything, in a dialog: a combobox with a list of hits (WAI-ARIA Authoring Practices, "Combobox").
// Ctrl+K opens it, or Command+K; a key alone would be in the way of speech input (WCAG 2.1.4). What was chosen is
// remembered until the page is closed, and nowhere else.

import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { Icon } from "../components/icon";
import { ErrorBox } from "../components/states";
import { Text } from "../components/text";
import { counted } from "../format";
import { navigate } from "../router";
import { useMay } from "../state/identity";
import { useRegistryRoles } from "../state/registry";
import { directHits, foundHits, type Hit, viewHits } from "./hits";

const PAUSE = 150;
const REMEMBERED = 5;
let chosen: readonly Hit[] = [];

/** The field in the frame that opens the search, and its keys. */
export function SearchButton(): JSX.Element | null {
  const [open, setOpen] = useState(false);
  const may = useMay("read");
  useEffect(() => {
    if (!may) return undefined;
    const press = (event: KeyboardEvent): void => {
      const isK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
      if (!isK || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      setOpen(true);
    };
    addEventListener("keydown", press);
    return () => {
      removeEventListener("keydown", press);
    };
  }, [may]);
  if (!may) return null;
  return (
    <>
      <button
        type="button"
        class="find"
        aria-haspopup="dialog"
        aria-keyshortcuts="Control+K"
        onClick={() => {
          setOpen(true);
        }}
      >
        <Icon name="search" />
        <span>Search</span>
        <kbd aria-hidden="true">Ctrl K</kbd>
      </button>
      {open && (
        <Palette
          close={() => {
            setOpen(false);
          }}
        />
      )}
    </>
  );
}

function Palette(props: { close: () => void }): JSX.Element {
  const [text, setText] = useState("");
  const { hits, error, isSearching } = useHits(text.trim());
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDialogElement>(null);
  const list = useId();
  const active = Math.min(at, hits.length - 1);
  useEffect(() => {
    box.current?.showModal();
  }, []);
  useEffect(() => {
    document.getElementById(`${list}-${active}`)?.scrollIntoView({ block: "nearest" });
  }, [active]);
  const choose = (hit: Hit): void => {
    chosen = [hit, ...chosen.filter((each) => each.to !== hit.to)].slice(0, REMEMBERED);
    props.close();
    navigate(hit.to);
  };
  const press = (event: KeyboardEvent): void => {
    const hit = hits[active];
    if (event.key === "ArrowDown" && hits.length) setAt((active + 1) % hits.length);
    else if (event.key === "ArrowUp" && hits.length) setAt((active - 1 + hits.length) % hits.length);
    else if (event.key === "Enter" && hit) choose(hit);
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={box}
      class="palette"
      aria-label="Search"
      onClose={props.close}
      onClick={(event) => {
        if (event.target === box.current) box.current?.close();
      }}
    >
      <div class="palette-field">
        <Icon name="search" />
        <input
          role="combobox"
          aria-label="A name, address, endpoint, network, zone or view"
          aria-autocomplete="list"
          aria-expanded={hits.length > 0}
          aria-controls={list}
          aria-activedescendant={hits.length ? `${list}-${active}` : undefined}
          placeholder="A name, address, endpoint, network, zone…"
          value={text}
          maxLength={255}
          autocomplete="off"
          spellcheck={false}
          autofocus
          onKeyDown={press}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setAt(0);
          }}
        />
        <button
          type="button"
          class="plain-button"
          aria-label="Close"
          onClick={() => {
            box.current?.close();
          }}
        >
          <Icon name="close" />
        </button>
      </div>
      {error && <ErrorBox error={error} />}
      <ul role="listbox" id={list} aria-label="Hits">
        {hits.map((each, index) => (
          <li
            key={`${each.icon} ${each.to}`}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === active}
            onPointerMove={() => {
              setAt(index);
            }}
            onClick={() => {
              choose(each);
            }}
          >
            <Icon name={each.icon} />
            <span class="hit-title">
              <Text value={each.title} />
            </span>
            <span class="hit-note">
              <Text value={each.note} />
            </span>
          </li>
        ))}
      </ul>
      <p class="palette-foot" role="status">
        {isSearching ? "Searching…" : hits.length ? counted(hits.length, "hit") : "Nothing has this text."}
        <span aria-hidden="true">
          <kbd>↑</kbd> <kbd>↓</kbd> choose <kbd>↵</kbd> open <kbd>Esc</kbd> close
        </span>
      </p>
    </dialog>
  );
}

interface Hits {
  readonly hits: readonly Hit[];
  readonly error: ApiError | undefined;
  readonly isSearching: boolean;
}

/** Return the hits of a text: what its form says at once, and what pldns finds a moment later. */
function useHits(text: string): Hits {
  const hasRegistry = Boolean(useRegistryRoles());
  const [found, setFound] = useState<{ of: string; hits: readonly Hit[]; error?: ApiError }>({
    of: "",
    hits: [],
  });
  useEffect(() => {
    if (!text) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      foundHits(text, abort.signal).then(
        (hits) => {
          if (!abort.signal.aborted) setFound({ of: text, hits });
        },
        (error: unknown) => {
          if (abort.signal.aborted) return;
          const failure = error instanceof ApiError ? error : new ApiError(0, "", String(error));
          setFound({ of: text, hits: [], error: failure });
        },
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  if (!text) {
    const views = viewHits("", hasRegistry).filter((each) => !chosen.some(({ to }) => to === each.to));
    return { hits: [...chosen, ...views], error: undefined, isSearching: false };
  }
  const isPresent = found.of === text;
  // The first hit stays what it was when more arrive: Enter does what it seemed to do.
  const [first, ...rest] = directHits(text);
  return {
    hits: [
      ...(first ? [first] : []),
      ...viewHits(text, hasRegistry),
      ...(isPresent ? found.hits : []),
      ...rest,
    ],
    error: isPresent ? found.error : undefined,
    isSearching: !isPresent,
  };
}
