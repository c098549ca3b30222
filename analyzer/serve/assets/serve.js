/* The upload page. Text from the server only ever becomes text nodes. */
(function () {
	"use strict";
	var $ = function (id) { return document.getElementById(id); };
	var chosen = [];

	function make(name, text, parent) {
		var e = document.createElement(name);
		if (text !== undefined)
			e.textContent = text;
		if (parent)
			parent.append(e);
		return e;
	}

	function say(text) { $("error").textContent = text || ""; }

	function call(method, url, headers, body) {
		return fetch(url, { method: method, headers: Object.assign({ Accept: "application/json" }, headers), body: body, credentials: "same-origin" }).then(function (r) {
			if (r.status === 401) {
				$("login").hidden = false;
				throw new Error("");
			}
			return r.text().then(function (t) {
				var v = t ? JSON.parse(t) : null;
				if (!r.ok)
					throw new Error(v && v.error || "status " + r.status);
				return { value: v, location: r.headers.get("Location"), offset: r.headers.get("Upload-Offset") };
			});
		});
	}

	function trouble(e) { say(e.message); }
	function base64(text) { return btoa(String.fromCharCode.apply(null, new TextEncoder().encode(text))); }

	/* ---- files ---- */
	function clean(text) { return text.replace(/[^A-Za-z0-9._-]/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 64); }

	function stem(name) {
		return clean(name.replace(/\.(pcap|pcapng|cap|facts|gz|zst|log|txt|json|jsonl)\b.*$/i, "")) || "host" + (chosen.length + 1);
	}

	/* The folder's name first where a file of another folder has this stem. One stem with other endings is one host's. */
	function proposed(file, folder) {
		var name = stem(file.name), same = chosen.filter(function (c) { return stem(c.file.name) === name; });
		if (!same.some(function (c) { return c.folder !== folder || c.file.name === file.name; }))
			return name;
		if (folder && !same.some(function (c) { return c.folder === folder; }))
			return clean(folder.split("/").pop() + "-" + name);
		return name.slice(0, 60) + "-" + (same.length + 1);
	}

	/* What the agent recorded of its host stands near the beginning of its files. */
	function nameInside(file) {
		return file.slice(0, 65536).text().then(function (text) {
			var m = /"key":"host\.name","value":"([^"\\]+)"/.exec(text) || /host\.name=([A-Za-z0-9._-]+)/.exec(text);
			return m ? clean(m[1]) : "";
		}, function () { return ""; });
	}

	function size(bytes) {
		var units = ["bytes", "KiB", "MiB", "GiB"], i = 0;
		for (; bytes >= 1024 && i < 3; i++)
			bytes /= 1024;
		return (i ? bytes.toFixed(1) : bytes) + "\u00a0" + units[i];
	}

	function field(parent, words, label, placeholder) {
		var box = make("label", words + " ", parent), input = make("input", undefined, box);
		input.setAttribute("aria-label", label);
		input.placeholder = placeholder || "";
		input.autocomplete = "off";
		input.spellcheck = false;
		return input;
	}

	function remove(one) {
		chosen.splice(chosen.indexOf(one), 1);
		one.row.remove();
		$("go").hidden = !chosen.length;
		$("pick").focus();
	}

	function row(one, name) {
		var file = one.file, li = one.row = make("li", undefined, $("files"));
		make("span", (one.folder ? one.folder + "/" : "") + file.name + " (" + size(file.size) + ")", li);
		var b = make("button", "Remove", li);
		b.type = "button";
		b.className = "plain";
		b.setAttribute("aria-label", "Remove " + file.name);
		b.addEventListener("click", function () { remove(one); });
		one.input = field(li, "Host", "Host of " + file.name, "host");
		one.input.value = name;
		one.input.required = true;
		one.input.pattern = "[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}";
		var more = make("details", undefined, li);
		make("summary", "What this capture is", more);
		one.addresses = field(more, "Addresses of this host", "Addresses of the host of " + file.name, "10.0.0.1 00:00:5e:00:53:01 eni-0123");
		one.scope = field(more, "It recorded only (pcap-filter)", "What " + file.name + " could record", "host 10.0.0.1 and not port 443");
		one.addresses.maxLength = one.scope.maxLength = 200;
		one.bar = make("progress", undefined, li);
		one.bar.max = file.size || 1;
		one.bar.value = 0;
		one.bar.setAttribute("aria-label", "Upload progress of " + file.name);
	}

	function add(file, folder) {
		var one = { file: file, folder: folder }, name = proposed(file, folder);
		row(one, name);
		chosen.push(one);
		$("go").hidden = false;
		nameInside(file).then(function (found) {
			if (found && one.input.value === name)
				one.input.value = found;
		});
	}

	/* Folders are walked; files keep the name of theirs. */
	function walk(entry, folder) {
		if (entry.isFile)
			return entry.file(function (file) { add(file, folder); }, trouble);
		var reader = entry.createReader(), inside = (folder ? folder + "/" : "") + entry.name;
		(function more() {
			reader.readEntries(function (found) {
				found.forEach(function (e) { walk(e, inside); });
				if (found.length)
					more();
			}, trouble);
		}());
	}

	function dropped(data) {
		var entries = Array.from(data.items || []).map(function (i) { return i.webkitGetAsEntry && i.webkitGetAsEntry(); }).filter(Boolean);
		if (entries.length)
			entries.forEach(function (e) { walk(e, ""); });
		else
			Array.from(data.files).forEach(function (f) { add(f, ""); });
	}

	/* ---- progress ---- */
	var sending = null; /* the request that a stop ends */

	function duration(s) { return s < 90 ? Math.ceil(s) + " s" : s < 5400 ? Math.round(s / 60) + " min" : Math.round(s / 3600) + " h"; }

	function sent() {
		var all = 0, done = 0;
		chosen.forEach(function (c) {
			all += c.file.size;
			done += Math.min(c.bar.value, c.file.size);
		});
		var s = (Date.now() - sent.began) / 1000;
		$("progress").textContent = "Sent " + Math.floor(100 * done / (all || 1)) + " % of " + size(all) +
			(done && s > 2 ? ", " + duration(s * (all - done) / done) + " left" : "");
	}

	/* fetch tells no progress of what it sends. */
	function patch(url, one, offset) {
		return new Promise(function (done, failed) {
			var x = new XMLHttpRequest();
			x.open("PATCH", url);
			x.setRequestHeader("Tus-Resumable", "1.0.0");
			x.setRequestHeader("Upload-Offset", String(offset));
			x.setRequestHeader("Content-Type", "application/offset+octet-stream");
			x.upload.onprogress = function (e) {
				one.bar.value = offset + e.loaded;
				sent();
			};
			x.onabort = function () { failed(new Error("Stopped: nothing was kept.")); };
			sending = x;
			x.onload = function () {
				if (x.status === 204)
					done();
				else
					failed(new Error(JSON.parse(x.responseText || "{}").error || "status " + x.status));
			};
			x.onerror = function () { failed(null); };
			x.send(one.file.slice(offset));
		});
	}

	function send(url, one, offset, tries) {
		return patch(url, one, offset).catch(function (e) {
			if (e || !tries)
				throw e || new Error("the connection was lost");
			return new Promise(function (go) { setTimeout(go, 1500); }).then(function () {
				return call("HEAD", url, { "Tus-Resumable": "1.0.0" });
			}).then(function (r) { return send(url, one, Number(r.offset), tries - 1); });
		});
	}

	function metadata(one) {
		return "host " + base64(one.input.value) + ",filename " + base64((one.folder ? one.folder + "/" : "") + one.file.name) +
			(one.addresses.value.trim() ? ",addresses " + base64(one.addresses.value.trim()) : "") +
			(one.scope.value.trim() ? ",scope " + base64(one.scope.value.trim()) : "");
	}

	function upload(event) {
		event.preventDefault();
		say("");
		$("go").disabled = true;
		$("stop").hidden = false;
		sent.began = Date.now();
		var incident, stopped = false;
		$("stop").onclick = function () {
			stopped = true;
			if (sending)
				sending.abort();
		};
		call("POST", "/incidents").then(function (r) {
			incident = r.value.url;
			return chosen.reduce(function (before, one) {
				return before.then(function () {
					if (stopped)
						throw new Error("Stopped: nothing was kept.");
					return call("POST", incident + "/files", { "Tus-Resumable": "1.0.0", "Upload-Length": String(one.file.size), "Upload-Metadata": metadata(one) });
				}).then(function (r) { return one.file.size ? send(r.location, one, 0, 5) : null; }).then(function () { one.bar.value = one.bar.max; });
			}, Promise.resolve());
		}).then(function () { return call("POST", incident + "/analyze"); }).then(function () {
			location.href = incident;
		}).catch(function (e) {
			if (incident)
				call("DELETE", incident).catch(function () {});
			$("go").disabled = false;
			$("stop").hidden = true;
			$("progress").textContent = "";
			chosen.forEach(function (c) { c.bar.value = 0; });
			trouble(e);
		});
	}

	/* ---- list ---- */
	function list() {
		call("GET", "/incidents").then(function (r) {
			$("start").hidden = false;
			$("list").replaceChildren();
			r.value.forEach(function (i) {
				var li = make("li", undefined, $("list")), a = make("a", i.created.replace("T", " ").replace("Z", " UTC"), li);
				a.href = "/incidents/" + i.id;
				make("span", " " + i.state + ": " + i.files.map(function (f) { return (f.host || "?") + " (" + f.name + ")"; }).join(", ") + " ", li);
				var b = make("button", "Delete", li);
				b.type = "button";
				b.className = "plain";
				b.setAttribute("aria-label", "Delete the incident of " + i.created);
				b.addEventListener("click", function () {
					if (b.textContent === "Delete")
						b.textContent = "Delete for good?";
					else
						call("DELETE", "/incidents/" + i.id).then(list).catch(trouble);
				});
				b.addEventListener("blur", function () { b.textContent = "Delete"; });
			});
			if (!r.value.length)
				make("li", "none", $("list"));
		}).catch(trouble);
	}

	/* ---- one incident ---- */
	function link(text, href) {
		make("a", text, $("links")).href = href;
	}

	function evidence(i) {
		i.findings.forEach(function (f) {
			/* Lines of a log, and counters, are no frames. */
			if (!f.frames)
				return;
			var li = make("li", undefined, $("findings")), a = make("a", f.frames + (f.frames === 1 ? " frame" : " frames") + " (pcapng)", li);
			a.href = i.url + "/evidence/" + f.id;
			make("span", " of finding " + f.id + ": " + f.summary, li);
		});
	}

	var began = Date.now();
	function show(i) {
		$("incident").hidden = false;
		$("state").textContent = i.state === "analyzing" ? "Analyzing for " + duration((Date.now() - began) / 1000) + "\u2026 The report follows here." : i.state === "failed" ? "The analysis failed" : i.state;
		if (i.state === "failed")
			say(i.files.reduce(function (text, f) { return text.split("'" + f.id + "'").join("'" + f.name + "'"); }, i.error));
		if (i.state === "analyzing")
			setTimeout(function () { look(i.url); }, 700);
		if (i.state !== "done")
			return;
		document.title = "bothends: " + i.verdict;
		$("verdict").textContent = i.verdict;
		$("state").textContent = i.files.map(function (f) { return f.id + " is " + f.name; }).join(", ");
		link("Report alone, to print", i.report);
		link("Database", i.database);
		evidence(i);
		$("links").hidden = $("more").hidden = $("report").hidden = false;
		$("report").src = i.report;
		document.body.classList.add("reading");
	}

	function look(url) { call("GET", url).then(function (r) { show(r.value); }).catch(trouble); }

	function query(event) {
		event.preventDefault();
		say("");
		call("POST", location.pathname + "/query", { "Content-Type": "text/plain" }, $("statement").value).then(function (r) {
			var table = make("table"), columns = r.value.length ? Object.keys(r.value[0]) : [], head = make("tr", undefined, make("thead", undefined, table)), body = make("tbody", undefined, table);
			columns.forEach(function (c) { make("th", c, head); });
			r.value.slice(0, 1000).forEach(function (row) {
				var tr = make("tr", undefined, body);
				columns.forEach(function (c) { make("td", row[c] === null ? "" : String(row[c]), tr); });
			});
			$("rows").replaceChildren(r.value.length ? table : "no row");
		}).catch(trouble);
	}

	$("login").addEventListener("submit", function (event) {
		event.preventDefault();
		call("POST", "/login", { Authorization: "Bearer " + $("token").value }).then(function () { location.reload(); }, function () { say("Wrong token."); });
	});
	$("upload").addEventListener("submit", upload);
	$("sql").addEventListener("submit", query);
	$("pick").addEventListener("change", function () {
		Array.from($("pick").files).forEach(function (f) { add(f, ""); });
		$("pick").value = ""; /* the same file may be chosen again */
	});
	["dragover", "dragenter"].forEach(function (t) { $("drop").addEventListener(t, function (e) { e.preventDefault(); $("drop").classList.add("over"); }); });
	["dragleave", "drop"].forEach(function (t) { $("drop").addEventListener(t, function (e) { e.preventDefault(); $("drop").classList.remove("over"); }); });
	$("drop").addEventListener("drop", function (e) { dropped(e.dataTransfer); });
	if (location.pathname === "/")
		list();
	else
		look(location.pathname);
}());
