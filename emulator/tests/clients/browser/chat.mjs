// Opens the realtime page as two people do, and prints what they see as JSON: `node chat.mjs PAGE WEBSOCKET_URL`.
// Without arguments it only tells which browser it has.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import puppeteer from "puppeteer-core";

/** A Chromium that is installed, or else the one that an npm package carries. */
async function chromium() {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const places = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const installed = places.find(existsSync);
  if (installed) return installed;
  // It unpacks itself into the temporary folder, and the libraries that it needs where it is told that it is in AWS Lambda.
  const folder = join(import.meta.dirname, "node_modules", ".unpacked");
  process.env.TMPDIR = folder;
  process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs22.x";
  mkdirSync(folder, { recursive: true });
  // Its own configuration looks for its fonts in /tmp, and a page for which there is no font at all never shows.
  process.env.FONTCONFIG_FILE = join(folder, "own-fonts.conf");
  const fonts = `<fontconfig><dir>${join(folder, "fonts")}</dir><cachedir>${join(folder, "fonts-cache")}</cachedir></fontconfig>`;
  writeFileSync(process.env.FONTCONFIG_FILE, `<?xml version="1.0"?>\n${fonts}\n`);
  const { default: carried } = await import("@sparticuz/chromium");
  return carried.executablePath();
}

const [pageUrl, socketUrl] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: await chromium(),
  headless: "shell",
  // Containers have neither a sandbox nor much shared memory.
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});

/** The page in a tab of its own, after it tried to connect. */
async function enter(token) {
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(pageUrl);
  await page.type("#url", socketUrl);
  await page.type("#token", token);
  await page.click("#connect");
  await page.waitForFunction(() => !/…$/.test(document.querySelector("#state").textContent));
  return page;
}

const state = (page) => page.$eval("#state", (part) => part.textContent);
const messages = (page) => page.$$eval("#messages li", (lines) => lines.map((line) => line.textContent));

async function say(page, action, text) {
  await page.type("#text", text);
  await page.click(`#message button[value=${action}]`);
}

async function hears(page, count) {
  await page.waitForFunction((count) => document.querySelectorAll("#messages li").length >= count, {}, count);
}

async function chat() {
  const stranger = await enter("no-such-token");
  const alice = await enter("alice-token");
  const bob = await enter("bob-token-1");
  const seen = { stranger: await state(stranger), alice: await state(alice) };

  await say(alice, "broadcast", "Olá, São Paulo! 🌧");
  await Promise.all([hears(alice, 1), hears(bob, 1)]);
  await say(bob, "sendMessage", "só para mim");
  await hears(bob, 2);
  await say(bob, "broadcast", "");
  await hears(bob, 3);
  seen.aliceHeard = await messages(alice);
  seen.bobHeard = await messages(bob);
  if (process.env.GAROA_SCREENSHOT) await bob.screenshot({ path: process.env.GAROA_SCREENSHOT });

  await bob.click("#disconnect");
  await bob.waitForFunction(() => document.querySelector("#state").textContent.startsWith("Desconectado"));
  seen.bob = await state(bob);
  console.log(JSON.stringify(seen));
}

try {
  if (pageUrl) await chat();
  else console.log(await browser.version());
} finally {
  await browser.close();
}
