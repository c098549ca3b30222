/*
 * The report and the upload page in chromium. usage: node browser.mjs BOTHENDS FIXTURES
 * Prints ok NAME, or not ok NAME: why.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [bothends, fixtures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const dir = mkdtempSync(join(tmpdir(), "bothends-web-"));
const browser = await chromium.launch({
	executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let failed = 0;

function need(condition, why) {
	if (!condition)
		throw new Error(why);
}

async function test(name, body) {
	try {
		await body();
		console.log(`ok ${name}`);
	} catch (e) {
		failed++;
		console.log(`not ok ${name}: ${String(e.message).split("\n")[0]}`);
	}
}

function analyze(name, inputs, sql) {
	const db = join(dir, `${name}.db`), html = join(dir, `${name}.html`);
	execFileSync(bothends, ["analyze", "-q", "-o", db, ...inputs]);
	if (sql)
		execFileSync("sqlite3", [db, sql]);
	execFileSync(bothends, ["report", "--format", "html", "-o", html, db]);
	return html;
}

/* A page that notes everything it should not do. */
async function open(url, options) {
	const context = await browser.newContext({ bypassCSP: false, ...options });
	const page = await context.newPage();
	page.trouble = [];
	page.on("console", (m) => { if (m.type() === "error" || m.type() === "warning") page.trouble.push(m.text()); });
	page.on("pageerror", (e) => page.trouble.push(String(e)));
	page.on("request", (r) => { if (r.url() !== url && !r.url().startsWith("data:")) page.trouble.push(`fetched ${r.url()}`); });
	page.on("dialog", (d) => { page.trouble.push(`dialog ${d.message()}`); d.dismiss(); });
	await page.goto(url);
	return page;
}

async function calm(page) {
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
	need(wide <= 0, `${wide} px too wide`);
	need(page.trouble.length === 0, page.trouble.join("; "));
}

async function accessible(page) {
	const session = await page.context().newCDPSession(page);
	/* By the debugger: the page's own policy lets no other script in. */
	await session.send("Runtime.evaluate", { expression: axe });
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
	need(found.violations.length === 0, found.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 120)}`).join("; "));
}

const arp = `${fixtures}/capture/stale-arp`, loss = `${fixtures}/capture/loss-2pct-s2c`;
const reports = {
	"stale-arp": analyze("arp", [`worker=${arp}/worker.pcapng`, `db=${arp}/db.pcapng`]),
	loss: analyze("loss", [`client=${loss}/client.pcap.zst`, `server=${loss}/server.pcap.zst`]),
};

for (const [name, file] of Object.entries(reports))
	for (const width of [360, 1440])
		for (const colorScheme of ["light", "dark"])
			await test(`report ${name}, ${width} px, ${colorScheme}`, async () => {
				const page = await open(`file://${file}`, { viewport: { width, height: 900 }, colorScheme });
				need(await page.locator("article.story h3").count() >= 1, "no story");
				need(await page.locator("svg.ladder.order .msg .shaft").count() >= 4, "no ladder");
				need(await page.locator("svg.ladder.order .cross").count() >= 3, "no lost segment in a ladder");
				need(await page.locator("svg.map .leg").count() === 2, "no map");
				await page.locator("#time").scrollIntoViewIfNeeded();
				await page.waitForSelector(".plot canvas");
				need(await page.locator("table.data").count() >= 5, "no tables");
				await calm(page);
				await accessible(page);
				await page.context().close();
			});

await test("charts zoom together", async () => {
	const page = await open(`file://${reports.loss}`, { viewport: { width: 1200, height: 900 } });
	await page.locator("#time").scrollIntoViewIfNeeded();
	await page.waitForSelector("#plot-loss canvas");
	const labels = () => page.locator("#plot-delay .dygraph-axis-label-x").allTextContents();
	const before = (await labels()).join();
	const box = await page.locator("#plot-loss").boundingBox();
	await page.mouse.move(box.x + 200, box.y + 60);
	await page.mouse.down();
	await page.mouse.move(box.x + 320, box.y + 62, { steps: 5 });
	await page.mouse.up();
	await page.waitForTimeout(300);
	need((await labels()).join() !== before, "the delay chart did not follow");
	await calm(page);
	await page.context().close();
});

await test("time to scale, sorting and copying by keyboard", async () => {
	const page = await open(`file://${reports["stale-arp"]}`, { viewport: { width: 1200, height: 900 } });
	await page.locator(".pick.order").first().focus();
	await page.keyboard.press("ArrowRight");
	need(await page.locator("svg.ladder.scale").first().isVisible() && !await page.locator("svg.ladder.order").first().isVisible(), "no switch to scale");
	const header = page.locator("#findings th button").first();
	await header.focus();
	await page.keyboard.press("Enter");
	need(await page.locator("#findings tbody tr td").first().textContent() === "2", "not sorted, largest first");
	need(await page.locator(".copy button").first().isVisible(), "nothing to copy with");
	await page.context().close();
});

await test("hostile text stays text", async () => {
	const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>"'>\u202Eevil</script>`.replaceAll("'", "''");
	const file = analyze("evil", [`worker=${arp}/worker.pcapng`, `db=${arp}/db.pcapng`],
		`UPDATE finding SET summary = '${evil}', remedy = '${evil}'; UPDATE vantage SET name = '${evil}' || id, mac = CAST(x'ff3c623e' AS TEXT);
		UPDATE host SET name = '${evil}' || id; UPDATE evidence SET note = '${evil}'; UPDATE capture_file SET path = '/tmp/${evil}';`);
	const page = await open(`file://${file}`, { viewport: { width: 360, height: 800 } });
	await page.locator("#time").scrollIntoViewIfNeeded();
	await page.waitForSelector(".plot canvas");
	need(await page.locator("img").count() === 0, "an image came in");
	need((await page.locator("h1").textContent()).startsWith("<script>alert(1)"), "the text is not shown as it is");
	need(!(await page.content()).includes("\u202E"), "a bidi override came through");
	await calm(page);
	await page.context().close();
});

await test("10,000 findings open in a second", async () => {
	const file = analyze("many", [`worker=${arp}/worker.pcapng`, `db=${arp}/db.pcapng`],
		`WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 10009)
		INSERT INTO finding (id, kind, severity, confidence, summary) SELECT i, 'reset', 'notice', 0.9, 'made up ' || i FROM n;`);
	const began = Date.now();
	const page = await open(`file://${file}`, { viewport: { width: 1440, height: 900 } });
	need(Date.now() - began < 3000, `${Date.now() - began} ms`);
	const loaded = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
	need(loaded < 1000, `loaded after ${Math.round(loaded)} ms`);
	need((await page.locator("#findings").textContent()).includes("more. All of them"), "does not say how to get the rest");
	await calm(page);
	await page.context().close();
});

await test("from drop to report", async () => {
	const server = spawn(bothends, ["serve", "--store", join(dir, "store"), "--listen", "127.0.0.1:0"]);
	try {
		const url = await new Promise((done) => server.stdout.once("data", (d) => done(String(d).trim())));
		const context = await browser.newContext({ viewport: { width: 360, height: 800 } });
		const page = await context.newPage(), trouble = [];
		page.on("console", (m) => { if (m.type() === "error") trouble.push(m.text()); });
		page.on("pageerror", (e) => trouble.push(String(e)));
		await page.goto(url);
		await page.waitForSelector("#start:not([hidden])");
		await page.setInputFiles("#pick", [`${arp}/worker.pcapng`, `${arp}/db.pcapng`]);
		page.trouble = trouble;
		await calm(page);
		await accessible(page);
		await page.click("#go");
		await page.waitForSelector("#findings li", { timeout: 30000 });
		need((await page.textContent("#verdict")).includes("never reached"), "no verdict");
		await page.click("#sql button");
		await page.waitForSelector("#rows table");
		await calm(page);
		await accessible(page);
		await page.click("#links a");
		await page.waitForSelector("article.story");
		await page.locator("#time").scrollIntoViewIfNeeded();
		await page.waitForSelector(".plot canvas");
		await calm(page);
		await context.close();
	} finally {
		server.kill();
	}
});

await browser.close();
rmSync(dir, { recursive: true });
process.exit(failed ? 1 : 0);
