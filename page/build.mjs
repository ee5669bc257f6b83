// Builds the page into resolver/dashboard/assets: scripts and styles whose names have a digest of their content, each
// also compressed, the licences of the libraries in them, and a manifest for the server. The same sources and the same
// package-lock.json give the same files.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "../resolver/dashboard/assets");

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.tsx", "src/icon.svg"],
  outdir: out,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".svg": "copy" },
  metafile: true,
  logLevel: "warning",
});

const outputs = Object.entries(metafile.outputs);
const main = outputs.find(([, each]) => each.entryPoint === "src/main.tsx");
const icon = outputs.find(([, each]) => each.entryPoint === "src/icon.svg");
const statics = (name, seen = new Set()) => {
  for (const each of metafile.outputs[name].imports.filter(({ kind }) => kind === "import-statement")) {
    if (!seen.has(each.path)) statics(each.path, seen.add(each.path));
  }
  return seen;
};

const packages = new Set();
for (const input of Object.keys(metafile.inputs)) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (found) packages.add(found[1]);
}
for (const name of packages) {
  // a package may have its dependencies in its own files
  const { dependencies } = JSON.parse(
    await readFile(join(here, "node_modules", name, "package.json"), "utf8"),
  );
  for (const each of Object.keys(dependencies ?? {})) packages.add(each);
}
const licences = await Promise.all(
  [...packages].sort().map(async (name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
    if (!file) throw new Error(`${name} has no file with its licence`);
    return `${name} ${version} (${license})\n\n${(await readFile(join(folder, file), "utf8")).trim()}\n`;
  }),
);
const text = `Libraries in the page of pldns, and their licences.\n\n${licences.join(`\n${"-".repeat(72)}\n\n`)}`;
const licenceFile = `licences-${createHash("sha256").update(text).digest("hex").slice(0, 8)}.txt`;
await writeFile(join(out, licenceFile), text);

const files = (await readdir(out)).sort();
for (const file of files) {
  const octets = await readFile(join(out, file));
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: octets.length };
  await writeFile(join(out, `${file}.br`), brotliCompressSync(octets, { params: quality }));
  await writeFile(join(out, `${file}.gz`), gzipSync(octets, { level: 9 }));
}
const manifest = {
  scripts: [basename(main[0])],
  preloads: [...statics(main[0])].map((each) => basename(each)).sort(),
  styles: main[1].cssBundle ? [basename(main[1].cssBundle)] : [],
  icon: basename(icon[0]),
  licences: licenceFile,
  libraries: [...packages].sort(),
  files,
};
await writeFile(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
