-- The tables that hold what was seen. Every column is on a line of its own with its comment behind
-- it: the build takes those comments into the table schema_comment.

CREATE TABLE schema_comment ( -- what every table and column means; bothends query DB --saved schema
	table_name TEXT NOT NULL, -- the table
	column_name TEXT, -- the column; NULL for the table itself
	comment TEXT NOT NULL -- what it means, with its unit
) STRICT;

CREATE TABLE setting ( -- thresholds the rules read; bothends analyze --set KEY=VALUE changes them
	key TEXT PRIMARY KEY, -- name
	value REAL NOT NULL, -- value in force
	comment TEXT NOT NULL -- what it does, with its unit
) STRICT, WITHOUT ROWID;

CREATE TABLE analysis ( -- how this database was made; a row for each fact about the run
	key TEXT PRIMARY KEY, -- version, filter, from, to ...
	value TEXT -- its value as text
) STRICT, WITHOUT ROWID;

CREATE TABLE limit_reached ( -- tables that were cut at their limit, so that nobody counts on them
	table_name TEXT PRIMARY KEY, -- the table
	kept INTEGER NOT NULL, -- rows that are there
	total INTEGER NOT NULL -- rows there would have been
) STRICT, WITHOUT ROWID;

CREATE TABLE host ( -- a machine
	id INTEGER PRIMARY KEY, -- from 1, in order of name
	name TEXT NOT NULL UNIQUE -- NAME of NAME=INPUT, else the agent's host name, else the file's stem
) STRICT;

CREATE TABLE vantage ( -- where a host's packets were recorded: an interface, a netfilter group, a flow log; or, kind kernel, those that its kernel dropped
	id INTEGER PRIMARY KEY, -- from 1
	host_id INTEGER NOT NULL REFERENCES host(id), -- the machine it belongs to
	name TEXT NOT NULL, -- for reports: the host's name, with the interface where the host has several
	kind TEXT NOT NULL, -- nic, netfilter, flowlog or kernel; packets pass the first three on their way, kernel is no such place
	interface TEXT, -- interface name, netfilter group, kernel:drops or ENI; NULL: not recorded
	mac TEXT, -- its own MAC: recorded, else inferred from the frames; NULL: unknown
	link_type INTEGER, -- LINKTYPE_ value; NULL for flow logs
	trust TEXT NOT NULL, -- sound, with care or unfit
	trust_reasons TEXT NOT NULL, -- why, as a JSON array of sentences; [] when sound
	promiscuous INTEGER, -- 1 frames for other MACs were seen or promiscuity was recorded, 0 recorded as off; NULL: unknown
	first_ns INTEGER, -- first frame, this vantage's clock
	last_ns INTEGER, -- last frame
	tcp_missed INTEGER NOT NULL DEFAULT 0, -- TCP segments proven to have passed here that the capture lacks
	duplicates INTEGER NOT NULL DEFAULT 0 -- frames the capture itself recorded twice, left out of the join
) STRICT;

CREATE TABLE host_address ( -- addresses known to belong to a host
	host_id INTEGER NOT NULL REFERENCES host(id), -- the machine
	ip TEXT, -- address; NULL where only the MAC is known
	mac TEXT, -- MAC that owns it; NULL: unknown
	interface TEXT, -- interface; NULL: unknown
	prefix INTEGER, -- prefix length; NULL: unknown
	source TEXT NOT NULL -- capture (interface options), agent (facts; a file of the host's too), inferred (from its frames), option (--host)
) STRICT;

CREATE TABLE identity_claim ( -- an address or MAC that is, or may be, a host's own, and by what evidence; what was contradicted is here too, as ruled out
	host_id INTEGER NOT NULL REFERENCES host(id), -- the machine
	vantage_id INTEGER REFERENCES vantage(id), -- where the evidence was seen; NULL: it was recorded or stated
	ip TEXT, -- the address; NULL: the claim is about a MAC
	mac TEXT, -- the MAC; NULL: the claim is about an address
	ruling TEXT NOT NULL, -- own, ruled out, or open: it may be, nothing decides
	evidence TEXT NOT NULL, -- stated (--host), recorded (by the capture or an agent), sent out (the capture marks its packets as leaving), sent from its MAC, sends its addresses (a MAC), ARP not padded, ARP with several, in all frames, nearest capture (of several that have it in all frames)
	strength TEXT NOT NULL, -- stated, proven or likely
	contradiction TEXT, -- what speaks against it, with the frame that shows it; a claim that is own holds all the same; NULL: nothing
	from_ns INTEGER, -- first frame that it sent from here as the host's own, that place's clock; NULL: no frame shows it
	to_ns INTEGER, -- last such frame
	frames INTEGER NOT NULL -- such frames
) STRICT;

CREATE TABLE vantage_order ( -- which of two places is nearer to the client, for all conversations that passed one right behind the other
	nearer_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the client
	farther_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the server
	known INTEGER NOT NULL, -- 1 evidence tells, 0 it may as well be the other way round
	evidence TEXT NOT NULL, -- owns an end, hook of the host, TTL, delays; not known by: delays within the stamps' noise, fewer packets, none
	flows INTEGER NOT NULL, -- conversations
	PRIMARY KEY (nearer_vantage_id, farther_vantage_id, evidence)
) STRICT, WITHOUT ROWID;

CREATE TABLE coverage ( -- what a capture could have recorded at a place, in each direction
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the place
	direction TEXT NOT NULL, -- in (to this host), out, or any: nothing tells them apart
	role TEXT NOT NULL, -- as what it stands on its link: host, router (host that hands on), mirror (port or tap), hook (netfilter), unknown
	shows TEXT NOT NULL, -- yes; nothing (no frame, and nothing says that there were any); never (none, though the other direction proves them: the capture leaves them out)
	frames INTEGER NOT NULL, -- frames of this direction
	from_ns INTEGER, -- it ran from here, this place's clock; NULL: no frame
	to_ns INTEGER, -- to here
	end_known INTEGER NOT NULL, -- 1 the capture recorded its start and end, 0 these are its first and last frame: it may have run longer
	gaps INTEGER NOT NULL, -- times in between in which it did not run
	filter TEXT, -- capture filter as recorded; NULL: not said
	stated TEXT, -- what the user says that it could record (--scope, pcap-filter(7)); NULL: nothing was said
	contradiction TEXT, -- the frames that the statement would have left out: it was not used; NULL: none
	snaplen INTEGER, -- smallest of its files; NULL: no limit
	dropped INTEGER, -- frames that the capture says it lost here, any direction; NULL: not said
	PRIMARY KEY (vantage_id, direction)
) STRICT, WITHOUT ROWID;

CREATE TABLE capture_file ( -- a capture that was read
	id INTEGER PRIMARY KEY, -- from 1
	host_id INTEGER NOT NULL REFERENCES host(id), -- whose it is
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- of its first interface
	path TEXT NOT NULL, -- as given or found
	format TEXT NOT NULL, -- pcap or pcapng
	compression TEXT NOT NULL, -- none, gzip, zstd or xz
	snaplen INTEGER NOT NULL, -- of its first interface; 0: no limit
	frames INTEGER NOT NULL, -- frames read
	bytes INTEGER NOT NULL, -- of the file as stored
	first_ns INTEGER, -- time of the first frame; NULL: no frame
	last_ns INTEGER, -- time of the last frame
	dropped_kernel INTEGER, -- frames the kernel dropped, as the file says; NULL: unknown, not 0
	dropped_interface INTEGER, -- frames the interface dropped, as the file says; NULL: unknown, not 0
	damaged TEXT, -- what is broken and where; NULL: sound
	hash TEXT NOT NULL, -- XXH3-128 of the file as stored, hex
	sha256 TEXT -- SHA-256 of the file as stored, hex; NULL without --sha256
) STRICT;

CREATE TABLE capture_interface ( -- an interface of a capture
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- the capture
	interface INTEGER NOT NULL, -- index in the file, from 0
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the vantage point it became; all of a file that tells several apart
	name TEXT, -- as recorded; NULL: not said
	link_type INTEGER NOT NULL, -- LINKTYPE_ value
	snaplen INTEGER NOT NULL, -- 0: no limit
	filter TEXT, -- capture filter as recorded; NULL: not said
	dropped_kernel INTEGER, -- frames of this interface that the kernel dropped; NULL: not said
	dropped_interface INTEGER, -- frames that the interface dropped; NULL: not said
	PRIMARY KEY (capture_file_id, interface, vantage_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE frame_account ( -- what became of every frame; sums to capture_file.frames
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- the capture
	disposition TEXT NOT NULL, -- joined, one_sided, duplicate, kernel_drop, arp, nd, vrrp, carp, fragment, other_ethertype, unsupported_link, truncated, malformed, filtered, outside_time ...
	frames INTEGER NOT NULL, -- frames
	bytes INTEGER NOT NULL, -- their length on the wire
	PRIMARY KEY (capture_file_id, disposition)
) STRICT, WITHOUT ROWID;

CREATE TABLE capture_drop ( -- a span in which a capture says that it lost frames
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where
	from_ns INTEGER NOT NULL, -- start, this vantage's clock
	to_ns INTEGER NOT NULL, -- end
	frames INTEGER NOT NULL, -- lost
	source TEXT NOT NULL -- epb_dropcount, interface statistics, agent, nflog sequence; flow table full (of this program: frames 0)
) STRICT;

CREATE TABLE log_file ( -- a flow-log file that was read
	id INTEGER PRIMARY KEY, -- from 1
	path TEXT NOT NULL, -- as given or found
	format TEXT NOT NULL, -- aws, aws-tgw, cloudwatch, parquet, gcp, azure-nsg, azure-vnet
	records INTEGER NOT NULL, -- flow records taken
	bytes INTEGER NOT NULL, -- of the file as stored
	hash TEXT NOT NULL, -- XXH3-128 of the file as stored, hex
	damaged TEXT -- what is broken and where; NULL: sound
) STRICT;

CREATE TABLE log_account ( -- what became of every line or record of a flow-log file
	log_file_id INTEGER NOT NULL REFERENCES log_file(id), -- the file
	disposition TEXT NOT NULL, -- record, nodata, skipdata, header, blank, malformed, duplicate ...
	lines INTEGER NOT NULL, -- lines or records
	PRIMARY KEY (log_file_id, disposition)
) STRICT, WITHOUT ROWID;

CREATE TABLE host_file ( -- a log, command output or other file of a host that is neither capture nor flow log, or a member of an archive of such files
	id INTEGER PRIMARY KEY, -- from 1
	host_id INTEGER NOT NULL REFERENCES host(id), -- the machine it speaks of
	path TEXT NOT NULL, -- as given or found; ARCHIVE:MEMBER in an archive
	kind TEXT, -- what it is: docs/host-files.md lists them; NULL: not understood, so nothing was taken from it
	lines INTEGER NOT NULL, -- lines or records read
	facts INTEGER NOT NULL, -- facts taken from them
	malformed INTEGER NOT NULL, -- lines or records of another form than the file's kind has
	cut INTEGER NOT NULL, -- lines longer than 64 KiB, of which the rest was not read
	undated INTEGER NOT NULL, -- facts with a time that could not be told: the year, the time zone or the boot is not known
	modified_ns INTEGER, -- time of its last change, as its archive says; NULL: not known
	damaged TEXT -- what is broken and where; NULL: sound
) STRICT;

CREATE TABLE host_fact ( -- something an agent, a file of the host, or the capture's own header, recorded about a host
	host_id INTEGER NOT NULL REFERENCES host(id), -- the machine
	at_ns INTEGER, -- when, the host's clock; NULL: not said
	key TEXT NOT NULL, -- name: docs/facts.md lists them
	value TEXT NOT NULL, -- value as text
	host_file_id INTEGER REFERENCES host_file(id), -- the file that says it; NULL: an agent, or a capture
	line INTEGER -- line there, from 1; NULL: none
) STRICT;

CREATE TABLE nic_counter ( -- a sample of an interface's or the stack's counter
	vantage_id INTEGER REFERENCES vantage(id), -- the interface's vantage point (the host's first for the stack's); NULL: it has none
	at_ns INTEGER, -- when, the host's clock; NULL: not said
	name TEXT NOT NULL, -- counter
	value INTEGER NOT NULL, -- value since the driver or host started
	host_id INTEGER REFERENCES host(id), -- the machine
	interface TEXT, -- the interface; NULL: the stack's
	host_file_id INTEGER REFERENCES host_file(id), -- the file that says it; NULL: an agent
	line INTEGER -- line there, from 1; NULL: none
) STRICT;

CREATE TABLE counter_interval ( -- what a source of rates or sums says was counted in a span of time (collectd, sysstat, a cloud's metrics)
	host_id INTEGER NOT NULL REFERENCES host(id), -- the machine
	interface TEXT, -- the interface; NULL: the host's or the stack's
	name TEXT NOT NULL, -- counter, as in nic_counter; cloud.NAME: a metric that the cloud took from outside
	from_ns INTEGER NOT NULL, -- start, the source's clock
	to_ns INTEGER NOT NULL, -- end
	amount REAL NOT NULL, -- counted in between
	host_file_id INTEGER REFERENCES host_file(id), -- the file that says it
	line INTEGER -- line or record there, from 1
) STRICT;

CREATE TABLE kernel_log ( -- a kernel line that matters
	host_id INTEGER NOT NULL REFERENCES host(id), -- the machine
	at_ns INTEGER, -- when, the host's clock; NULL: not known, see written
	level INTEGER, -- syslog level, 0 emergency to 7 debug; NULL: not said
	message TEXT NOT NULL, -- the line
	until_ns INTEGER, -- the latest moment it may have been written, where the log cuts its times; NULL: at_ns is exact
	written TEXT, -- the time as the log has it, where at_ns is not known
	host_file_id INTEGER REFERENCES host_file(id), -- the file that says it; NULL: an agent
	line INTEGER -- line there, from 1; NULL: none
) STRICT;

CREATE TABLE service_log ( -- a line of a service that tells what became of an address or a server
	host_id INTEGER NOT NULL REFERENCES host(id), -- the machine
	at_ns INTEGER, -- when, the host's clock; NULL: not known, see written
	level INTEGER, -- syslog level; NULL: not said
	message TEXT NOT NULL, -- the line
	until_ns INTEGER, -- as in kernel_log
	written TEXT, -- as in kernel_log
	host_file_id INTEGER REFERENCES host_file(id), -- the file that says it
	line INTEGER, -- line there, from 1
	service TEXT NOT NULL -- keepalived or haproxy
) STRICT;

CREATE TABLE neighbor ( -- an entry of a neighbour table at a time
	host_id INTEGER NOT NULL REFERENCES host(id), -- whose table
	at_ns INTEGER, -- when, the host's clock; NULL: not said (a listing given as a file)
	ip TEXT NOT NULL, -- the neighbour's address
	mac TEXT, -- its MAC; NULL: unresolved
	state TEXT NOT NULL, -- REACHABLE, STALE, DELAY, PROBE, FAILED, INCOMPLETE, PERMANENT, NOARP; NONE: not said; REMOVED: the entry went
	interface TEXT, -- by which interface
	confirmed_s INTEGER, -- seconds since it was confirmed; NULL: not said
	used_s INTEGER, -- seconds since it was used
	updated_s INTEGER -- seconds since it was changed
) STRICT;

CREATE TABLE clock ( -- a piece of the clock model of one vantage point against the reference
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- this clock
	reference_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- against that one
	from_ns INTEGER NOT NULL, -- start of the piece, on this clock
	to_ns INTEGER NOT NULL, -- end, on this clock
	offset_ns INTEGER, -- this clock minus the reference's at from_ns: the middle of the bounds; NULL: a bound is missing
	offset_low_ns INTEGER, -- lower bound at from_ns; NULL: none
	offset_high_ns INTEGER, -- upper bound at from_ns; NULL: none
	skew_ppm REAL NOT NULL, -- all three move with it from from_ns on
	method TEXT NOT NULL, -- both directions, forward only, backward only, same host, through another, reference
	samples INTEGER NOT NULL -- packets behind it
) STRICT;

CREATE TABLE flow ( -- a conversation
	id INTEGER PRIMARY KEY, -- from 1, in order of first_ns
	protocol TEXT NOT NULL, -- tcp, udp, icmp, icmp6, else the number
	client_ip TEXT NOT NULL, -- as seen nearest to the client
	client_port INTEGER NOT NULL, -- 0 where the protocol has none
	server_ip TEXT NOT NULL, -- as seen nearest to the client: before any translation of the destination
	server_port INTEGER NOT NULL, -- 0 where the protocol has none
	client_isn INTEGER, -- the client's initial sequence number as at the place nearest to the client (position 0); NULL: SYN not captured
	server_isn INTEGER, -- the server's, as at that place too; NULL: SYN-ACK not captured
	first_ns INTEGER NOT NULL, -- first packet anywhere, reference clock
	last_ns INTEGER NOT NULL, -- last packet anywhere, reference clock
	outcome TEXT NOT NULL, -- established, closed, reset, refused, unanswered, half_open, midstream, datagram
	client_known INTEGER NOT NULL, -- 1 the client sent SYN or echo requests, 0 taken to be the higher port
	pairing TEXT NOT NULL -- the evidence that what its vantage points saw is one flow: isn (both initial sequence numbers are equal), client isn (one is, the other was not captured everywhere), address (addresses, ports and sequence numbers fit), offset (sequence numbers differ by a constant), content (payload, time stamps and lengths are equal under other addresses), hash (datagrams: addresses and ports are equal), alone (one vantage point saw it), ambiguous (several fit equally, so none was joined), proxy (same addresses, unrelated numbers: two connections, each with legs of its own)
) STRICT;

CREATE TABLE flow_vantage ( -- a flow as one vantage point saw it
	flow_id INTEGER NOT NULL REFERENCES flow(id), -- the conversation
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the place
	position INTEGER NOT NULL, -- order from the client's side (0) to the server's
	client_ip TEXT NOT NULL, -- as seen here
	client_port INTEGER NOT NULL, -- as seen here
	server_ip TEXT NOT NULL, -- as seen here
	server_port INTEGER NOT NULL, -- as seen here
	seq_delta_c2s INTEGER NOT NULL, -- client's sequence numbers here minus those at position 0, modulo 2^32
	seq_delta_s2c INTEGER NOT NULL, -- server's sequence numbers here minus those at position 0, modulo 2^32
	first_ns INTEGER NOT NULL, -- first packet, this vantage's clock
	last_ns INTEGER NOT NULL, -- last packet
	packets_c2s INTEGER NOT NULL, -- frames from the client
	packets_s2c INTEGER NOT NULL, -- frames from the server
	bytes_c2s INTEGER NOT NULL, -- transport payload from the client, retransmissions too
	bytes_s2c INTEGER NOT NULL, -- transport payload from the server
	syn_c2s INTEGER NOT NULL, -- SYNs from the client, retransmissions too
	syn_s2c INTEGER NOT NULL, -- SYN-ACKs from the server
	fin_c2s INTEGER NOT NULL, -- FINs from the client
	fin_s2c INTEGER NOT NULL, -- FINs from the server
	rst_c2s INTEGER NOT NULL, -- RSTs from the client
	rst_s2c INTEGER NOT NULL, -- RSTs from the server
	zero_window_c2s INTEGER NOT NULL, -- segments in which the client announces window 0 (not SYN, RST)
	zero_window_s2c INTEGER NOT NULL, -- segments in which the server announces window 0
	ttl_c2s INTEGER, -- TTL of the client's packets here; NULL: none seen
	ttl_s2c INTEGER, -- TTL of the server's packets here
	mss_c2s INTEGER, -- MSS option of the client's SYN here; NULL: none
	mss_s2c INTEGER, -- MSS option of the server's SYN-ACK here
	PRIMARY KEY (flow_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE path ( -- what became of the segments of one direction of a flow between two adjacent vantage points
	flow_id INTEGER NOT NULL REFERENCES flow(id), -- the conversation
	leg INTEGER NOT NULL, -- which part of the way, counted from the client's side (0); to a multicast group or broadcast: the way from the sender to each place
	direction TEXT NOT NULL, -- c2s or s2c
	from_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the sender
	to_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the receiver
	sent INTEGER NOT NULL, -- segments: sent = delivered + misaddressed + lost + capture_missed + unjudged
	delivered INTEGER NOT NULL, -- arrived and recorded
	misaddressed INTEGER NOT NULL, -- arrived at the tap under a MAC that is not the host's
	lost INTEGER NOT NULL, -- did not arrive: the receiving capture was running and lacks them, and nothing that the receiver sent shows that they came
	capture_missed INTEGER NOT NULL, -- arrived, but the receiving capture lacks it
	unjudged INTEGER NOT NULL, -- the captures do not show whether they arrived
	received INTEGER NOT NULL, -- segments recorded at the receiving side = delivered + misaddressed + duplicated + injected + sender_missed
	duplicated INTEGER NOT NULL, -- arrivals beyond the delivered ones
	injected INTEGER NOT NULL, -- arrived, never sent by the peer
	sender_missed INTEGER NOT NULL, -- arrived, but the sending capture lacks it
	modified INTEGER NOT NULL, -- delivered, but changed on the way
	reordered INTEGER NOT NULL, -- arrivals out of order by RFC 4737
	retransmitted INTEGER NOT NULL, -- of sent: segments whose bytes had been sent before
	syn_sent INTEGER NOT NULL, -- of sent: SYN or SYN-ACK
	syn_lost INTEGER NOT NULL, -- of lost and misaddressed: SYN or SYN-ACK
	bytes_sent INTEGER NOT NULL, -- transport payload, as for segments
	bytes_delivered INTEGER NOT NULL, -- payload bytes
	bytes_misaddressed INTEGER NOT NULL, -- payload bytes
	bytes_lost INTEGER NOT NULL, -- payload bytes
	bytes_capture_missed INTEGER NOT NULL, -- payload bytes
	bytes_unjudged INTEGER NOT NULL, -- payload bytes
	bytes_received INTEGER NOT NULL, -- payload bytes
	bytes_duplicated INTEGER NOT NULL, -- payload bytes
	bytes_injected INTEGER NOT NULL, -- payload bytes
	bytes_sender_missed INTEGER NOT NULL, -- payload bytes
	bytes_retransmitted INTEGER NOT NULL, -- payload bytes
	largest_delivered INTEGER, -- IP length of the largest wire packet that arrived; NULL: none
	smallest_lost INTEGER, -- IP length of the smallest lost packet with payload; NULL: none
	estimated INTEGER NOT NULL, -- 1 where segment counts are derived from merged records
	owd_min_ns INTEGER, -- one-way delay, reference clock, by the middle of the clock interval; NULL: unknown
	owd_median_ns INTEGER, -- median
	owd_max_ns INTEGER, -- maximum
	PRIMARY KEY (flow_id, leg, direction)
) STRICT, WITHOUT ROWID;

CREATE TABLE segment_event ( -- a transmission, or a part of one, with another fate than delivered once, in order, unchanged and recorded at both ends; or an arrival that was not sent
	id INTEGER PRIMARY KEY, -- from 1, by flow
	flow_id INTEGER NOT NULL REFERENCES flow(id), -- the conversation
	direction TEXT NOT NULL, -- c2s or s2c
	kind TEXT NOT NULL, -- lost, capture_missed, misaddressed, unjudged, duplicated, sender_missed, reordered, injected, modified, both_missed
	seq INTEGER NOT NULL, -- 32-bit sequence number on the wire at the sender; IP ID for datagrams
	length INTEGER NOT NULL, -- payload bytes
	segments INTEGER NOT NULL, -- wire segments it stands for
	tcp_flags INTEGER NOT NULL, -- flags byte
	from_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the sender
	sent_file_id INTEGER REFERENCES capture_file(id), -- where it was sent; NULL: not captured there
	sent_frame INTEGER, -- frame number there
	sent_ns INTEGER, -- time there, that clock
	to_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the receiver
	received_file_id INTEGER REFERENCES capture_file(id), -- where it arrived; NULL: not captured there
	received_frame INTEGER, -- frame number there
	received_ns INTEGER, -- time there, that clock
	reason TEXT NOT NULL, -- the rule that decided: docs/verdicts.md lists them
	proof_file_id INTEGER REFERENCES capture_file(id), -- the frame that proves it (an ACK, a SACK); NULL: absence
	proof_frame INTEGER, -- frame number there
	detail TEXT, -- what was changed (modified), as words; NULL: nothing to add
	outside INTEGER -- capture_missed, sender_missed: 1 nothing shows that the capture without it was running then, 0 it was running; NULL: another kind
) STRICT;

CREATE TABLE packet ( -- one frame; which frames get rows: --packets
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- the capture
	frame INTEGER NOT NULL, -- number, from 1
	at_ns INTEGER NOT NULL, -- time, that file's clock
	file_offset INTEGER NOT NULL, -- of the record in the uncompressed content
	flow_id INTEGER REFERENCES flow(id), -- the conversation; NULL: not part of one
	direction TEXT, -- c2s or s2c
	src_mac TEXT, -- NULL: not in this link type
	dst_mac TEXT, -- NULL: not in this link type
	src_ip TEXT, -- source
	src_port INTEGER, -- NULL: none
	dst_ip TEXT, -- destination
	dst_port INTEGER, -- NULL: none
	seq INTEGER, -- TCP only
	ack INTEGER, -- TCP only
	length INTEGER NOT NULL, -- transport payload bytes on the wire
	tcp_flags INTEGER, -- TCP only
	ip_id INTEGER, -- IPv4 identification
	ttl INTEGER, -- TTL or hop limit
	info TEXT, -- the frame in words
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where: a capture can be of several interfaces
	PRIMARY KEY (capture_file_id, frame)
) STRICT, WITHOUT ROWID;

CREATE TABLE mac_use ( -- how an IP was addressed, or answered from, at a vantage point
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where
	ip TEXT NOT NULL, -- the address
	mac TEXT NOT NULL, -- the MAC it went with
	role TEXT NOT NULL, -- source (frames from it) or destination (frames to it)
	frames INTEGER NOT NULL, -- frames
	first_ns INTEGER NOT NULL, -- first, this vantage's clock
	last_ns INTEGER NOT NULL, -- last
	first_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- capture of the first one
	first_frame INTEGER NOT NULL, -- frame number of the first one
	ttl_max INTEGER NOT NULL, -- largest TTL seen with it: 64, 128 or 255 speaks for a direct neighbour
	outgoing INTEGER NOT NULL, -- 1 where the frames left from this vantage's own MAC
	binding_mac TEXT -- destination only: the MAC that the address had last spoken from here (frames, ARP) when these were sent, a row for each; NULL: it had not spoken
) STRICT;

CREATE TABLE arp ( -- an ARP or neighbour-discovery message
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where
	at_ns INTEGER NOT NULL, -- when, this vantage's clock
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- capture
	frame INTEGER NOT NULL, -- frame number
	operation TEXT NOT NULL, -- request, reply, probe, announcement
	sender_mac TEXT, -- as in the message
	sender_ip TEXT, -- NULL: none (probe)
	target_mac TEXT, -- NULL: none or zero
	target_ip TEXT, -- asked for or answered
	ethernet_src TEXT, -- source MAC of the frame
	ethernet_dst TEXT -- destination MAC of the frame
) STRICT;

CREATE TABLE vrrp_advert ( -- a VRRP advertisement
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where
	at_ns INTEGER NOT NULL, -- when, this vantage's clock
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- capture
	frame INTEGER NOT NULL, -- frame number
	version INTEGER NOT NULL, -- 2 or 3
	vrid INTEGER NOT NULL, -- virtual router identifier
	src_ip TEXT NOT NULL, -- the router that sent it
	priority INTEGER NOT NULL, -- 0: it resigns; 255: owner
	interval_ns INTEGER NOT NULL, -- advertisement interval as announced
	addresses TEXT NOT NULL, -- virtual addresses, comma-separated, in order
	dst_ip TEXT NOT NULL, -- 224.0.0.18, ff02::12 or a unicast peer
	src_mac TEXT, -- source MAC; NULL: not in this link type
	vlan INTEGER, -- outermost VLAN; NULL: untagged
	ip_id INTEGER, -- IPv4 identification
	ttl INTEGER NOT NULL, -- must be 255 for multicast
	auth_type INTEGER, -- version 2
	auth_data TEXT, -- version 2, hex
	checksum TEXT NOT NULL, -- message, pseudo, bad, unknown: the convention it follows
	outgoing INTEGER -- 1 sent by this vantage's host, 0 received; NULL: unknown
) STRICT;

CREATE TABLE icmp_error ( -- an ICMP error and the packet it quotes
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where
	at_ns INTEGER NOT NULL, -- when, this vantage's clock
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- capture
	frame INTEGER NOT NULL, -- frame number
	version INTEGER NOT NULL, -- 4 ICMP, 6 ICMPv6
	type INTEGER NOT NULL, -- message type
	code INTEGER NOT NULL, -- message code
	mtu INTEGER, -- next-hop MTU where the message carries one
	src_ip TEXT NOT NULL, -- who complains
	dst_ip TEXT NOT NULL, -- to whom
	quoted_protocol INTEGER, -- of the packet it quotes
	quoted_src_ip TEXT, -- quoted source
	quoted_src_port INTEGER, -- quoted source port
	quoted_dst_ip TEXT, -- quoted destination
	quoted_dst_port INTEGER, -- quoted destination port
	quoted_seq INTEGER -- quoted TCP sequence number
) STRICT;

CREATE TABLE zero_window ( -- a span in which one side of a flow announced window 0
	flow_id INTEGER NOT NULL REFERENCES flow(id), -- the conversation
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where it was seen
	direction TEXT NOT NULL, -- direction of the announcements: c2s is the client's window
	from_ns INTEGER NOT NULL, -- first zero window, this vantage's clock
	to_ns INTEGER NOT NULL, -- window opened again, or the last packet
	probes INTEGER NOT NULL, -- window probes from the other side in between
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- capture
	frame INTEGER NOT NULL -- first zero window
) STRICT;

CREATE TABLE netfilter_log ( -- what a netfilter log rule recorded, by flow, hook and prefix
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the netfilter vantage point
	flow_id INTEGER REFERENCES flow(id), -- the conversation; NULL: not part of one
	direction TEXT, -- c2s or s2c
	hook TEXT NOT NULL, -- prerouting, input, forward, output, postrouting
	prefix TEXT NOT NULL, -- the rule's log prefix; "" when it has none
	packets INTEGER NOT NULL, -- records
	first_ns INTEGER NOT NULL, -- first, this vantage's clock
	last_ns INTEGER NOT NULL, -- last
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- capture of the first one
	frame INTEGER NOT NULL -- frame number of the first one
) STRICT;

CREATE TABLE kernel_drop ( -- a packet that a host's kernel dropped, with its reason, as the agent recorded it (--drops)
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the host's vantage point of kind kernel
	at_ns INTEGER NOT NULL, -- when, the host's clock
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- capture
	frame INTEGER NOT NULL, -- frame number of the record
	reason TEXT NOT NULL, -- the kernel's name, without SKB_DROP_REASON_; a number in hex where it has none
	function TEXT, -- the kernel's function that dropped it; NULL: not said
	interface TEXT, -- device that it was at; NULL: none any more
	netns INTEGER, -- network namespace (inode); NULL: not known
	socket TEXT, -- stream, dgram, raw or packet: kind of the socket that it was for, or from; NULL: none
	segments INTEGER NOT NULL, -- packets on the wire that it stands for: more than 1 when the host had merged them
	way TEXT, -- in: received by an interface; out: made by the host; NULL: not said
	protocol INTEGER, -- of IP; NULL: not IP
	src_ip TEXT, -- source; NULL: not IP
	src_port INTEGER, -- source port; NULL: none
	dst_ip TEXT, -- destination
	dst_port INTEGER, -- destination port
	tcp_flags INTEGER, -- flags; NULL: not TCP
	length INTEGER NOT NULL, -- payload bytes
	flow_id INTEGER REFERENCES flow(id), -- the conversation; NULL: no capture has it
	direction TEXT, -- c2s or s2c, with flow_id
	seen_vantage_id INTEGER REFERENCES vantage(id), -- the host's interface where the same packet was captured; NULL: it was not
	seen_file_id INTEGER REFERENCES capture_file(id), -- capture there
	seen_frame INTEGER, -- frame there
	sent_vantage_id INTEGER REFERENCES vantage(id), -- another place that has the same packet, and once only; NULL: none
	sent_file_id INTEGER REFERENCES capture_file(id), -- capture there
	sent_frame INTEGER -- frame there
) STRICT;

CREATE TABLE activity ( -- one second of one vantage point in which anything passed
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where
	second_ns INTEGER NOT NULL, -- start of the second, this vantage's clock
	rx_frames INTEGER NOT NULL, -- received (everything, where neither the capture tells directions nor its own MAC is known)
	tx_frames INTEGER NOT NULL, -- sent
	rx_bytes INTEGER NOT NULL, -- received, on the wire
	tx_bytes INTEGER NOT NULL, -- sent, on the wire
	PRIMARY KEY (vantage_id, second_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE peer_activity ( -- frames between a host's address and a peer by second, where the host may have been dark
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where it was seen
	src_ip TEXT NOT NULL, -- from
	dst_ip TEXT NOT NULL, -- to
	second_ns INTEGER NOT NULL, -- start of the second, this vantage's clock
	frames INTEGER NOT NULL -- frames
) STRICT;

CREATE TABLE flow_silence ( -- a TCP flow that was silent for ten seconds or more and then not, at one place: how long it may be, and what it cannot be
	flow_id INTEGER NOT NULL REFERENCES flow(id), -- the conversation
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where
	survived_ns INTEGER NOT NULL, -- the longest silence after which both sides went on; 0: none
	broken_ns INTEGER, -- the silence after which one side spoke and the other was gone; NULL: none
	direction TEXT, -- c2s or s2c: who spoke then; NULL: none
	at_ns INTEGER, -- when, this vantage's clock
	packets INTEGER NOT NULL, -- sent by that side from then on
	resets INTEGER NOT NULL, -- all that the other side answered
	capture_file_id INTEGER REFERENCES capture_file(id), -- capture of the first of them
	frame INTEGER, -- its frame number
	reset_file_id INTEGER REFERENCES capture_file(id), -- capture of the first reset; NULL: none
	reset_frame INTEGER -- its frame number
) STRICT;

CREATE TABLE flow_untaken ( -- segments that arrived at their own host and that it did not take: with a wrong checksum and not acknowledged before the same bytes came again, bytes that came three times and were never acknowledged, or bytes that it asked for again while it took later ones
	flow_id INTEGER NOT NULL REFERENCES flow(id), -- the conversation
	direction TEXT NOT NULL, -- c2s or s2c
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- at the host that they are for
	segments INTEGER NOT NULL, -- arrivals that were not taken
	wrong_checksum INTEGER NOT NULL, -- of those, with a wrong TCP or UDP checksum
	wrong_outer INTEGER NOT NULL, -- of those, with a wrong UDP checksum of the tunnel around them
	asked_again INTEGER NOT NULL, -- of those, with no wrong checksum known, asked for again while later ones were taken (SACK)
	unverified INTEGER NOT NULL, -- of asked_again, not captured whole: the checksum is not known
	sent_right INTEGER NOT NULL, -- of those, recorded with a right checksum where they were sent
	taken_wrong INTEGER NOT NULL, -- segments of all flows there with a wrong checksum that were acknowledged all the same: offload
	first_ns INTEGER NOT NULL, -- first of segments, that place's clock
	last_ns INTEGER NOT NULL, -- last
	capture_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- capture of the first
	frame INTEGER NOT NULL -- its frame number
) STRICT;

CREATE TABLE flow_outage ( -- a time in which a direction of a flow went on and none of it arrived: three transmissions in half a second at least
	flow_id INTEGER NOT NULL REFERENCES flow(id), -- the conversation
	direction TEXT NOT NULL, -- c2s or s2c
	from_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the sender
	to_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the receiver
	from_ns INTEGER NOT NULL, -- first lost transmission, sender's clock
	to_ns INTEGER NOT NULL, -- last lost transmission
	until_ns INTEGER, -- the first one after it that arrived, sender's clock; NULL: none did
	transmissions INTEGER NOT NULL, -- lost in that time
	least INTEGER NOT NULL, -- only transmissions with so much payload were lost, smaller ones arrived; 0: none of any size arrived
	at_from_ns INTEGER NOT NULL, -- from_ns on the reference clock; where the sender's showed a time twice, the right one of both
	at_to_ns INTEGER NOT NULL -- to_ns on the reference clock, in the same way
) STRICT;

CREATE TABLE flow_activity ( -- frames of a flow by second, where several flows of one of its hosts were out at once
	flow_id INTEGER NOT NULL REFERENCES flow(id), -- the conversation
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where they were seen
	direction TEXT NOT NULL, -- c2s or s2c
	second_ns INTEGER NOT NULL, -- start of the second, this vantage's clock
	frames INTEGER NOT NULL, -- frames
	largest INTEGER NOT NULL, -- payload of the largest frame, as recorded
	at_ns INTEGER NOT NULL -- second_ns on the reference clock; where this vantage's showed a time twice, the right one of both
) STRICT;

CREATE TABLE flow_log ( -- a record of a cloud's flow log
	id INTEGER PRIMARY KEY, -- from 1
	log_file_id INTEGER NOT NULL REFERENCES log_file(id), -- the file
	line INTEGER NOT NULL, -- line, or record number where the format has no lines
	vantage_id INTEGER REFERENCES vantage(id), -- the ENI's vantage point; NULL: none
	account TEXT, -- owner of the interface
	interface TEXT, -- ENI, attachment, NIC MAC or instance
	src_ip TEXT, -- source
	src_port INTEGER, -- NULL: none
	dst_ip TEXT, -- destination
	dst_port INTEGER, -- NULL: none
	pkt_src_ip TEXT, -- source in the packet itself where the record's differs; else NULL
	pkt_dst_ip TEXT, -- destination in the packet itself where the record's differs; else NULL
	protocol TEXT, -- tcp, udp, icmp, icmp6, else the number
	packets INTEGER, -- in this window and direction
	bytes INTEGER, -- in this window and direction
	start_ns INTEGER, -- start of the window
	end_ns INTEGER, -- end of the window
	action TEXT, -- ACCEPT, REJECT or NULL, whatever the cloud calls it
	log_status TEXT, -- OK, NODATA, SKIPDATA
	tcp_flags INTEGER, -- ORed over the window; NULL: not recorded
	direction TEXT, -- ingress, egress; NULL: not recorded
	sampled INTEGER NOT NULL DEFAULT 0, -- 1 where the cloud samples: absence proves nothing
	detail TEXT -- columns without a place of their own, as JSON; NULL: none
) STRICT;

CREATE TABLE loss_trait ( -- on a way that lost anything: how many packets died and how many lived, by what they had in common when they were sent; packets whose fate is not judged are in neither
	from_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the sender
	to_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- nearer to the receiver
	protocol INTEGER NOT NULL, -- IP protocol number: each protocol is held against itself
	trait TEXT NOT NULL, -- table trait says what it is
	bucket INTEGER NOT NULL, -- values that count together, in order; -1: it has no value there (nothing came before)
	label TEXT, -- the value in words: an address, a kind of packet; NULL: see low
	low INTEGER, -- smallest value in it; nanoseconds where it is a time, moments since the first frame of from_vantage_id; NULL: no value
	high INTEGER, -- largest value in it
	died INTEGER NOT NULL, -- wire packets lost or misaddressed
	lived INTEGER NOT NULL, -- wire packets that arrived
	unjudged INTEGER NOT NULL, -- wire packets of which nobody knows
	runs INTEGER NOT NULL, -- of those that died: bursts, in which none of the flow's direction arrived in between and none is half a second from the next
	flows_died INTEGER, -- traits of flows: directions of flows that lost any; NULL: a trait of packets
	flows_lived INTEGER, -- traits of flows: directions of flows that lost none
	died_file_id INTEGER REFERENCES capture_file(id), -- one that died: capture; NULL: none
	died_frame INTEGER, -- and its frame there
	lived_file_id INTEGER REFERENCES capture_file(id), -- one that lived: capture; NULL: none
	lived_frame INTEGER, -- and its frame there
	sampled INTEGER NOT NULL -- counts are of one in so many conversations; 1: of all
) STRICT;

CREATE TABLE port_reuse ( -- a connection whose SYN met the remains of the one that used the same addresses and ports before: answered with that one's numbers, not with a SYN-ACK
	flow_id INTEGER NOT NULL REFERENCES flow(id), -- the new connection
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where this was seen
	older_flow_id INTEGER REFERENCES flow(id), -- the one before; NULL: not captured
	since_ns INTEGER, -- from that one's last packet to the SYN; NULL: not captured
	syns INTEGER NOT NULL, -- SYNs until it opened, or all
	challenges INTEGER NOT NULL, -- ACKs without SYN of the older one's numbers (challenge ACKs, RFC 5961; an old TIME-WAIT answers so, too)
	client_resets INTEGER NOT NULL, -- RSTs by which the client answered these
	server_resets INTEGER NOT NULL, -- RSTs of the server with the older one's numbers
	syn_ns INTEGER NOT NULL, -- first SYN, this vantage's clock
	opened_after_ns INTEGER, -- from there to the SYN-ACK; NULL: it never opened
	syn_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- first SYN: capture
	syn_frame INTEGER NOT NULL, -- and frame
	answer_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- first answer with the older one's numbers: capture
	answer_frame INTEGER NOT NULL -- and frame
) STRICT;

CREATE TABLE syn_timestamp ( -- connections of an address to a service by their SYN's time stamp (RFC 7323), where one that got no answer lay below that of the last SYN before it that got one
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where
	client_ip TEXT NOT NULL, -- as seen here
	server_ip TEXT NOT NULL, -- as seen here
	server_port INTEGER NOT NULL, -- as seen here
	unanswered_below INTEGER NOT NULL, -- connections without an answer whose stamp is lower
	unanswered_above INTEGER NOT NULL, -- without an answer, stamp equal or higher
	answered_below INTEGER NOT NULL, -- with a SYN-ACK, stamp lower
	answered_above INTEGER NOT NULL, -- with a SYN-ACK, stamp equal or higher
	below_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- the first without an answer and with a lower stamp: capture
	below_frame INTEGER NOT NULL, -- and frame
	before_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- the answered SYN before it: capture
	before_frame INTEGER NOT NULL -- and frame
) STRICT;

CREATE TABLE unfilled_hole ( -- a direction of a connection whose receiver asked to the end for bytes that did not come, though later ones did (SACK): of connections of few packets only
	flow_id INTEGER NOT NULL REFERENCES flow(id), -- the connection
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- where this was seen
	direction TEXT NOT NULL, -- of the missing bytes: c2s or s2c
	src_ip TEXT NOT NULL, -- their sender, as seen here
	dst_ip TEXT NOT NULL, -- the receiver, as seen here
	bytes INTEGER NOT NULL, -- missing, up to the first that came after them: a full segment at least
	full INTEGER NOT NULL, -- payload of a full segment, by the MSS of both
	acks INTEGER NOT NULL, -- acknowledgments that asked for them
	sent INTEGER NOT NULL, -- transmissions of them that are in the capture; 0: they were lost before
	smallest_sent INTEGER, -- payload of the smallest such; NULL: none
	largest_passed INTEGER NOT NULL, -- payload of the largest segment that came: in this connection, or another one between these addresses without a hole
	from_ns INTEGER NOT NULL, -- first of these acknowledgments, this vantage's clock
	to_ns INTEGER NOT NULL, -- last packet of the connection
	first_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- first of these acknowledgments: capture
	first_frame INTEGER NOT NULL, -- and frame
	last_file_id INTEGER NOT NULL REFERENCES capture_file(id), -- last of them: capture
	last_frame INTEGER NOT NULL -- and frame
) STRICT;
