/* The report works without this; it adds time lines, sorting, filtering and copying. */
(function () {
	"use strict";
	document.documentElement.classList.add("js");

	/* ---- copying ---- */
	function copied(button) {
		button.textContent = "Copied";
		setTimeout(function () { button.textContent = "Copy"; }, 1500);
	}

	function select(element) {
		var range = document.createRange();
		range.selectNodeContents(element);
		var selection = getSelection();
		selection.removeAllRanges();
		selection.addRange(range);
	}

	document.querySelectorAll(".copy").forEach(function (box) {
		var button = box.querySelector("button"), code = box.querySelector("code");
		button.hidden = false;
		button.setAttribute("aria-label", "Copy: " + code.textContent);
		button.addEventListener("click", function () {
			/* From a file there may be no clipboard: then the text is selected at least. */
			if (navigator.clipboard)
				navigator.clipboard.writeText(code.textContent).then(function () { copied(button); }, function () { select(code); });
			else
				select(code);
		});
	});

	/* ---- tables: sort by a column, filter by words ---- */
	function value(row, column) {
		var cell = row.cells[column];
		if (!cell)
			return "";
		var v = cell.dataset.sort !== undefined ? cell.dataset.sort : cell.textContent.trim();
		var n = Number(v);
		return v !== "" && isFinite(n) ? n : v;
	}

	function compare(a, b) {
		if (typeof a === "number" && typeof b === "number")
			return a - b;
		if (typeof a !== typeof b)
			return typeof a === "number" ? 1 : -1;
		return a < b ? -1 : a > b ? 1 : 0;
	}

	function sortBy(table, column, header) {
		var body = table.tBodies[0];
		/* Numbers are asked for largest first. */
		var numeric = body.rows.length && typeof value(body.rows[0], column) === "number";
		var now = header.getAttribute("aria-sort");
		var down = now ? now === "ascending" : numeric;
		var rows = Array.from(body.rows);
		var keys = new Map(rows.map(function (r) { return [r, value(r, column)]; }));
		rows.sort(function (a, b) { return (down ? -1 : 1) * compare(keys.get(a), keys.get(b)); });
		table.querySelectorAll("th").forEach(function (th) { th.removeAttribute("aria-sort"); });
		header.setAttribute("aria-sort", down ? "descending" : "ascending");
		body.append.apply(body, rows);
	}

	function addFilter(table, scroll) {
		var label = document.createElement("label"), input = document.createElement("input"), count = document.createElement("span");
		label.className = "filter";
		label.append("Filter ", input, count);
		input.type = "search";
		input.autocomplete = "off";
		input.setAttribute("aria-label", "Filter: " + table.caption.textContent);
		count.setAttribute("role", "status");
		var rows = Array.from(table.tBodies[0].rows), words = null;
		input.addEventListener("input", function () {
			/* Not before somebody asks: there may be thousands. */
			words = words || rows.map(function (r) { return r.textContent.toLowerCase(); });
			var wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
			rows.forEach(function (row, i) {
				row.hidden = !wanted.every(function (w) { return words[i].indexOf(w) >= 0; });
				shown += row.hidden ? 0 : 1;
			});
			count.textContent = wanted.length ? shown + " of " + rows.length : "";
		});
		scroll.before(label);
	}

	document.querySelectorAll("table.data").forEach(function (table) {
		Array.from(table.tHead.rows[0].cells).forEach(function (th, column) {
			var button = document.createElement("button");
			button.type = "button";
			button.textContent = th.textContent;
			th.replaceChildren(button);
			button.addEventListener("click", function () { sortBy(table, column, th); });
		});
		if (table.tBodies[0].rows.length > 7)
			addFilter(table, table.closest(".scroll"));
	});

	/* A link into a folded part unfolds it. */
	function unfold() {
		var target = location.hash && document.getElementById(location.hash.slice(1));
		var fold = target && target.closest("details");
		if (fold)
			fold.open = true;
	}
	addEventListener("hashchange", unfold);
	unfold();

	/* On paper nothing can be unfolded. */
	var unfolded = [];
	addEventListener("beforeprint", function () {
		document.querySelectorAll("details.part:not([open])").forEach(function (d) {
			d.open = true;
			unfolded.push(d);
		});
	});
	addEventListener("afterprint", function () { unfolded.splice(0).forEach(function (d) { d.open = false; }); });

	/* ---- time lines ---- */
	var PAPER = 690; /* A4 and Letter within their margins */
	var data = document.getElementById("series");
	if (!data || typeof Dygraph === "undefined")
		return;
	data = JSON.parse(data.textContent);
	var dark = matchMedia("(prefers-color-scheme: dark)");
	var graphs = [];
	/* Told apart by people with colour vision deficiencies too (Okabe and Ito), a little deepened. */
	var light = ["#0072b2", "#d55e00", "#00795c", "#b0508a", "#8a6d00", "#3b8fc4", "#555555", "#7a4fb5"];
	var night = ["#5db4ec", "#ff9a56", "#4fcfa4", "#e79bc6", "#e5c24a", "#9ad0f5", "#bbbbbb", "#b79bf0"];

	function css(name) {
		return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
	}

	/* One row for each time any series has; where nothing recorded means 0, edges of the silence are set to 0. */
	function rows(chart) {
		var counts = chart.shape === "counts", times = new Set([chart.from, chart.to]);
		chart.series.forEach(function (s) {
			s.points.forEach(function (p) {
				times.add(p[0]);
				if (counts) {
					times.add(p[0] - chart.step);
					times.add(p[0] + chart.step);
				}
			});
		});
		var xs = Array.from(times).sort(function (a, b) { return a - b; });
		var maps = chart.series.map(function (s) { return new Map(s.points.map(function (p) { return [p[0], p[1]]; })); });
		return xs.map(function (x) {
			/* The ends of the drawing lie within a bucket. */
			var at = counts ? Math.floor(x / chart.step) * chart.step : x;
			return [x].concat(maps.map(function (m) { return m.has(at) ? m.get(at) : counts ? 0 : null; }));
		});
	}

	/* Bars: a line at the lane's height from end to end of each span, and a break (NaN) behind it. */
	function lanes(chart) {
		var at = new Map([[chart.from, {}], [chart.to, {}]]);
		function put(x, i, y) {
			if (!at.has(x))
				at.set(x, {});
			if (at.get(x)[i] === undefined || isNaN(at.get(x)[i]))
				at.get(x)[i] = y;
		}
		chart.series.forEach(function (s, i) {
			var y = chart.series.length - i;
			s.points.forEach(function (p) {
				put(p[0], i, y);
				put(p[1], i, y);
				put(p[1] + 0.0005, i, NaN);
			});
		});
		return Array.from(at.keys()).sort(function (a, b) { return a - b; }).map(function (x) {
			return [x].concat(chart.series.map(function (s, i) { return at.get(x)[i] === undefined ? null : at.get(x)[i]; }));
		});
	}

	function two(n) { return (n < 10 ? "0" : "") + n; }

	function clock(ms, fine) {
		var d = new Date(ms);
		var t = two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()) + ":" + two(d.getUTCSeconds());
		return fine ? t + "." + String(Math.floor(((ms % 1000) + 1000) % 1000)).padStart(3, "0") : t;
	}

	function day(ms) { return new Date(ms).toISOString().slice(0, 10); }

	function axisLabel(x, granularity, opts, g) {
		var range = g.xAxisRange(), span = range[1] - range[0], ms = Number(x);
		if (span > 2 * 86400e3)
			return clock(ms) === "00:00:00" ? day(ms).slice(5) : day(ms).slice(5) + " " + clock(ms).slice(0, 5);
		return span < 20e3 ? clock(ms, true).slice(0, span < 2e3 ? 12 : 10) : span > 2 * 3600e3 ? clock(ms).slice(0, 5) : clock(ms);
	}

	function when(e) {
		var out = document.createDocumentFragment();
		if (e.x !== undefined)
			out.append(document.createElement("span"));
		if (e.x !== undefined)
			out.firstChild.textContent = day(e.x) + " " + clock(e.x, true);
		return out;
	}

	function legend(e) {
		var out = when(e);
		e.series.forEach(function (s) {
			var item = document.createElement("span"), line = document.createElement("i");
			line.style.background = s.color;
			item.append(line, s.label + (s.y === undefined || s.y === null || isNaN(s.y) ? "" : " " + Number(s.y).toLocaleString("en", { maximumFractionDigits: 3 })));
			out.append(item);
		});
		return out;
	}

	function bands(context, area, g) {
		context.fillStyle = css("--band");
		data.windows.forEach(function (w) {
			var a = g.toDomXCoord(w.from), b = g.toDomXCoord(w.to);
			a = Math.max(a, area.x);
			b = Math.min(Math.max(b, a + 1.5), area.x + area.w);
			if (b > area.x && a < area.x + area.w)
				context.fillRect(a, area.y, b - a, area.h);
		});
	}

	/* The name of each lane stands over its bars, inside the drawing: nothing has to be looked up by colour. */
	function laneNames(chart) {
		return function (context, area, g) {
			bands(context, area, g);
			context.fillStyle = css("--soft");
			context.font = "11px " + css("--sans");
			context.textAlign = "left";
			context.textBaseline = "alphabetic";
			chart.series.forEach(function (s, i) {
				context.fillText(s.name, area.x + 4, g.toDomYCoord(chart.series.length - i) - 7, area.w - 8);
			});
		};
	}

	function labels(chart) {
		return ["time"].concat(chart.series.map(function (s, i) {
			/* The library wants each name once. */
			return chart.series.findIndex(function (t) { return t.name === s.name; }) === i ? s.name : s.name + " #" + (i + 1);
		}));
	}

	function options(chart) {
		var counts = chart.shape === "counts", bars = chart.shape === "lanes";
		return {
			labels: labels(chart),
			labelsDiv: document.getElementById("legend-" + chart.id),
			labelsUTC: true,
			legend: "always",
			legendFormatter: bars ? when : legend,
			colors: dark.matches ? night : light,
			axisLineColor: css("--rule"),
			gridLineColor: css("--rule"),
			strokeWidth: bars ? 7 : 1.5,
			stepPlot: counts,
			fillGraph: counts,
			fillAlpha: 0.12,
			drawPoints: chart.shape === "lines",
			drawGapEdgePoints: bars,
			pointSize: bars ? 3.5 : 1.8,
			highlightCircleSize: bars ? 0 : 3,
			connectSeparatedPoints: true,
			includeZero: !bars,
			valueRange: bars ? [0.6, chart.series.length + 0.75] : null,
			dateWindow: [chart.from, chart.to > chart.from ? chart.to : chart.from + 1000],
			underlayCallback: bars ? laneNames(chart) : bands,
			axes: {
				x: { ticker: Dygraph.dateTicker, axisLabelFormatter: axisLabel, pixelsPerLabel: 80, axisLabelWidth: 78 },
				y: { axisLabelWidth: 44, drawGrid: !bars, axisLabelFormatter: function (v) {
					return bars ? "" : Number(v).toLocaleString("en", { maximumFractionDigits: 3 });
				} }
			}
		};
	}

	var sync = null;
	function draw() {
		if (sync)
			sync.detach();
		graphs.forEach(function (g) { g.destroy(); });
		graphs = data.charts.map(function (chart) {
			var plot = document.getElementById("plot-" + chart.id), bars = chart.shape === "lanes";
			if (bars)
				plot.style.height = chart.series.length * 27 + 28 + "px";
			return new Dygraph(plot, bars ? lanes(chart) : rows(chart), options(chart));
		});
		sync = graphs.length > 1 ? Dygraph.synchronize(graphs, { selection: true, zoom: true, range: false }) : null;
	}

	/* Paper is narrower than the screen. What is drawn anew while printing begins stays blank, so drawings are scaled. */
	function scale(width) {
		document.querySelectorAll(".plot").forEach(function (plot) {
			plot.style.zoom = width ? Math.min(1, width / plot.clientWidth) : "";
		});
	}

	/* Drawn when they come near the screen, so that the verdict is there at once. */
	var first = document.querySelector(".plot");
	if (!first)
		return;
	if ("IntersectionObserver" in window) {
		var watch = new IntersectionObserver(function (seen) {
			if (seen.some(function (s) { return s.isIntersecting; })) {
				watch.disconnect();
				draw();
			}
		}, { rootMargin: "1200px" });
		document.querySelectorAll(".chart").forEach(function (c) { watch.observe(c); });
	} else {
		draw();
	}
	addEventListener("beforeprint", function () {
		if (!graphs.length)
			draw();
		scale(PAPER);
	});
	addEventListener("afterprint", function () { scale(0); });
	dark.addEventListener("change", function () { if (graphs.length) draw(); });
}());
