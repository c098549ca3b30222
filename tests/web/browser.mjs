/*
 * The report and the upload page in chromium. usage: node browser.mjs BOTHENDS FIXTURES [WORDS OF A TEST]
 * Prints ok NAME, or not ok NAME: why.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [bothends, fixtures, only] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const dir = mkdtempSync(join(tmpdir(), "bothends-web-"));
/* Whatever ends the test: nothing is left. */
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"])
	process.on(signal, () => process.exit(1));
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
	if (only && !name.includes(only))
		return;
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

function capture(name, ...files) {
	return analyze(name, files.map((f) => `${f.split(".")[0]}=${fixtures}/capture/${name}/${f}`));
}

/* What each report must show: words of its verdict, and how much of what is drawn. */
const reports = {
	"stale-arp": {
		file: capture("stale-arp", "worker.pcapng", "db.pcapng"), verdict: /never reached/, because: /00:00:01:fc:b3:48/,
		ladder: 4, crosses: 3, legs: 2, charts: ["loss", "activity"], tables: 5,
		without: ["delay"], /* packets bound its clock on one side only */
	},
	"one-way loss": {
		file: capture("loss-2pct-s2c", "client.pcap.zst", "server.pcap.zst"), verdict: /of what server sends never reaches client .* client to server: no loss in/,
		ladder: 4, crosses: 3, legs: 2, charts: ["loss", "delay", "activity"], tables: 6,
	},
	"vrrp lost": {
		file: capture("vrrp-lost", "lb1.pcap", "lb2.pcap", "compute.facts.jsonl"), verdict: /heard no VRRP advert of lb1/, because: /vhost_net/,
		legs: 2, charts: ["spans", "loss", "vrrp"], lanes: { spans: ["vrrp-gap-path lb2"], vrrp: ["10.4.0.2 is master of VRID 51, as heard at lb2"] },
		bars: { "10.4.0.2 is master of VRID 51, as heard at lb1": 1, "10.4.0.2 is master of VRID 51, as heard at lb2": 2 }, tables: 6,
	},
	"vrrp flap": {
		file: capture("vrrp-both", "lb1.pcap", "lb2.pcap"), verdict: /changed 6 times/, legs: 2, charts: ["spans", "vrrp"],
		bars: { "10.4.0.3 is master of VRID 51, as heard at lb2": 3 }, tables: 6,
	},
	"vrrp stall": { file: capture("vrrp-stall", "lb1.pcap", "lb2.pcap"), verdict: /sent no VRRP advert/, legs: 2, charts: ["spans", "vrrp"], tables: 5 },
	"vrrp planned": { file: capture("vrrp-planned", "lb1.pcap", "lb2.pcap"), verdict: /^No loss: all \d+ packets arrived/, stories: 0, legs: 2, charts: ["vrrp"], tables: 4 },
	"dark receive": {
		file: capture("dark-receive", "app.pcap", "db.pcap", "job.pcap", "web.pcap", "web.facts.jsonl"), verdict: /web received nothing for 8.s/, because: /ixgbevf/,
		ladder: 9, crosses: 5, folded: /35 more like this/, legs: 8, charts: ["spans", "loss", "activity"], lanes: { spans: ["host-dark web"] }, tables: 7,
	},
	"dark transmit": {
		file: capture("dark-transmit", "app.pcap", "db.pcap", "job.pcap", "web.pcap", "web.facts.jsonl"), verdict: /nothing web sent arrived anywhere for 6.s.*NETDEV WATCHDOG/, ladder: 4, crosses: 1, legs: 8,
		charts: ["spans", "activity"], tables: 6,
	},
	"dark gone": {
		file: capture("dark-gone", "app.pcap", "db.pcap", "job.pcap", "web.pcap", "web.facts.jsonl", "spare.facts.jsonl"), verdict: /did not come back/, legs: 8,
		charts: ["activity"], tables: 5,
	},
	"flow log, dark": {
		file: analyze("story-dark", [`${fixtures}/flowlog/story-dark`]), verdict: /answered nobody for 6/, charts: ["spans", "flowlog", "logwindows"],
		lanes: { logwindows: ["eni-0aaa1111bbbb2222c: records"] }, tables: 4, noMap: true,
	},
	"flow log, gap": {
		file: analyze("story-gap", [`${fixtures}/flowlog/story-gap`]), verdict: /holds no record/, charts: ["spans", "logwindows"],
		bars: { "eni-0bbb2222cccc3333d: no traffic (NODATA)": 2 }, tables: 4, noMap: true,
	},
	"clock": {
		file: capture("clock-drift-step", "client.pcap.zst", "server.pcap.zst"), verdict: /never reaches client/, ladder: 4, crosses: 1, legs: 2,
		charts: ["spans", "loss", "delay"], clocks: 2, tables: 7,
	},
	"long names": {
		file: analyze("long", [`worker-node-0123456789abcdef.kubernetes.internal.example-company.net=${arp}/worker.pcapng`,
			`database-primary-replica-eu-central-1a.internal.example-company.net=${arp}/db.pcapng`]),
		verdict: /never reached/, ladder: 4, crosses: 3, legs: 2, charts: ["loss"], tables: 5,
	},
};

/* Every bar and point of the charts, as the page hands them to the library. */
async function series(page, chart) {
	return page.evaluate((id) => JSON.parse(document.getElementById("series").textContent).charts.find((c) => c.id === id).series, chart);
}

async function drawn(page, r) {
	const h1 = await page.locator("h1").textContent();
	need(r.verdict.test(h1), `the verdict is "${h1}"`);
	const stories = await page.locator("article.story h3").count();
	need(r.stories === undefined ? stories >= 1 : stories === r.stories, `${stories} stories`);
	if (r.because)
		need(r.because.test(await page.locator("p.lead").textContent()), "no cause");
	need(await page.locator("svg.ladder.order .msg .shaft").count() >= (r.ladder || 0), "no ladder");
	need(await page.locator("svg.ladder.order .cross").count() >= (r.crosses || 0), "no lost segment in a ladder");
	if (r.folded)
		need(r.folded.test(await page.locator("svg.ladder.order").first().textContent()), "what repeats is not folded");
	need(await page.locator("svg.map .leg").count() === (r.legs || 0), "not the legs of the map");
	need(await page.locator("table.data").count() >= r.tables, `${await page.locator("table.data").count()} tables`);
	for (const link of await page.locator("nav a").all())
		need(await page.locator(await link.getAttribute("href")).count() === 1, "a link leads nowhere");
	need(await page.locator("#clocks tbody tr").count() >= (r.clocks || 0), "no clock");
}

async function charted(page, r) {
	await page.locator("#time").scrollIntoViewIfNeeded();
	await page.waitForSelector(".plot canvas");
	for (const id of r.charts) {
		need(await page.locator(`#plot-${id} canvas`).count() >= 1, `no chart ${id}`);
		/* Something was painted: not all pixels are alike. */
		need(await page.locator(`#plot-${id} canvas`).first().evaluate((c) => {
			const d = new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer);
			return d.some((p) => p !== d[0]);
		}), `chart ${id} is blank`);
	}
	for (const id of r.without || [])
		need(await page.locator(`#plot-${id}`).count() === 0, `a chart ${id}`);
	for (const [id, names] of Object.entries(r.lanes || {}))
		for (const name of names)
			need((await series(page, id)).some((s) => s.name.endsWith(name)), `no lane ${name}`);
	for (const [name, bars] of Object.entries(r.bars || {})) {
		const all = [...await series(page, r.charts.at(-1))].find((s) => s.name === name);
		need(all && all.points.length === bars, `${name}: ${all ? all.points.length : "no"} bars`);
	}
}

/* Words of the map cover neither each other nor a box. */
async function mapReadable(page) {
	const worst = await page.evaluate(() => {
		const boxes = [...document.querySelectorAll("svg.map text.loss, svg.map .node rect")].map((e) => e.getBoundingClientRect());
		for (let i = 0; i < boxes.length; i++)
			for (let k = i + 1; k < boxes.length; k++) {
				const a = boxes[i], b = boxes[k];
				if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
					return `${i} and ${k}`;
			}
		return "";
	});
	need(!worst, `on the map ${worst} overlap`);
}

/* Each report narrow and wide, in one of the two schemes each; the first in all of them. */
for (const [i, [name, r]] of Object.entries(reports).entries())
	for (const width of i < 1 ? [360, 1000, 1440] : [360, 1440])
		for (const colorScheme of i < 1 ? ["light", "dark"] : [(i + (width > 400)) % 2 ? "light" : "dark"])
			await test(`report ${name}, ${width} px, ${colorScheme}`, async () => {
				const page = await open(`file://${r.file}`, { viewport: { width, height: 900 }, colorScheme });
				await drawn(page, r);
				await charted(page, r);
				if (!r.noMap)
					await mapReadable(page);
				await calm(page);
				/* What it finds depends on content and colours; the width changes neither. */
				if (width === 360)
					await accessible(page);
				await page.context().close();
			});

await test("on paper: everything is unfolded, and nothing wider than the page", async () => {
	const page = await open(`file://${reports["dark receive"].file}`, { viewport: { width: 1280, height: 900 } });
	await page.locator("#time").scrollIntoViewIfNeeded();
	await page.waitForSelector(".plot canvas");
	await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
	await page.emulateMedia({ media: "print" });
	need(await page.locator("details.part:not([open])").count() === 0, "a finding stays folded on paper");
	need(!await page.locator("nav").isVisible() && !await page.locator(".copy button").first().isVisible(), "what only a screen has is printed");
	const wide = await page.locator(".plot > div").first().evaluate((p) => p.getBoundingClientRect().width);
	need(wide <= 700, `a chart of ${wide} px`);
	need((await page.pdf({ format: "A4" })).length > 20000, "no PDF");
	await page.emulateMedia({ media: "screen" });
	await page.evaluate(() => dispatchEvent(new Event("afterprint")));
	need(await page.locator("details.part[open]").count() === 0, "unfolded for good");
	await calm(page);
	await page.context().close();
});

await test("charts zoom together, bars and lines, and back", async () => {
	const page = await open(`file://${reports["vrrp flap"].file}`, { viewport: { width: 1200, height: 900 } });
	await page.locator(".chart").first().scrollIntoViewIfNeeded();
	await page.waitForSelector("#plot-loss canvas");
	const ids = ["spans", "loss", "activity", "vrrp"];
	const labels = async () => (await Promise.all(ids.map((id) => page.locator(`#plot-${id} .dygraph-axis-label-x`).allTextContents()))).map((l) => l.join());
	const before = await labels();
	need(new Set(before).size === 1, "the charts begin apart");
	const box = await page.locator("#plot-loss").boundingBox();
	await page.mouse.move(box.x + 300, box.y + 60);
	await page.mouse.down();
	await page.mouse.move(box.x + 420, box.y + 62, { steps: 5 });
	await page.mouse.up();
	await page.waitForTimeout(300);
	const after = await labels();
	need(new Set(after).size === 1 && after[0] !== before[0], "a chart did not follow");
	await page.mouse.dblclick(box.x + 300, box.y + 60);
	await page.waitForTimeout(500);
	need((await labels()).join() === before.join(), "a double click does not show everything");
	/* When the trouble began and ended: in words, and a band between two lines in each chart. */
	need(/^vrrp-flap: from 2026-11-21 05:58:03\.\d+ to 05:58:22\.\d+ UTC/.test(await page.locator(".trouble").textContent()), await page.locator(".trouble").textContent());
	need((await page.evaluate(() => JSON.parse(document.getElementById("series").textContent).windows.filter((w) => w.first).length)) > 0, "no band of the first finding");
	await calm(page);
	await page.context().close();
});

await test("a strip for each series, and nothing drawn where nothing was recorded", async () => {
	const page = await open(`file://${reports["dark receive"].file}`, { viewport: { width: 1200, height: 900 } });
	await page.locator(".chart").first().scrollIntoViewIfNeeded();
	await page.waitForSelector("#plot-activity canvas");
	const names = await page.locator("#plot-activity .legend").allTextContents();
	need(names.length === 8 && new Set(names).size === 8, `strips: ${names.join()}`);
	const all = await series(page, "activity");
	need(all.every((s) => s.from > 0 && s.to > s.from), "nobody says when a capture ran");
	/* Beside the verdict where that has room, and below it else. */
	const [said, map] = await Promise.all([".said", ".where"].map((s) => page.locator(s).boundingBox()));
	need(map.y >= said.y + said.height || map.x >= said.x + said.width, "the map lies on the verdict");
	await page.locator(".pick.scale").first().check({ force: true });
	need((await page.locator("svg.ladder.scale .gap").first().textContent()).endsWith(", cut"), "no silence is cut");
	await page.context().close();
});

await test("a loss names the frame that proves it", async () => {
	const page = await open(`file://${reports["one-way loss"].file}`, { viewport: { width: 1200, height: 900 } });
	const ladder = page.locator(".ladderbox").first();
	need(await ladder.locator("svg.order .msg .bow").count() >= 3, "what is sent again is not linked to what it repeats");
	need((await ladder.locator("svg.order .label").allTextContents()).some((l) => / again, proof$/.test(l)), "no proof in the ladder");
	need((await ladder.locator("tbody td").allTextContents()).some((l) => /the same as the one at \+.*; proves that loss/.test(l)), "no proof in the table");
	await page.context().close();
});

await test("time to scale, sorting, filtering and copying by keyboard", async () => {
	const page = await open(`file://${reports["dark receive"].file}`, { viewport: { width: 1200, height: 900 } });
	await page.locator(".pick.order").first().focus();
	await page.keyboard.press("ArrowRight");
	need(await page.locator("svg.ladder.scale").first().isVisible() && !await page.locator("svg.ladder.order").first().isVisible(), "no switch to scale");
	const column = (n) => page.locator(`#findings tbody tr:visible td:nth-child(${n})`).allTextContents();
	const header = page.locator("#findings th button");
	await header.first().focus();
	await page.keyboard.press("Enter");
	need((await column(1))[0] === "9" && await page.locator("#findings th").first().getAttribute("aria-sort") === "descending", "not sorted, largest first");
	await page.keyboard.press("Space");
	need((await column(1))[0] === "1", "not sorted the other way");
	await header.nth(2).focus();
	await page.keyboard.press("Enter");
	const kinds = await column(3);
	need(kinds.join() === [...kinds].sort().join(), "words are not sorted");
	await page.locator("#findings .filter input").focus();
	await page.keyboard.type("asymmetric job");
	need((await column(3)).length === 1, `${(await column(3)).length} rows are left`);
	need((await page.locator("#findings .filter [role=status]").textContent()) === "1 of 9", "nobody is told how many rows are left");
	await page.locator("details.part > summary").first().focus();
	await page.keyboard.press("Enter");
	need(await page.locator("details.part").first().getAttribute("open") !== null, "not unfolded");
	need(await page.locator(".copy button").first().isVisible(), "nothing to copy with");
	await calm(page);
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

await test("10,000 findings open in a second of processor time", async () => {
	const file = analyze("many", [`worker=${arp}/worker.pcapng`, `db=${arp}/db.pcapng`],
		`WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 10009)
		INSERT INTO finding (id, kind, severity, confidence, summary) SELECT i, 'reset', 'notice', 0.9, 'made up ' || i FROM n;`);
	const page = await open(`file://${file}`, { viewport: { width: 1440, height: 900 } });
	/* Processor time of the page's process: the clock on the wall also counts what else the machine does. */
	const session = await page.context().newCDPSession(page);
	await session.send("Performance.enable");
	const { metrics } = await session.send("Performance.getMetrics");
	const spent = metrics.find((m) => m.name === "ProcessTime").value;
	need(spent > 0 && spent < 1, `${Math.round(spent * 1000)} ms of processor time`);
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
		const report = page.frameLocator("#report");
		await report.locator("h1").waitFor({ timeout: 30000 });
		need((await report.locator("h1").textContent()).includes("never reached"), "the report is not shown");
		need(await page.locator("#report").evaluate((f) => f.clientHeight > 400 && f.clientWidth > 300), "the report has no room");
		need(!await page.locator("#sql").isVisible(), "the report does not come first");
		await page.click("#more summary");
		need((await page.textContent("#findings")).includes("frames (pcapng)"), "no evidence");
		await page.click("#sql button");
		await page.waitForSelector("#rows table");
		await calm(page);
		await accessible(page);
		await page.click("#links a:nth-child(2)");
		await page.waitForSelector("article.story");
		await page.locator("#time").scrollIntoViewIfNeeded();
		await page.waitForSelector(".plot canvas");
		await calm(page);
		await context.close();
	} finally {
		server.kill();
	}
});

await test("one capture alone is no clean bill on the upload page", async () => {
	const server = spawn(bothends, ["serve", "--store", join(dir, "store1"), "--listen", "127.0.0.1:0"]);
	try {
		const url = await new Promise((done) => server.stdout.once("data", (d) => done(String(d).trim())));
		const page = await open(url, { viewport: { width: 360, height: 800 } });
		await page.waitForSelector("#start:not([hidden])");
		/* Of two folders: two hosts. */
		await page.setInputFiles("#pick", [1, 2].map(() => ({ name: "dump.pcap", mimeType: "", buffer: Buffer.from("") })));
		need((await page.locator("#files li > label input").evaluateAll((all) => all.map((e) => e.value).join())) === "dump,dump-2", "two hosts under one name");
		await page.reload();
		await page.waitForSelector("#start:not([hidden])");
		await page.setInputFiles("#pick", [`${arp}/worker.pcapng`]);
		await page.click("#go");
		const report = page.frameLocator("#report");
		await report.locator("#open li").first().waitFor({ timeout: 30000 });
		need((await report.locator("h1").textContent()).startsWith("One capture alone cannot rule out loss: that of worker"), await report.locator("h1").textContent());
		need((await report.locator("#open").textContent()).includes("add the other end's capture"), await report.locator("#open").textContent());
		await accessible(page);
		await page.context().close();
	} finally {
		server.kill();
	}
});

await test("files on the upload page: named by their facts, removed, described, and a stop that keeps nothing", async () => {
	const server = spawn(bothends, ["serve", "--store", join(dir, "store3"), "--listen", "127.0.0.1:0"]);
	try {
		const url = await new Promise((done) => server.stdout.once("data", (d) => done(String(d).trim())));
		const page = await open(url, { viewport: { width: 360, height: 800 } });
		page.trouble.length = 0;
		await page.waitForSelector("#start:not([hidden])");
		await page.setInputFiles("#pick", [`${fixtures}/agent/db-stale.facts.jsonl`, `${arp}/worker.pcapng`]);
		await page.waitForFunction(() => document.querySelector("#files input").value === "db1");
		await page.click("#files li:first-child button");
		need(await page.locator("#files li").count() === 1, "not removed");
		await page.setInputFiles("#pick", [`${arp}/db.pcapng`]);
		await page.locator("#files details summary").first().click();
		need(await page.evaluate(() => [...document.querySelectorAll("input, textarea")].every((e) => e.labels.length)), "a field has no label");
		await page.locator("#files details input").nth(0).fill("10.9.9.9");
		await page.locator("#files details input").nth(1).fill("not port 443");
		await accessible(page);
		await page.click("#go");
		await page.frameLocator("#report").locator("h1").waitFor({ timeout: 30000 });
		const notes = await page.frameLocator("#report").locator("body").textContent();
		need(notes.includes("10.9.9.9"), "what was said of a host is not held against the packets");
		/* A stop, while the server waits for the rest. */
		await page.goto(url);
		await page.waitForSelector("#start:not([hidden])");
		const before = await page.locator("#list li").count();
		await page.setInputFiles("#pick", [{ name: "large.pcap", mimeType: "", buffer: Buffer.alloc(4 << 20, 1) }]);
		const session = await page.context().newCDPSession(page);
		await session.send("Network.enable");
		await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 1 << 17 });
		await page.click("#go");
		await page.waitForFunction(() => /Sent \d+ % of 4.0/.test(document.getElementById("progress").textContent));
		await page.click("#stop");
		await page.waitForFunction(() => document.getElementById("error").textContent.startsWith("Stopped"));
		await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
		await page.reload();
		await page.waitForSelector("#list li");
		need(await page.locator("#list li").count() === before, "a stopped upload is kept");
		await page.context().close();
	} finally {
		server.kill();
	}
});

await test("the upload page by keyboard alone", async () => {
	const server = spawn(bothends, ["serve", "--store", join(dir, "store2"), "--listen", "127.0.0.1:0"]);
	try {
		const url = await new Promise((done) => server.stdout.once("data", (d) => done(String(d).trim())));
		const page = await open(url, { viewport: { width: 1000, height: 800 } });
		page.trouble.length = 0; /* its own script and style are fetched here, and the list */
		/* Listened for long before: a chooser that opens first is the browser's own, and nobody hears of it. */
		const chosen = new Promise((done) => page.once("filechooser", done));
		const focused = () => page.evaluate(() => { const e = document.activeElement; return [e.id, e.tagName, e.getAttribute("aria-label") || e.textContent].join("|"); });
		const tabTo = async (what) => {
			for (let i = 0; i < 25; i++) {
				await page.keyboard.press("Tab");
				if (what.test(await focused()))
					return;
			}
			throw new Error(`nothing like ${what} is reached by Tab`);
		};
		await page.waitForSelector("#start:not([hidden])");
		await tabTo(/^pick\|/);
		need(await page.evaluate(() => getComputedStyle(document.getElementById("drop")).outlineStyle !== "none"), "where the focus is cannot be seen");
		await page.keyboard.press("Enter");
		const chooser = await Promise.race([chosen, page.waitForTimeout(15000)]);
		need(chooser, "Enter opens no choice of files");
		await chooser.setFiles([`${arp}/worker.pcapng`, `${arp}/db.pcapng`]);
		await page.waitForSelector("#files li:nth-child(2)");
		await page.locator("#pick").focus();
		await tabTo(/Host of worker/);
		await page.keyboard.press("Control+A");
		await page.keyboard.type("not a name!");
		await tabTo(/^go\|/);
		await page.keyboard.press("Enter");
		need(/Host of worker/.test(await focused()), "a name that is none is sent");
		await page.keyboard.press("Control+A");
		await page.keyboard.type("w1");
		await tabTo(/^go\|/);
		await page.keyboard.press("Enter");
		await page.frameLocator("#report").locator("h1").waitFor({ timeout: 30000 });
		need((await page.frameLocator("#report").locator("h1").textContent()).includes("never reached"), "no report");
		await tabTo(/\|SUMMARY\|Evidence and SQL/);
		await page.keyboard.press("Enter");
		await tabTo(/\|TEXTAREA\|/);
		await page.keyboard.press("Control+A");
		await page.keyboard.type("SELECT name FROM host ORDER BY name");
		await tabTo(/\|BUTTON\|Run/);
		await page.keyboard.press("Enter");
		await page.waitForSelector("#rows table");
		need((await page.textContent("#rows table")).includes("w1"), "the host's name did not arrive");
		await page.goBack();
		await page.waitForSelector("#list a");
		await tabTo(/Delete the incident/);
		await page.keyboard.press("Enter");
		need((await page.textContent("#list button")) === "Delete for good?", "deleted without a question");
		await page.keyboard.press("Enter");
		await page.waitForFunction(() => document.getElementById("list").textContent === "none");
		await page.context().close();
	} finally {
		server.kill();
	}
});

await browser.close();
process.exit(failed ? 1 : 0);
