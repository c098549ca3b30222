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
	capture_file_id INTEGER REFERENCES capture_file(id), -- the capture; NULL: a line of a log or file, or a flow
	frame INTEGER, -- frame number
	log_file_id INTEGER REFERENCES log_file(id), -- the flow-log file
	line INTEGER, -- line, of the flow log or of the host's file
	flow_id INTEGER REFERENCES flow(id), -- the flow it belongs to
	note TEXT NOT NULL, -- what it shows
	host_file_id INTEGER REFERENCES host_file(id) -- a log, command output or other file of a host
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

CREATE TABLE drop_reason ( -- what a kernel's reason for dropping a packet means; schema/drop_reasons.sql and --rules fill it
	name TEXT PRIMARY KEY, -- the kernel's name, without SKB_DROP_REASON_
	class TEXT NOT NULL, -- normal (never a finding), firewall (a policy said so) or host
	meaning TEXT NOT NULL, -- in words
	remedy TEXT, -- what to do; NULL: nothing
	counter TEXT, -- the counter that grows with it; NULL: none
	source TEXT NOT NULL -- where this is known from
) STRICT, WITHOUT ROWID;

CREATE TABLE vrrp_term ( -- a time in which a router advertised as master, without a pause of a whole master-down time
	id INTEGER PRIMARY KEY, -- from 1
	vrid INTEGER NOT NULL, -- virtual router identifier
	family INTEGER NOT NULL, -- 4 or 6
	segment TEXT NOT NULL, -- names the link: lowest address of the routers that hear each other
	src_ip TEXT NOT NULL, -- the router
	host_id INTEGER REFERENCES host(id), -- its host; NULL: not among the captured ones
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where its adverts were counted: its own place, else where most were seen
	own INTEGER NOT NULL, -- 1 that is its own place
	priority INTEGER NOT NULL, -- of its first advert in this term
	interval_ns INTEGER NOT NULL, -- as announced
	from_ns INTEGER NOT NULL, -- first advert, reference clock
	to_ns INTEGER NOT NULL, -- last advert, reference clock
	adverts INTEGER NOT NULL, -- how many
	resigned INTEGER NOT NULL, -- 1 it ended with priority 0
	began TEXT NOT NULL, -- first, planned (the one before resigned), preemption (higher priority), failure (after a silence), unheard (it did not hear the master, which went on sending), early (before the master-down time)
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- capture of the first advert
	frame INTEGER NOT NULL -- frame number of the first advert
) STRICT;

CREATE TABLE vrrp_watch ( -- how regularly a place heard a router, against the time after which it would have taken over
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the place that listened
	vrid INTEGER NOT NULL, -- virtual router identifier
	family INTEGER NOT NULL, -- 4 or 6
	segment TEXT NOT NULL, -- as in vrrp_term
	src_ip TEXT NOT NULL, -- the router it heard
	adverts INTEGER NOT NULL, -- how many
	interval_ns INTEGER NOT NULL, -- as announced
	priority INTEGER, -- of the listener; NULL: it never advertised, the lowest is assumed
	limit_ns INTEGER NOT NULL, -- master-down time at that priority
	longest_ns INTEGER NOT NULL, -- longest silence of a router that went on to send or was replaced
	longest_from_ns INTEGER NOT NULL, -- its start, the listener's clock
	beyond INTEGER NOT NULL -- silences that reached the limit
) STRICT;

CREATE TABLE dark_span ( -- a time in which a host received nothing, or nobody received anything from it, though there was something to receive
	id INTEGER PRIMARY KEY, -- from 1, in order of time
	host_id INTEGER NOT NULL REFERENCES host(id), -- the host
	vantage_id INTEGER REFERENCES vantage(id), -- its place; NULL: none was running
	direction TEXT NOT NULL, -- rx, tx or both
	from_ns INTEGER NOT NULL, -- start, reference clock, to the second
	to_ns INTEGER NOT NULL, -- end, reference clock, to the second; the end of the peers' captures where it did not come back
	returned INTEGER NOT NULL, -- 1 it was heard again, 0 not until the captures ended
	peers INTEGER NOT NULL, -- others that sent to it (rx, both), or that it sent to (tx), in the meantime
	frames INTEGER NOT NULL, -- frames that they, or it, sent
	logged INTEGER NOT NULL, -- packets that a flow log accepted for it in windows that lie in the span
	own_frames INTEGER NOT NULL, -- frames that it sent itself in the meantime, by its own capture
	alive INTEGER, -- 1 it was alive, 0 it was not, NULL: nothing tells
	alive_by TEXT -- what tells: its own frames, heartbeat, kernel log, silence to everyone
) STRICT;

CREATE TABLE partial_span ( -- a time in which some flows of a host got nothing through while others went on, at once and with the same peers
	id INTEGER PRIMARY KEY, -- from 1, in order of time
	host_id INTEGER NOT NULL REFERENCES host(id), -- the host whose flows they are
	direction TEXT NOT NULL, -- rx: what was sent to it; tx: what it sent
	scope TEXT NOT NULL, -- host: with several peers, so it is the host's; path: with one peer, or at several hosts at once
	partial TEXT NOT NULL, -- queue: some flows and not others; size: only small packets passed
	peer_ip TEXT, -- with scope path: the one peer; NULL: several
	from_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where lost ones were sent; of several one
	to_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where they should have arrived; of several one
	from_ns INTEGER NOT NULL, -- first lost transmission, reference clock
	to_ns INTEGER NOT NULL, -- last lost transmission
	returned INTEGER NOT NULL, -- 1 some of these flows got through afterwards
	flows_out INTEGER NOT NULL, -- flows of which nothing (with size: nothing large) arrived
	flows_on INTEGER NOT NULL, -- flows that went on
	peers INTEGER NOT NULL, -- peers that have flows of both
	lost INTEGER NOT NULL, -- transmissions lost
	smallest_lost INTEGER NOT NULL, -- payload of the smallest of them
	largest_arrived INTEGER NOT NULL -- payload of the largest that arrived in the meantime
) STRICT;

CREATE TABLE path_total ( -- sums of path for each leg, direction and pair of addresses; judging makes it again where it is empty, so empty it after changing path by hand
	from_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the sender
	to_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the receiver
	direction TEXT NOT NULL, -- c2s or s2c
	client_ip TEXT NOT NULL, -- as in flow
	server_ip TEXT NOT NULL, -- as in flow
	flows INTEGER NOT NULL, -- rows of path
	sent INTEGER NOT NULL, -- segments
	delivered INTEGER NOT NULL, -- segments
	misaddressed INTEGER NOT NULL, -- segments
	lost INTEGER NOT NULL, -- segments
	capture_missed INTEGER NOT NULL, -- segments
	unjudged INTEGER NOT NULL, -- segments
	received INTEGER NOT NULL, -- segments
	duplicated INTEGER NOT NULL, -- segments
	injected INTEGER NOT NULL, -- segments
	sender_missed INTEGER NOT NULL, -- segments
	modified INTEGER NOT NULL, -- segments
	reordered INTEGER NOT NULL, -- segments
	retransmitted INTEGER NOT NULL, -- segments
	syn_sent INTEGER NOT NULL, -- segments
	syn_lost INTEGER NOT NULL, -- segments
	largest_delivered INTEGER NOT NULL, -- IP length of the largest wire packet that arrived; 0: none
	estimated INTEGER NOT NULL -- 1 where any row of path is estimated
) STRICT;

CREATE TABLE loss_total ( -- sums of the rows of path that lost something, by leg, direction and addresses; made with path_total; without flows that were not paired with certainty
	from_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the sender
	to_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the receiver
	direction TEXT NOT NULL, -- c2s or s2c
	client_ip TEXT NOT NULL, -- as in flow
	server_ip TEXT NOT NULL, -- as in flow
	src_ip TEXT NOT NULL, -- sender, as seen where the segments were sent
	dst_ip TEXT NOT NULL, -- receiver, as seen there
	server_port INTEGER NOT NULL, -- as seen there
	syn INTEGER NOT NULL, -- 1 rows that lost a SYN or SYN-ACK, 0 the others
	port_syn_sent INTEGER, -- SYN or SYN-ACK segments of all flows of this leg, direction, client_ip, server_ip and server_port, whether they lost any or not; NULL: too many ports to count
	flows INTEGER NOT NULL, -- rows of path
	broken INTEGER NOT NULL, -- of them flows that stayed unanswered or half open
	lost INTEGER NOT NULL, -- segments lost or misaddressed
	syn_lost INTEGER NOT NULL, -- of them SYN or SYN-ACK
	bytes INTEGER NOT NULL, -- payload of the lost ones
	smallest_lost INTEGER, -- IP length of the smallest lost TCP packet with payload; NULL: none
	estimated INTEGER NOT NULL, -- 1 where any row of path is estimated
	first_ns INTEGER NOT NULL, -- first packet of those flows, reference clock
	last_ns INTEGER NOT NULL -- last packet of those flows, reference clock
) STRICT;

CREATE TABLE handshake_ack ( -- lost ACKs without payload at the client's first byte that acknowledge the SYN-ACK alone: the last packet of a handshake; made with path_total, and what was settled as unjudged since is still there: ask the event's kind
	event_id INTEGER PRIMARY KEY REFERENCES segment_event(id), -- the event
	src_ip TEXT NOT NULL, -- the client, as seen where the ACK was sent
	dst_ip TEXT NOT NULL, -- the server, as seen there
	server_port INTEGER NOT NULL, -- as seen there
	half_open INTEGER NOT NULL -- 1 where the handshake was not completed later either
) STRICT;

CREATE TABLE trait ( -- what a trait of loss_trait means; schema/traits.sql fills it
	name TEXT PRIMARY KEY, -- as in loss_trait; protocol: IP protocols against each other
	rank INTEGER NOT NULL, -- of traits that separate equally the lowest is the simplest
	family TEXT NOT NULL, -- traits that say nearly the same: one of them is told
	scope TEXT NOT NULL, -- packet: each packet has a value of its own; flow: all of a direction of a flow have the same
	unit TEXT NOT NULL, -- bytes, ns, moment, number or class
	at_least TEXT, -- in words, {} is the value; NULL: its values have no order
	at_most TEXT, -- in words
	is_value TEXT, -- in words; NULL: its values have an order
	is_not TEXT -- in words; NULL: of two values one is enough
) STRICT, WITHOUT ROWID;

CREATE TABLE loss_cause ( -- a cause of losses that is known by what dies and what lives; schema/traits.sql and --rules fill it
	id TEXT PRIMARY KEY, -- slug
	title TEXT NOT NULL, -- the cause in words
	trait TEXT NOT NULL REFERENCES trait(name), -- what separates those that died
	relation TEXT NOT NULL, -- >=, <=, = or !=
	protocol INTEGER, -- IP protocol number; NULL: any
	from_value INTEGER, -- smallest value; NULL: any
	to_value INTEGER, -- largest value; NULL: any
	label TEXT, -- the value in words; NULL: any
	died_share REAL NOT NULL, -- at least this share of the packets that have it died
	remedy TEXT NOT NULL, -- what to do
	source TEXT NOT NULL, -- where this is known from
	translated TEXT -- held against chance by itself, not among all traits, on ways between whose places the address or port of this end is translated: client, server or any; NULL: names what was found among all traits
) STRICT, WITHOUT ROWID;
