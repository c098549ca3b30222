-- What the flow logs say, summed while they are read: the rules work on these tables, so that
-- judging does not depend on how many records there are. All can be made again from flow_log.

CREATE TABLE log_problem ( -- the first lines of a flow-log file that could not be used, and columns nobody knows
	log_file_id INTEGER NOT NULL REFERENCES log_file(id), -- the file
	line INTEGER, -- line or record number; NULL: the whole file
	reason TEXT NOT NULL, -- what is wrong, or notable
	text TEXT -- the start of the line, bytes that cannot be printed as ?
) STRICT;

CREATE TABLE flow_log_interface ( -- what the logs of one ENI (or attachment, NIC, reporter) hold in all
	vantage_id INTEGER PRIMARY KEY REFERENCES vantage(id), -- its vantage point
	own_ip TEXT, -- its own IPv4 address as the records show it; NULL: the records do not tell
	own_ip6 TEXT, -- its own IPv6 address, as above
	records INTEGER NOT NULL, -- flow records
	accepted INTEGER NOT NULL, -- of them accepted; 0 with rejects present: the log may be limited to rejects
	rejected INTEGER NOT NULL, -- of them rejected; 0: the log may be limited to accepts
	nodata INTEGER NOT NULL, -- NODATA records: it was silent
	skipdata INTEGER NOT NULL, -- SKIPDATA records: the log lost records
	first_ns INTEGER, -- start of the first window
	last_ns INTEGER, -- end of the last window
	interval_ns INTEGER NOT NULL, -- longest window: the aggregation interval
	has_flags INTEGER NOT NULL, -- 1: TCP flags are recorded
	sampled INTEGER NOT NULL, -- 1: the cloud samples; absence proves nothing
	sources INTEGER NOT NULL, -- flow logs (fl-...) that cover it at the same time; above 1 only the largest is summed
	transit INTEGER NOT NULL -- 1: it forwards for others (transit gateway attachment, NAT gateway)
) STRICT;

CREATE TABLE flow_log_pair ( -- a client, a server and its service as one ENI's log shows them: those with rejects or silence (the 20,000 with most), and the 5,000 largest others
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the ENI
	own TEXT, -- server: the ENI is the server's, client: the client's; NULL: neither, or not known
	protocol TEXT NOT NULL, -- tcp, udp, icmp, icmp6, else the number; unknown: not recorded
	client_ip TEXT NOT NULL, -- sent the SYN, else has the higher port
	server_ip TEXT NOT NULL, -- the other one
	server_port INTEGER, -- its port; NULL: none
	guessed INTEGER NOT NULL, -- 1 where ports, not SYN flags, tell who the client is
	flows INTEGER NOT NULL, -- 5-tuples
	records_c2s INTEGER NOT NULL, -- records from the client
	records_s2c INTEGER NOT NULL, -- records from the server
	packets_c2s INTEGER NOT NULL, -- packets from the client
	packets_s2c INTEGER NOT NULL, -- packets from the server
	bytes_c2s INTEGER NOT NULL, -- bytes from the client, as the cloud counts them
	bytes_s2c INTEGER NOT NULL, -- bytes from the server
	rejected_records_c2s INTEGER NOT NULL, -- rejected records from the client
	rejected_records_s2c INTEGER NOT NULL, -- rejected records from the server
	rejected_packets_c2s INTEGER NOT NULL, -- rejected packets from the client
	rejected_packets_s2c INTEGER NOT NULL, -- rejected packets from the server
	rejected_flows INTEGER NOT NULL, -- 5-tuples with a reject before or without any accepted packet of that direction
	reply_rejected_flows INTEGER NOT NULL, -- 5-tuples whose request was accepted and whose reply was rejected: a network ACL
	unanswered_flows INTEGER NOT NULL, -- 5-tuples accepted from the client with no record from the server at all
	unanswered_records INTEGER NOT NULL, -- their records
	unanswered_packets INTEGER NOT NULL, -- their packets
	unanswered_syn INTEGER NOT NULL, -- of them 5-tuples whose flags show a SYN
	edge_flows INTEGER NOT NULL, -- of them so near the end of the log that the answer may not have been delivered
	void_flows INTEGER NOT NULL, -- unanswered too, but SKIPDATA or a gap of the log overlaps; not in unanswered_flows
	first_ns INTEGER NOT NULL, -- start of the first window
	last_ns INTEGER NOT NULL, -- end of the last window
	unanswered_first_ns INTEGER, -- start of the first unanswered window
	unanswered_last_ns INTEGER, -- end of the last unanswered window
	unanswered_file_id INTEGER REFERENCES log_file(id), -- a file with an unanswered record
	unanswered_line INTEGER, -- its line
	rejected_first_ns INTEGER, -- start of the first rejected window
	rejected_last_ns INTEGER, -- end of the last rejected window
	rejected_file_id INTEGER REFERENCES log_file(id), -- a file with a rejected record
	rejected_line INTEGER -- its line
) STRICT;

CREATE TABLE flow_log_request ( -- what a client asked of a service, and what became of it, by all logs together
	client_ip TEXT, -- the client; NULL: all that are neither private nor a logged ENI's
	server_ip TEXT, -- the server; NULL as above
	protocol TEXT NOT NULL, -- tcp, udp, icmp, icmp6, else the number; unknown: not recorded
	server_port INTEGER, -- its port; NULL: none
	client_vantage_id INTEGER REFERENCES vantage(id), -- the client's ENI; NULL: not logged
	server_vantage_id INTEGER REFERENCES vantage(id), -- the server's ENI, or a gateway's where they came in; NULL: not logged
	asked INTEGER NOT NULL, -- records of the client that want an answer: packets without data, and the end of a connection, do not
	answered INTEGER NOT NULL, -- of them answered, at the client's ENI where it is logged
	half_open INTEGER NOT NULL, -- the server answered a SYN, and its sender said no more
	refused INTEGER NOT NULL, -- answered by a reset alone
	small INTEGER NOT NULL, -- asked with data, answered by packets without data alone
	idle INTEGER NOT NULL, -- no answer or a reset, after minutes of silence of a connection that was answered before
	rejected_out INTEGER NOT NULL, -- rejected on the way out of the client's ENI
	rejected_in INTEGER NOT NULL, -- rejected on the way into another ENI
	reply_rejected INTEGER NOT NULL, -- accepted, but the answer was rejected
	lost INTEGER NOT NULL, -- left the client's ENI, did not come in at the server's
	reply_lost INTEGER NOT NULL, -- the answer left the server's ENI, did not come in at the client's
	reply_elsewhere INTEGER NOT NULL, -- the answer left by another ENI, did not come in at the client's
	silent INTEGER NOT NULL, -- came in at the server's ENI (or a gateway's), no answer left it
	unanswered INTEGER NOT NULL, -- no answer came; where the request ended is not on record
	edge INTEGER NOT NULL, -- of lost to unanswered: so near the end of the log that the answer may not have been delivered
	strange INTEGER NOT NULL, -- failed, and its client outside was never answered by this service: scans are such
	packets INTEGER NOT NULL, -- packets of the requests that failed
	clients INTEGER NOT NULL, -- distinct clients, at least this many (stops near 64)
	clients_answered INTEGER NOT NULL, -- distinct clients that were answered
	answered_first_ns INTEGER, -- start of the first minute with an answer; NULL: none
	answered_last_ns INTEGER, -- start of the last one
	failed_first_ns INTEGER, -- start of the first minute with a failure; NULL: none
	failed_last_ns INTEGER, -- start of the last one
	log_file_id INTEGER REFERENCES log_file(id), -- a file with a request that failed
	line INTEGER -- its line
) STRICT;

CREATE TABLE flow_log_request_minute ( -- the minutes of flow_log_request in which a request failed, or was left half open
	client_ip TEXT, -- as in flow_log_request
	server_ip TEXT, -- as in flow_log_request
	protocol TEXT NOT NULL, -- as in flow_log_request
	server_port INTEGER, -- as in flow_log_request
	start_ns INTEGER NOT NULL, -- start of the minute
	client_vantage_id INTEGER REFERENCES vantage(id), -- the client's ENI; NULL: not logged
	server_vantage_id INTEGER REFERENCES vantage(id), -- the server's ENI, or a gateway's where they came in; NULL: not logged
	asked INTEGER NOT NULL, -- records of the client that want an answer: packets without data, and the end of a connection, do not
	answered INTEGER NOT NULL, -- of them answered, at the client's ENI where it is logged
	half_open INTEGER NOT NULL, -- the server answered a SYN, and its sender said no more
	refused INTEGER NOT NULL, -- answered by a reset alone
	small INTEGER NOT NULL, -- asked with data, answered by packets without data alone
	idle INTEGER NOT NULL, -- no answer or a reset, after minutes of silence of a connection that was answered before
	rejected_out INTEGER NOT NULL, -- rejected on the way out of the client's ENI
	rejected_in INTEGER NOT NULL, -- rejected on the way into another ENI
	reply_rejected INTEGER NOT NULL, -- accepted, but the answer was rejected
	lost INTEGER NOT NULL, -- left the client's ENI, did not come in at the server's
	reply_lost INTEGER NOT NULL, -- the answer left the server's ENI, did not come in at the client's
	reply_elsewhere INTEGER NOT NULL, -- the answer left by another ENI, did not come in at the client's
	silent INTEGER NOT NULL, -- came in at the server's ENI (or a gateway's), no answer left it
	unanswered INTEGER NOT NULL, -- no answer came; where the request ended is not on record
	edge INTEGER NOT NULL, -- of lost to unanswered: so near the end of the log that the answer may not have been delivered
	strange INTEGER NOT NULL, -- failed, and its client outside was never answered by this service: scans are such
	packets INTEGER NOT NULL, -- packets of the requests that failed
	clients INTEGER NOT NULL, -- distinct clients, at least this many (stops near 64)
	clients_answered INTEGER NOT NULL, -- distinct clients that were answered
	log_file_id INTEGER REFERENCES log_file(id), -- a file with a request that failed
	line INTEGER -- its line
) STRICT;

CREATE TABLE flow_log_window ( -- a minute of one ENI's log; a record counts in every minute that its window touches
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the ENI
	start_ns INTEGER NOT NULL, -- start of the minute
	in_records INTEGER NOT NULL, -- accepted records to the ENI
	in_packets INTEGER NOT NULL, -- their packets (in the minute where the window starts)
	in_requests INTEGER NOT NULL, -- records that ask the ENI, of clients and services that are answered at some time, where their window starts
	in_answered INTEGER NOT NULL, -- of in_requests: the ENI sent something on the same 5-tuple in that window, or in the next before they ask again
	out_records INTEGER NOT NULL, -- accepted records from the ENI
	out_packets INTEGER NOT NULL, -- their packets
	peers INTEGER NOT NULL, -- distinct clients of the ENI, at least this many (stops near 64)
	peers_answered INTEGER NOT NULL, -- distinct clients that were answered, at least
	rejected INTEGER NOT NULL, -- rejected records
	nodata INTEGER NOT NULL, -- NODATA records
	skipdata INTEGER NOT NULL, -- SKIPDATA records
	log_file_id INTEGER REFERENCES log_file(id), -- a file with an unanswered record to the ENI
	line INTEGER, -- its line
	PRIMARY KEY (vantage_id, start_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_log_loss ( -- what left one ENI and what came in at another, by pair of addresses
	from_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the sender's ENI
	to_vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the receiver's ENI
	src_ip TEXT NOT NULL, -- sender
	dst_ip TEXT NOT NULL, -- receiver
	flows INTEGER NOT NULL, -- 5-tuples accepted out of the sender's ENI
	flows_missing INTEGER NOT NULL, -- of them without any record at the receiver's ENI, and without an answer at the sender's
	flows_short INTEGER NOT NULL, -- of them with as many records at the receiver's ENI and fewer packets
	packets_sent INTEGER NOT NULL, -- packets accepted out
	packets_arrived INTEGER NOT NULL, -- packets accepted in
	packets_rejected INTEGER NOT NULL, -- packets rejected at the receiver's ENI
	packets_missing INTEGER NOT NULL, -- sum over 5-tuples of sent less arrived and rejected, where above 0
	packets_unjudged INTEGER NOT NULL, -- sent, but near an edge or a gap of one of the logs, or with fewer or more records at one of them (late, twice); not in packets_sent
	first_ns INTEGER NOT NULL, -- start of the first window of a 5-tuple that misses packets; 0: none does
	last_ns INTEGER NOT NULL, -- end of the last one; 0: none
	log_file_id INTEGER REFERENCES log_file(id), -- a file with a record of a missing 5-tuple
	line INTEGER -- its line
) STRICT;

CREATE TABLE flow_log_delivery ( -- what an ENI accepted for its host while the host captured, by one direction of a 5-tuple
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the ENI
	protocol TEXT NOT NULL, -- tcp, udp, icmp, icmp6, else the number; unknown: not recorded
	src_ip TEXT NOT NULL, -- sender
	src_port INTEGER, -- NULL: none
	dst_ip TEXT NOT NULL, -- receiver
	dst_port INTEGER, -- NULL: none
	records INTEGER NOT NULL, -- records whose packets all fall into the time of the capture
	packets INTEGER NOT NULL, -- their packets
	bytes INTEGER NOT NULL, -- their bytes, as the cloud counts them
	first_ns INTEGER NOT NULL, -- start of the first window
	last_ns INTEGER NOT NULL, -- end of the last window
	log_file_id INTEGER NOT NULL REFERENCES log_file(id), -- file of the first record
	line INTEGER NOT NULL -- its line
) STRICT;

CREATE TABLE flow_log_source ( -- who was turned away or not answered at many places: scans
	ip TEXT NOT NULL, -- the sender
	records INTEGER NOT NULL, -- records of 5-tuples that were rejected or not answered
	packets INTEGER NOT NULL, -- their packets
	hosts INTEGER NOT NULL, -- addresses it reached for, at least this many (stops near 64)
	ports INTEGER NOT NULL, -- ports it reached for, at least this many (stops near 256)
	first_ns INTEGER NOT NULL, -- start of the first window
	last_ns INTEGER NOT NULL, -- end of the last window
	log_file_id INTEGER REFERENCES log_file(id), -- file of the first record
	line INTEGER -- its line
) STRICT;

CREATE TABLE flow_log_drop ( -- packets that a transit gateway says it dropped
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the attachment
	src_ip TEXT NOT NULL, -- sender
	dst_ip TEXT NOT NULL, -- receiver
	reason TEXT NOT NULL, -- no-route, blackhole, mtu-exceeded or ttl-expired
	records INTEGER NOT NULL, -- records that say so
	packets INTEGER NOT NULL, -- packets dropped
	first_ns INTEGER NOT NULL, -- start of the first window
	last_ns INTEGER NOT NULL, -- end of the last window
	log_file_id INTEGER NOT NULL REFERENCES log_file(id), -- file of the first record
	line INTEGER NOT NULL -- its line
) STRICT;

CREATE TABLE flow_log_pair_hour ( -- with --keep proof, in place of the records: their sums by pair of addresses and hour; of several runs several rows
	vantage_id INTEGER NOT NULL REFERENCES vantage(id), -- the ENI
	start_ns INTEGER NOT NULL, -- start of the hour in which the windows start
	src_ip TEXT NOT NULL, -- sender, of the packet itself where the record has both
	dst_ip TEXT NOT NULL, -- receiver
	protocol TEXT, -- tcp, udp, icmp, icmp6, else the number; NULL: not recorded
	port INTEGER, -- the lower of the two: mostly the service's; NULL: none
	records INTEGER NOT NULL, -- records
	packets INTEGER NOT NULL, -- packets that were accepted
	bytes INTEGER NOT NULL, -- their bytes, as the cloud counts them
	rejected_records INTEGER NOT NULL, -- of the records, rejected ones
	rejected_packets INTEGER NOT NULL -- their packets
) STRICT;

CREATE TABLE flow_log_seen ( -- entries of clouds that deliver some twice, so that the second one is known
	fingerprint INTEGER NOT NULL -- of what identifies the entry; docs/flow-logs.md
) STRICT;

CREATE TABLE flow_log_carry ( -- what the next run with --since last goes on from: records of open conversations, sums of settled ones. Nothing for people
	name TEXT NOT NULL, -- which
	content BLOB NOT NULL -- as the program keeps it in memory
) STRICT;

CREATE TABLE finding_before ( -- findings of the run before (analyze --since last), to know what is new
	rule TEXT NOT NULL, -- what found it
	subject TEXT NOT NULL, -- what it is about: statement/finding_subject.sql
	dst_ip TEXT, -- as in finding
	first_ns INTEGER, -- as in finding
	last_ns INTEGER, -- as in finding
	runs INTEGER NOT NULL -- runs that have told it
) STRICT;

CREATE TABLE finding_news ( -- findings against those of the run before; no rows where there was none
	finding_id INTEGER PRIMARY KEY REFERENCES finding(id), -- the finding
	news TEXT NOT NULL CHECK (news IN ('new', 'still', 'over')), -- new: the run before did not tell it; still: it goes on at the end of the log; over: it does not
	runs INTEGER NOT NULL -- earlier runs that told it
) STRICT;

CREATE TABLE flow_log_name ( -- whose an address is, by what the cloud lists (--names)
	ip TEXT NOT NULL, -- the address
	interface TEXT, -- its ENI, NIC by MAC, or instance; NULL: not listed
	label TEXT NOT NULL, -- what reports call it: the name, else the instance or the interface; with whose it is where several have that name
	name TEXT, -- tag Name, or the instance's name; NULL: none
	instance TEXT, -- the instance; NULL: none
	subnet TEXT, -- the subnet; NULL: not listed
	zone TEXT -- the zone; NULL: not listed
) STRICT;
CREATE INDEX flow_log_name_by_ip ON flow_log_name(ip);
CREATE INDEX flow_log_name_by_interface ON flow_log_name(interface);
