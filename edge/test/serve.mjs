// Serves the Worker on workerd, with the settings of the environment, until its
// standard input ends. It prints the port, and then what the Worker logs.
import process from "node:process";
import { serve } from "./front.mjs";

const settings = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("FERRY_")));
const front = await serve.workerd(settings, {
  handleRuntimeStdio(stdout, stderr) {
    stdout.pipe(process.stdout);
    stderr.pipe(process.stderr);
  },
});
console.log(front.port);
process.stdin.resume().on("end", () => front.stop());
