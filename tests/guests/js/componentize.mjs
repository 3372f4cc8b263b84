// Makes a component of a JavaScript module: without WASI imports, or for the world `web` a server
// with `fetch`. The build script runs a copy of
// this file beside node_modules.
// Usage: node componentize.mjs SOURCE WIT_FOLDER WORLD OUTPUT

import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { componentize } from "@bytecodealliance/componentize-js";

const [source, witPath, worldName, output] = process.argv.slice(2);
const all = ["stdio", "random", "clocks", "http", "fetch-event"];
const { component } = await componentize(await readFile(source, "utf8"), {
  sourceName: basename(source),
  witPath,
  worldName,
  disableFeatures: worldName === "web" ? [] : all,
});
await writeFile(output, component);
