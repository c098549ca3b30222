-- Shows in Wireshark what bothends found out about a frame, as fields to filter and colour by:
--   bothends.verdict == "SYN-ACK 1 of 12, never arrived"    bothends.finding == 1    bothends.kind == "synack-lost"
--
-- Where it comes from:
--   the comments of a file that "bothends extract" wrote, or
--   for the captures themselves, a table of their frames, named in the preference bothends.csv:
--     bothends query incident.db --saved frames -p capture=db.pcapng -f csv > db.csv
--     wireshark -o bothends.csv:db.csv db.pcapng

local bothends = Proto("bothends", "bothends verdict")
local f = {
	verdict = ProtoField.string("bothends.verdict", "Verdict"),
	finding = ProtoField.uint32("bothends.finding", "Finding"),
	kind = ProtoField.string("bothends.kind", "Kind of finding"),
	severity = ProtoField.string("bothends.severity", "Severity"),
	file = ProtoField.string("bothends.file", "Original file"),
	frame = ProtoField.uint32("bothends.frame", "Original frame"),
}
bothends.fields = { f.verdict, f.finding, f.kind, f.severity, f.file, f.frame }
bothends.prefs.csv = Pref.string("Table of frames", "", "CSV of bothends query --saved frames for this capture")

local comment = Field.new("frame.comment")
local rows, loaded = {}, nil -- frame number to its rows; the file that they are from

-- A line of RFC 4180 without line breaks inside cells.
local function cells(line)
	local out, at = {}, 1
	while at <= #line + 1 do
		if line:sub(at, at) == '"' then
			local text, next_at = "", at + 1
			while true do
				local stop = line:find('"', next_at, true) or #line + 1
				text = text .. line:sub(next_at, stop - 1)
				if line:sub(stop + 1, stop + 1) ~= '"' then
					at = stop + 2
					break
				end
				text, next_at = text .. '"', stop + 2
			end
			out[#out + 1] = text
		else
			local stop = line:find(",", at, true) or #line + 1
			out[#out + 1] = line:sub(at, stop - 1)
			at = stop + 1
		end
	end
	return out
end

local function load_table(path)
	rows, loaded = {}, path
	local file = path ~= "" and io.open(path)
	if not file then
		return
	end
	local columns
	for line in file:lines() do
		local row = cells((line:gsub("\r$", "")))
		if not columns then
			columns = row
		else
			local named = {}
			for i, name in ipairs(columns) do
				named[name] = row[i]
			end
			local number = tonumber(named.frame)
			if number then
				rows[number] = rows[number] or {}
				table.insert(rows[number], named)
			end
		end
	end
	file:close()
end

local function show(tree, row)
	local part = tree:add(bothends, row.note)
	part:add(f.verdict, row.note)
	if tonumber(row.finding) then
		part:add(f.finding, tonumber(row.finding))
		part:add(f.kind, row.kind)
		part:add(f.severity, row.severity)
	end
	if row.file then
		part:add(f.file, row.file)
		part:add(f.frame, tonumber(row.original))
	end
end

-- "NOTE\nfinding 1 synack-lost critical\nFILE frame 50" as bothends extract writes it.
local function from_comment(text)
	local note, finding, kind, severity, file, original =
		text:match("^(.-)\nfinding (%d+) (%S+) (%S+)\n(.*) frame (%d+)$")
	return note and { note = note, finding = finding, kind = kind, severity = severity, file = file, original = original }
end

function bothends.dissector(_, pinfo, tree)
	if loaded ~= bothends.prefs.csv then
		load_table(bothends.prefs.csv)
	end
	for _, row in ipairs(rows[pinfo.number] or {}) do
		show(tree, row)
	end
	for _, text in ipairs({ comment() }) do
		local row = from_comment(tostring(text))
		if row then
			show(tree, row)
		end
	end
end

register_postdissector(bothends)
