-- The verdicts. These tables can be dropped and made again from the facts by the rules.

CREATE TABLE finding ( -- a verdict
	id INTEGER PRIMARY KEY, -- from 1, the most important story first
	kind TEXT NOT NULL, -- slug: docs/verdicts.md lists them
	severity TEXT NOT NULL CHECK (severity IN ('critical', 'warning', 'notice')), -- by effect
	confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1), -- 1: proven
	host_id INTEGER REFERENCES host(id), -- the host it speaks of; NULL: none
	from_vantage_id INTEGER REFERENCES vantage(id), -- from here
	to_vantage_id INTEGER REFERENCES vantage(id), -- to there
	src_ip TEXT, -- sender; NULL: several or none
	dst_ip TEXT, -- receiver
	first_ns INTEGER, -- first occurrence, reference clock
	last_ns INTEGER, -- last occurrence, reference clock
	count INTEGER, -- how many; the unit depends on kind
	total INTEGER, -- of how many; NULL where that has no sense
	summary TEXT NOT NULL, -- the verdict in a sentence
	remedy TEXT, -- what to do; NULL: nothing to advise
	cause_id INTEGER REFERENCES finding(id), -- the finding that explains this one
	detail TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(detail)) -- more, as JSON
) STRICT;

CREATE TABLE evidence ( -- proof of a finding
	finding_id INTEGER NOT NULL REFERENCES finding(id), -- the verdict
	capture_file_id INTEGER REFERENCES capture_file(id), -- the capture; NULL: a log line or a flow
	frame INTEGER, -- frame number
	log_file_id INTEGER REFERENCES log_file(id), -- the flow-log file
	line INTEGER, -- line
	flow_id INTEGER REFERENCES flow(id), -- the flow it belongs to
	note TEXT NOT NULL -- what it shows
) STRICT;

CREATE TABLE defect ( -- a known defect: conditions over facts; schema/defects.sql and --rules fill it
	id TEXT PRIMARY KEY, -- slug
	title TEXT NOT NULL, -- the defect in a sentence
	severity TEXT NOT NULL, -- critical, warning or notice
	explains TEXT, -- kinds of findings that it explains on such a host, comma-separated; NULL: none
	remedy TEXT NOT NULL, -- what to do
	source TEXT NOT NULL -- where this is known from
) STRICT, WITHOUT ROWID;

CREATE TABLE defect_condition ( -- all conditions of a defect must hold for one host (and one interface)
	defect_id TEXT NOT NULL REFERENCES defect(id), -- the defect
	key TEXT NOT NULL, -- fact key; * stands for one part, such as an interface name
	operator TEXT NOT NULL, -- =, !=, like, regexp, <, <=, >, >= (versions), exists, log (a kernel line matches)
	value TEXT NOT NULL -- compared with
) STRICT;
