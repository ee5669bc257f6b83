// The frame of every view: navigation, search, who is signed in, whether pldns can be reached, and the view itself.

import type { ComponentType, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { visible } from "../format";
import { href, Link, type Place, usePlace } from "../router";
import { SearchButton } from "../search/palette";
import { useOnlyRegistry } from "../state/identity";
import { link, overview } from "../state/live";
import { useStore } from "../state/store";
import { isFor, VIEWS, type View, type ViewProps } from "../views";
import { Banner, Connection } from "./connection";
import { Icon, Mark } from "./icon";
import { Navigation } from "./navigation";
import { ErrorBox, Loading } from "./states";
import { Text } from "./text";
import { Toasts } from "./toast";
import { ThemeChoice, Who } from "./who";

/** The file with the licences of the libraries in the page. Only the server knows its name, which has a digest. */
const LICENCES = document.querySelector<HTMLLinkElement>('link[rel="license"]')?.href;

export function Page(): JSX.Element {
  const place = usePlace();
  const view = VIEWS.find((each) => each.path === place.view);
  const title = view?.title ?? "No such view";
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const onlyRegistry = useOnlyRegistry();
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [title]);
  useTitle(place, title);
  return (
    <>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <Bar current={place.view} />
      <main id="content" tabIndex={-1} ref={main}>
        <Banner />
        <h1>{title}</h1>
        {!view ? (
          <NoView />
        ) : isFor(view, onlyRegistry) ? (
          <Shown view={view} query={place.query} />
        ) : (
          <NotPermitted />
        )}
      </main>
      <Toasts />
    </>
  );
}

/** Name the tab of the browser: the object and the view. The findings have the number of open errors. */
function useTitle(place: Place, title: string): void {
  const errors = useStore(overview)?.counts.findings.error ?? 0;
  const object = ["name", "zone", "client"].map((each) => place.query.get(each)).find(Boolean);
  const shown = place.view === "findings" && errors ? `${title} (${errors})` : title;
  useEffect(() => {
    document.title = [object && visible(object.slice(0, 80)), shown, "pldns"].filter(Boolean).join(" · ");
  }, [object, shown]);
}

function Bar(props: { current: string }): JSX.Element {
  const version = useStore(overview)?.version;
  const [open, setOpen] = useState(false);
  useEffect(() => {
    setOpen(false);
  }, [props.current]);
  return (
    <header
      class={open ? "bar open" : "bar"}
      onKeyDown={(event) => {
        if (event.key === "Escape") setOpen(false);
      }}
    >
      <div class="top">
        <Link to="./" class="brand">
          <Mark /> pldns
        </Link>
        <span class="version">{version && <Text value={version} />}</span>
        <Connection />
        <SearchButton />
        <button
          type="button"
          class="menu"
          aria-expanded={open}
          aria-controls="drawer"
          onClick={() => {
            setOpen(!open);
          }}
        >
          <Icon name={open ? "close" : "menu"} /> Views
        </button>
      </div>
      <div class="drawer" id="drawer">
        <Navigation current={props.current} />
        <div class="who">
          <Who />
          <ThemeChoice />
          {LICENCES && <a href={LICENCES}>Licences</a>}
        </div>
      </div>
    </header>
  );
}

function Shown(props: { view: View; query: URLSearchParams }): JSX.Element {
  const { view, query } = props;
  const [loaded, setLoaded] = useState<{
    of: View;
    Component?: ComponentType<ViewProps>;
    failed?: boolean;
  }>();
  const isLost = useStore(link).state === "lost";
  useEffect(() => {
    let current = true;
    view.load().then(
      (module) => {
        if (current) setLoaded({ of: view, Component: module.default });
      },
      () => {
        if (current) setLoaded({ of: view, failed: true });
      },
    );
    return () => {
      current = false;
    };
  }, [view, isLost]);
  if (loaded?.of !== view) return <Loading />;
  if (!loaded.Component) {
    const error = isLost
      ? new ApiError(0, "unreachable", "This view cannot be loaded.")
      : new ApiError(0, "", "This view cannot be loaded. After an update of pldns, reload the page.");
    return (
      <ErrorBox
        error={error}
        retry={() => {
          location.reload();
        }}
      />
    );
  }
  return <loaded.Component query={query} />;
}

function NotPermitted(): JSX.Element {
  return (
    <p class="empty">
      This view needs the role read, and you have a role in the registry only.{" "}
      <Link to={href("registry")}>Show the registry</Link>
    </p>
  );
}

function NoView(): JSX.Element {
  return (
    <p class="empty">
      There is no such view. <Link to="./">Show the overview</Link>
    </p>
  );
}
