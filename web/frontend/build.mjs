// Bundles src/ into the folder given as first argument: hashed files, manifest.json, the icon sprite, the licences.
// `node build.mjs OUT --watch` keeps rebuilding for whoever works on the browser side.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = process.argv[2];
if (!out) throw new Error("usage: node build.mjs OUT [--watch]");
await mkdir(out, { recursive: true });

const hashed = (content) => createHash("sha256").update(content).digest("hex").slice(0, 10);

async function sprite() {
  const names = JSON.parse(await readFile(join(here, "src/icons.json"), "utf8"));
  const symbols = await Promise.all(
    names.map(async (name) => {
      const svg = await readFile(join(here, "node_modules/heroicons/24/outline", `${name}.svg`), "utf8");
      const inner = svg.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").trim();
      return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6">${inner}</symbol>`;
    }),
  );
  const file = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
  const name = `icons-${hashed(file)}.svg`;
  await writeFile(join(out, name), file);
  return name;
}

// Who wrote what is inside the bundles: every package a bundle drew on, with its licence as published.
async function licences(metafile) {
  const packages = new Set(["heroicons"]);
  for (const input of Object.keys(metafile.inputs)) {
    const hit = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (hit) packages.add(hit[1]);
  }
  const parts = [];
  for (const name of [...packages].sort()) {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? (await readFile(join(folder, file), "utf8")).trim() : `Licence: ${license}`;
    parts.push(`${name} ${version}\n\n${text}\n`);
  }
  await writeFile(join(out, "THIRD-PARTY-LICENSES.txt"), parts.join(`\n${"-".repeat(100)}\n\n`));
}

async function manifest(metafile, icons) {
  const names = { "icons.svg": icons };
  for (const [path, output] of Object.entries(metafile.outputs)) {
    if (output.entryPoint) names[basename(output.entryPoint)] = relative(out, path);
  }
  await writeFile(join(out, "manifest.json"), `${JSON.stringify(names, null, 1)}\n`);
}

const finish = {
  name: "finish",
  setup(build) {
    build.onEnd(async (result) => {
      if (!result.metafile || result.errors.length) return;
      await licences(result.metafile);
      await manifest(result.metafile, await sprite());
    });
  },
};

const options = {
  absWorkingDir: process.cwd(),
  entryPoints: ["app.js", "diagram.js", "replay.js", "app.css", "diagram.css", "replay.css"].map((name) => join(here, "src", name)),
  outdir: out,
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome111", "firefox114", "safari16.4"],
  minify: true,
  legalComments: "none",
  metafile: true,
  loader: { ".woff2": "file", ".svg": "dataurl" },
  logLevel: "warning",
  plugins: [finish],
};

if (process.argv.includes("--watch")) await (await esbuild.context(options)).watch();
else await esbuild.build(options);
