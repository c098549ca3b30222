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

	/* What is wider than the page says that there is more. */
	document.querySelectorAll(".where .scroll, .ladderbox > .scroll").forEach(function (box) {
		if (box.scrollWidth <= box.clientWidth + 2)
			return;
		var hint = document.createElement("p");
		hint.className = "note screen";
		hint.textContent = "Wider than the screen: scroll it sideways.";
		box.before(hint);
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

	/* A row for each bucket and its neighbours: nothing recorded means 0 while the capture ran, and nothing at all before and after. */
	function counted(chart, s) {
		var step = chart.step, m = new Map(s.points.filter(function (p, i) {
			/* A bucket of which less than half was recorded looks like a fall. */
			return s.from === undefined || !i || Math.min(p[0] + step, s.to) - Math.max(p[0], s.from) >= step / 2;
		}).map(function (p) { return [p[0], p[1]]; }));
		var known = s.from !== undefined, from = known ? s.from : chart.from, to = known ? s.to : chart.to, times = new Set([chart.from, from, to, chart.to]);
		s.points.forEach(function (p) {
			times.add(p[0] - step);
			times.add(p[0]);
			times.add(p[0] + step);
		});
		if (to < chart.to)
			times.add(to + 0.0005);
		return Array.from(times).sort(function (a, b) { return a - b; }).map(function (x) {
			/* The ends of the drawing lie within a bucket. */
			var at = Math.floor(x / step) * step;
			/* What is left of a capture behind its last bucket, or before its first, is less than a bucket. */
			return [x, m.has(at) ? m.get(at) : known && (at < from || at + step > to) ? NaN : 0];
		});
	}

	/* Measured now and then: no line runs across a silence. */
	function measured(chart, s) {
		var longest = Math.max(5 * chart.step, (chart.to - chart.from) / 20), out = [[chart.from, null]], last = null;
		s.points.forEach(function (p) {
			if (last !== null && p[0] - last > longest)
				out.push([last + 0.0005, NaN]);
			out.push(p);
			last = p[0];
		});
		out.push([chart.to, null]);
		return out.sort(function (a, b) { return a[0] - b[0]; });
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

	/* The spans of findings behind every chart; those of the first one between lines, so that its begin and end are seen at a glance. */
	function bands(context, area, g) {
		function edge(x) {
			if (x >= area.x && x <= area.x + area.w)
				context.fillRect(x - 0.5, area.y, 1, area.h);
		}
		context.fillStyle = css("--band");
		merged().forEach(function (w) {
			var a = Math.max(g.toDomXCoord(w[0]), area.x), b = Math.min(Math.max(g.toDomXCoord(w[1]), a + 1.5), area.x + area.w);
			if (b > area.x && a < area.x + area.w)
				context.fillRect(a, area.y, b - a, area.h);
		});
		context.fillStyle = css("--bad");
		data.windows.forEach(function (w) {
			if (w.first) {
				edge(g.toDomXCoord(w.from));
				edge(g.toDomXCoord(w.to));
			}
		});
	}

	/* Spans that overlap are one band. */
	function merged() {
		return data.windows.map(function (w) { return [w.from, w.to]; }).sort(function (a, b) { return a[0] - b[0]; }).reduce(function (out, w) {
			var last = out[out.length - 1];
			if (last && w[0] <= last[1])
				last[1] = Math.max(last[1], w[1]);
			else
				out.push(w);
			return out;
		}, []);
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

	function labels(series) {
		return ["time"].concat(series.map(function (s, i) {
			/* The library wants each name once. */
			return series.findIndex(function (t) { return t.name === s.name; }) === i ? s.name : s.name + " #" + (i + 1);
		}));
	}

	/* how: which series, where their values are told, their colours, the largest value, and whether times stand below. */
	function options(chart, how) {
		var counts = chart.shape === "counts", bars = chart.shape === "lanes";
		return {
			labels: labels(how.series),
			labelsDiv: how.legend,
			labelsUTC: true,
			legend: "always",
			legendFormatter: bars ? when : legend,
			colors: how.colors,
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
			valueRange: bars ? [0.6, chart.series.length + 0.75] : [0, how.top * 1.12],
			dateWindow: [chart.from, chart.to > chart.from ? chart.to : chart.from + 1000],
			underlayCallback: bars ? laneNames(chart) : bands,
			axes: {
				x: { ticker: Dygraph.dateTicker, axisLabelFormatter: axisLabel, pixelsPerLabel: 80, axisLabelWidth: 78, drawAxis: how.times },
				y: { axisLabelWidth: 44, drawGrid: !bars, pixelsPerLabel: 15, axisLabelFormatter: function (v) {
					return bars ? "" : Number(v).toLocaleString("en", { maximumFractionDigits: 3 });
				} }
			}
		};
	}

	function drawLanes(chart, plot) {
		plot.style.height = chart.series.length * 27 + 28 + "px";
		return [new Dygraph(plot, lanes(chart), options(chart, { series: chart.series, legend: document.getElementById("legend-" + chart.id),
			colors: dark.matches ? night : light, times: true }))];
	}

	/* A strip for each series under one axis and to one scale: drawn over each other, equal ones would hide each other. */
	function drawStrips(chart, plot) {
		var many = chart.series.length > 1, colors = dark.matches ? night : light, last = chart.series.length - 1;
		var top = Math.max.apply(null, chart.series.map(function (s) { return s.points.reduce(function (m, p) { return Math.max(m, p[1]); }, 0); })) || 1;
		if (many) {
			plot.replaceChildren();
			plot.style.height = "auto";
		}
		return chart.series.map(function (s, i) {
			var box = plot, told = document.getElementById("legend-" + chart.id);
			if (many) {
				told.hidden = true;
				told = document.createElement("div");
				told.className = "legend";
				box = document.createElement("div");
				box.style.height = (last > 3 ? 40 : 58) + (i === last ? 22 : 0) + "px";
				plot.append(told, box);
			}
			return new Dygraph(box, chart.shape === "counts" ? counted(chart, s) : measured(chart, s),
				options(chart, { series: [s], legend: told, colors: [colors[i % colors.length]], top: top, times: i === last }));
		});
	}

	var sync = null;
	function draw() {
		if (sync)
			sync.detach();
		graphs.forEach(function (g) { g.destroy(); });
		graphs = [].concat.apply([], data.charts.map(function (chart) {
			return (chart.shape === "lanes" ? drawLanes : drawStrips)(chart, document.getElementById("plot-" + chart.id));
		}));
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
