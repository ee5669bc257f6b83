// The start of the page: replaces what the server has rendered.

import { render } from "preact";
import { Page } from "./components/layout";
import { start } from "./router";
import { identify } from "./state/identity";
import { follow } from "./state/live";
import { apply } from "./state/theme";
import { loadAll } from "./views";
import "./style/index.css";

/** Milliseconds that the first view has for itself. */
const FIRST = 3000;

apply();
start();
follow();
void identify();
const root = document.getElementById("page");
if (root) {
  root.replaceChildren();
  render(<Page />, root);
}
setTimeout(loadAll, FIRST);
