/* Opens a report five times in a fresh chromium page and prints what the browser measured. usage: node load.mjs FILE */
import { chromium } from "playwright-core";

const file = process.argv[2];
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
let wrong = 0;

for (let i = 0; i < 5; i++) {
	const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
	page.on("pageerror", (e) => { wrong = 1; console.log(String(e)); });
	const session = await page.context().newCDPSession(page);
	await session.send("Performance.enable", { timeDomain: "threadTicks" });
	await page.goto(`file://${file}`);
	const t = await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
		const n = performance.getEntriesByType("navigation")[0], p = performance.getEntriesByName("first-contentful-paint")[0];
		done({ painted: p && p.startTime, loaded: n.loadEventEnd, nodes: document.querySelectorAll("*").length });
	}))));
	/* Processor time: that of the clock depends on what else the machine does. */
	const cost = Object.fromEntries((await session.send("Performance.getMetrics")).metrics.map((m) => [m.name, m.value]));
	const ms = (name) => Math.round(cost[name] * 1000);
	const began = Date.now();
	await page.locator(".chart").first().scrollIntoViewIfNeeded();
	await page.waitForSelector(".plot canvas");
	const charts = Date.now() - began;
	console.log(`processor ${ms("TaskDuration")} ms: styles ${ms("RecalcStyleDuration")}, layout ${ms("LayoutDuration")}, scripts ${ms("ScriptDuration")}`);
	console.log(`painted after ${Math.round(t.painted)} ms, loaded after ${Math.round(t.loaded)} ms, ${t.nodes} elements; charts ${charts} ms after scrolling there`);
	await page.context().close();
}
await browser.close();
process.exit(wrong);
