// A `garoa serve` for one file of tests, and the settings of clients for it.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Starts the server that the environment variable GAROA names; `settings` are for the SDK's clients. */
export async function serve(...options) {
  const process_ = spawn(process.env.GAROA, ["serve", "--listen", "127.0.0.1:0", ...options], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, GAROA_LOG: "garoa=info", NO_COLOR: "1" },
  });
  const lines = createInterface({ input: process_.stderr });
  const url = await new Promise((found, failed) => {
    lines.on("line", (line) => {
      const serves = /serves on (http:\S+)/.exec(line);
      if (serves) found(serves[1]);
    });
    process_.once("exit", (code) => failed(new Error(`garoa serve ended: ${code}`)));
  });
  return {
    url,
    settings: {
      endpoint: url,
      region: "us-east-1",
      credentials: { accessKeyId: "123456789012", secretAccessKey: "test" },
      maxAttempts: 1,
    },
    async stop() {
      const ended = new Promise((end) => process_.once("exit", end));
      process_.kill("SIGTERM");
      return ended;
    },
  };
}
