// The frame of every view: navigation, who is signed in, whether pldns can be reached, and the view itself.

import type { ComponentType, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { clock } from "../format";
import { href, Link, usePlace } from "../router";
import { identity, useOnlyRegistry } from "../state/identity";
import { link, overview } from "../state/live";
import { useRegistryRoles } from "../state/registry";
import { useStore } from "../state/store";
import { choose, theme, THEMES, type Theme } from "../state/theme";
import { VIEWS, type View, type ViewProps } from "../views";
import { Badge } from "./badge";
import { ErrorBox, Loading, SignIn } from "./states";
import { ApiError } from "../api/client";
import { Text } from "./text";
import { Toasts } from "./toast";

const SECTIONS = ["Estate", "Queries", "System"] as const;

/** The file with the licences of the libraries in the page. Only the server knows its name, which has a digest. */
const LICENCES = document.querySelector<HTMLLinkElement>('link[rel="license"]')?.href;

export function Page(): JSX.Element {
  const { view: path, query } = usePlace();
  const view = VIEWS.find((each) => each.path === path);
  const title = view?.title ?? "No such view";
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const onlyRegistry = useOnlyRegistry();
  useEffect(() => {
    document.title = `${title} · pldns`;
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <header class="bar">
        <Link to="./" class="brand">
          pldns
        </Link>
        <Navigation current={path} />
        <div class="who">
          <ThemeChoice />
          <Who />
          {LICENCES && <a href={LICENCES}>Licences</a>}
        </div>
      </header>
      <main id="content" tabIndex={-1} ref={main}>
        <Banner />
        <h1>{title}</h1>
        {!view ? (
          <NoView />
        ) : isFor(view, onlyRegistry) ? (
          <Shown view={view} query={query} />
        ) : (
          <NotPermitted />
        )}
      </main>
      <Toasts />
    </>
  );
}

function Navigation(props: { current: string }): JSX.Element {
  const findings = useStore(overview)?.counts.findings;
  const hasRegistry = Boolean(useRegistryRoles());
  const onlyRegistry = useOnlyRegistry();
  const [open, setOpen] = useState(false);
  useEffect(() => {
    setOpen(false);
  }, [props.current]);
  const views = VIEWS.filter((each) => (!each.needs || hasRegistry) && isFor(each, onlyRegistry));
  const severe = (findings?.error ?? 0) + (findings?.warning ?? 0);
  return (
    <nav aria-label="Views" class={open ? "views open" : "views"}>
      <button
        type="button"
        class="menu"
        aria-expanded={open}
        onClick={() => {
          setOpen(!open);
        }}
      >
        Views
      </button>
      {SECTIONS.filter((section) => views.some((each) => each.section === section)).map((section) => (
        <ul key={section} aria-label={section}>
          {views
            .filter((each) => each.section === section)
            .map((each) => (
              <li key={each.path}>
                <Link to={href(each.path)} current={each.path === props.current}>
                  {each.title}
                  {each.path === "findings" && severe > 0 && <span class="count">{severe}</span>}
                </Link>
              </li>
            ))}
        </ul>
      ))}
    </nav>
  );
}

function Who(): JSX.Element | null {
  const known = useStore(identity);
  const { view, query } = usePlace();
  if (known === undefined) return null;
  if (!known?.proven) {
    const next = `${view}${query.size ? `?${query.toString()}` : ""}`;
    return <a href={href("sign-in", { next })}>Sign in</a>;
  }
  return (
    <>
      <span class="identity" title={`Role: ${known.role}`}>
        <Text value={known.name} /> <Badge tone="neutral">{known.role}</Badge>
      </span>
      {known.session && (
        <form method="post" action="../sign-out">
          <button>Sign out</button>
        </form>
      )}
    </>
  );
}

function ThemeChoice(): JSX.Element {
  const chosen = useStore(theme);
  return (
    <select
      aria-label="Theme"
      value={chosen}
      onChange={(event) => {
        choose(event.currentTarget.value as Theme);
      }}
    >
      {THEMES.map((each) => (
        <option key={each} value={each}>
          {each === "auto" ? "As the system" : each === "light" ? "Light" : "Dark"}
        </option>
      ))}
    </select>
  );
}

/** Whether the data on the page is that of now. */
function Banner(): JSX.Element | null {
  const known = useStore(identity);
  const { state, since, refused } = useStore(link);
  if (known === null) {
    return (
      <p class="banner" role="alert">
        You are signed out; what is below may be old. <SignIn />
      </p>
    );
  }
  if (state !== "lost") return null;
  if (refused) {
    return (
      <p class="banner" role="alert">
        pldns sends no live data since {clock(since)}: <Text value={refused.message} />. The page tries again
        by itself.
      </p>
    );
  }
  return (
    <p class="banner" role="alert">
      pldns cannot be reached since {clock(since)}. What is below is from then. The page tries again by
      itself.
    </p>
  );
}

function Shown(props: { view: View; query: URLSearchParams }): JSX.Element {
  const { view, query } = props;
  const [loaded, setLoaded] = useState<{
    of: View;
    Component?: ComponentType<ViewProps>;
    failed?: boolean;
  }>();
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
  }, [view]);
  if (loaded?.of !== view) return <Loading />;
  if (!loaded.Component) {
    const error = new ApiError(
      0,
      "",
      "This view cannot be loaded. After an update of pldns, reload the page.",
    );
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

/** Return whether a view is of use: with no role but one in the registry, only that of the registry is. */
function isFor(view: View, onlyRegistry: boolean): boolean {
  return !onlyRegistry || view.needs === "registry";
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
