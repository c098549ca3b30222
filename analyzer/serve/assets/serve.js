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
	function host(name, i) {
		var stem = name.replace(/\.(pcap|pcapng|cap|gz|zst|log|txt|json)\b.*$/i, "").replace(/[^A-Za-z0-9._-]/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 64);
		return stem || "host" + (i + 1);
	}

	/* Two files of one name came from two folders, so from two hosts. One stem with other endings is one host's. */
	function fresh(file) {
		var like = chosen.filter(function (c) { return c.file.name === file.name; }).length, name = host(file.name, chosen.length);
		return like ? name.slice(0, 60) + "-" + (like + 1) : name;
	}

	function size(bytes) {
		var units = ["bytes", "KiB", "MiB", "GiB"], i = 0;
		for (; bytes >= 1024 && i < 3; i++)
			bytes /= 1024;
		return (i ? bytes.toFixed(1) : bytes) + "\u00a0" + units[i];
	}

	function add(files) {
		Array.from(files).forEach(function (file) {
			var li = make("li", undefined, $("files")), name = fresh(file);
			make("span", file.name + " (" + size(file.size) + ")", li);
			var input = make("input", undefined, li);
			input.value = name;
			input.required = true;
			input.pattern = "[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}";
			input.placeholder = "host";
			input.setAttribute("aria-label", "Host of " + file.name);
			var bar = make("progress", undefined, li);
			bar.max = file.size || 1;
			bar.value = 0;
			bar.setAttribute("aria-label", "Upload progress of " + file.name);
			chosen.push({ file: file, input: input, bar: bar });
		});
		$("go").hidden = !chosen.length;
	}

	/* fetch tells no progress of what it sends. */
	function patch(url, one, offset) {
		return new Promise(function (done, failed) {
			var x = new XMLHttpRequest();
			x.open("PATCH", url);
			x.setRequestHeader("Tus-Resumable", "1.0.0");
			x.setRequestHeader("Upload-Offset", String(offset));
			x.setRequestHeader("Content-Type", "application/offset+octet-stream");
			x.upload.onprogress = function (e) { one.bar.value = offset + e.loaded; };
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

	function upload(event) {
		event.preventDefault();
		say("");
		$("go").disabled = true;
		var incident;
		call("POST", "/incidents").then(function (r) {
			incident = r.value.url;
			return chosen.reduce(function (before, one) {
				return before.then(function () {
					return call("POST", incident + "/files", { "Tus-Resumable": "1.0.0", "Upload-Length": String(one.file.size),
						"Upload-Metadata": "host " + base64(one.input.value) + ",filename " + base64(one.file.name) });
				}).then(function (r) { return one.file.size ? send(r.location, one, 0, 5) : null; }).then(function () { one.bar.value = one.bar.max; });
			}, Promise.resolve());
		}).then(function () { return call("POST", incident + "/analyze"); }).then(function () {
			location.href = incident;
		}).catch(function (e) {
			if (incident)
				call("DELETE", incident).catch(function () {});
			$("go").disabled = false;
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

	function show(i) {
		$("incident").hidden = false;
		$("state").textContent = i.state === "analyzing" ? "Analyzing\u2026" : i.state === "failed" ? "The analysis failed" : i.state;
		if (i.state === "failed")
			say(i.files.reduce(function (text, f) { return text.split("'" + f.id + "'").join("'" + f.name + "'"); }, i.error));
		if (i.state === "analyzing")
			setTimeout(function () { look(i.url); }, 700);
		if (i.state !== "done")
			return;
		$("state").textContent = i.files.map(function (f) { return f.id + " is " + f.name; }).join(", ");
		$("verdict").textContent = i.verdict;
		$("checked").textContent = i.checked ? "Checked: " + i.checked : "";
		i.not_judged.forEach(function (n) { make("li", n, $("open")); });
		link("Report", i.report);
		link("Database", i.database);
		i.findings.forEach(function (f) {
			var li = make("li", undefined, $("findings"));
			make("span", f.severity + " ", li).className = f.severity;
			make("code", f.kind, li);
			make("span", " " + f.summary + " ", li);
			/* Lines of a log, and counters, are no frames. */
			if (f.frames)
				make("a", "evidence", li).href = i.url + "/evidence/" + f.id;
		});
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
	$("pick").addEventListener("change", function () { add($("pick").files); });
	["dragover", "dragenter"].forEach(function (t) { $("drop").addEventListener(t, function (e) { e.preventDefault(); $("drop").classList.add("over"); }); });
	["dragleave", "drop"].forEach(function (t) { $("drop").addEventListener(t, function (e) { e.preventDefault(); $("drop").classList.remove("over"); }); });
	$("drop").addEventListener("drop", function (e) { add(e.dataTransfer.files); });
	if (location.pathname === "/")
		list();
	else
		look(location.pathname);
}());
