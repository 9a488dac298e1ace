// Builds dist/worker.js, the one file that is deployed. It fails if that is larger
// than it may be.
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const limit = 40 * 1024; // bytes, gzipped

await build({
  entryPoints: ["src/worker.ts"],
  outfile: "dist/worker.js",
  bundle: true,
  format: "esm",
  target: "es2023",
  minify: true,
  legalComments: "none",
});
const file = readFileSync("dist/worker.js");
const size = gzipSync(file).length;
console.log(`dist/worker.js has ${file.length} bytes, gzipped ${size} of ${limit}`);
if (size > limit) process.exitCode = 1;
