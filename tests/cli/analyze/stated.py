"""What the user says of the hosts: --host."""
from place import case, expect


def routed(p):
    return [p.fixture("loss-router-server", f"{name}.pcap.zst") for name in ("client", "router", "server")]


def notes(text):
    return "".join(line for line in text.splitlines(keepends=True) if line.startswith("  - "))


@case
def bad_host(p):
    for text in ("", "=10.0.0.1", "client", "client="):
        p.fails("--host", text, *p.pair(), says=["--host", f"'{text}'", "NAME=ADDRESS"])


@case
def host_of_no_capture(p):
    p.fails("--host", "clien=10.1.0.10", *p.pair(), says=["--host", "'clien'"])


@case
def one_address_at_two_hosts(p):
    for what in ("10.1.0.10", "2001:db8::1", "02:00:00:00:00:01"):
        p.fails("--host", f"db={what}", "--host", f"worker={what}", *p.pair(), says=["--host", what, "db", "worker"])


@case
def a_stated_address_settles_what_is_open(p):
    """Two captures hold all of 10.1.0.10's packets; said once or twice, it is the client's."""
    files = routed(p)
    open_claims = "SELECT count(*) FROM identity_claim WHERE ip = '10.1.0.10' AND ruling = 'open'"
    p.passes("-q", *files)
    expect(p.one(open_claims) == 2, "open without a word")
    run = p.passes("--force", "--host", "client=10.1.0.10", "--host", "client=10.1.0.10", *files)
    expect(not notes(run.out), "nothing contradicts it:", run)
    expect(p.query("SELECT h.name, c.ruling, c.evidence, c.strength, c.contradiction FROM identity_claim c JOIN host h"
                   " ON h.id = c.host_id WHERE ip = '10.1.0.10'") == [("client", "own", "stated", "stated", None)], "claim")
    expect(p.one("SELECT count(*) FROM host_address WHERE ip = '10.1.0.10' AND source = 'option'") == 1, "address")
    expect(p.one("SELECT known FROM vantage_order o JOIN vantage v ON v.id = o.nearer_vantage_id"
                 " WHERE v.name = 'client'") == 1, "the order is known by it")
    p.sound()


@case
def a_stated_mac_is_the_place_s_own(p):
    files = routed(p)
    p.passes("-q", "--host", "client=4A-77-18-6D-AD-40", *files)
    expect(p.one("SELECT mac FROM vantage WHERE name = 'client'") == "4a:77:18:6d:ad:40", "mac")
    expect(p.one("SELECT ruling FROM identity_claim WHERE ip = '10.1.0.10' AND host_id = 1") == "own", "its address")


@case
def a_stated_address_that_a_router_handed_on(p):
    """Ends exchanged: both are refused with a frame, and the answer is the same as without them."""
    files = routed(p)
    p.passes("-q", *files, "-o", "plain.db")
    run = p.passes("--host", "client=10.2.0.20", "--host", "server=10.1.0.10", *files)
    for words in ("--host client=10.2.0.20", "client.pcap.zst frame 4 is from it and has TTL 63", "it was not used",
                  "--host server=10.1.0.10", "server.pcap.zst frame 3"):
        expect(words in notes(run.out), f"expected {words!r}:", run)
    sums = "SELECT flow_id, leg, direction, sent, delivered, lost FROM path ORDER BY 1, 2, 3"
    expect(p.query(sums) == p.query(sums, db="plain.db"), "counts differ from those without --host")


@case
def a_stated_address_whose_packets_arrive(p):
    """The capture says of each frame whether it was sent or received."""
    files = [p.fixture("sll2-one-side", f"{name}.pcap.zst") for name in ("client", "server")]
    run = p.passes("--host", "server=10.1.0.10", *files)
    expect("server.pcap.zst frame 3 arrives from it; it was not used" in notes(run.out), "expected the frame:", run)


@case
def a_stated_address_that_nobody_saw(p):
    run = p.passes("--host", "db=192.0.2.7", *p.pair())
    expect("no frame of db's captures is from or to it" in notes(run.out), "expected a note:", run)


@case
def bad_scope(p):
    for text in ("", "=tcp", "db", "db="):
        p.fails("--scope", text, *p.pair(), says=["--scope", f"'{text}'", "NAME=EXPRESSION"])
    p.fails("--scope", "db=tcp port", *p.pair(), says=["tcp port", "pcap-filter(7)"])
    p.fails("--scope", "dbb=tcp", *p.pair(), says=["--scope", "'dbb'"])
    p.fails("--scope", "db=tcp", "--scope", "db=udp", *p.pair(), says=["--scope", "'db'", "twice"])


@case
def a_stated_scope_that_holds(p):
    """It is shown, and nothing is said against it; a pair that has everything judges as before."""
    files = p.pair()
    p.passes("-q", *files, "-o", "plain.db")
    run = p.passes("--scope", "db=arp or host 10.0.1.20", *files)
    expect("--scope" not in notes(run.out), "nothing contradicts it:", run)
    expect(p.query("SELECT DISTINCT c.stated, c.contradiction FROM coverage c JOIN vantage v ON v.id = c.vantage_id"
                   " WHERE v.name = 'db'") == [("arp or host 10.0.1.20", None)], "coverage")
    sums = "SELECT flow_id, leg, direction, sent, delivered, lost FROM path ORDER BY 1, 2, 3"
    expect(p.query(sums) == p.query(sums, db="plain.db"), "counts differ from those without --scope")
    expect("stated arp or host 10.0.1.20" in p.passes("incident.db", "--saved", "survey", command="query").out, "survey")


@case
def a_stated_scope_that_the_capture_contradicts(p):
    files = p.pair()
    p.passes("-q", *files, "-o", "plain.db")
    run = p.passes("--scope", "db=udp", *files)
    expect("--scope db='udp' does not agree with the packets: db.pcapng frame 1 is outside of it" in notes(run.out),
           "expected the frame:", run)
    dropped = "SELECT kind, count, total FROM finding ORDER BY id"
    expect(p.query(dropped) == p.query(dropped, db="plain.db"), "findings differ from those without --scope")


@case
def a_stated_scope_and_the_tag_of_a_vlan(p):
    """The kernel filters before libpcap puts the tag of the VLAN back: such frames are no contradiction."""
    files = [p.fixture("vlan-one-side", f"{name}.pcap.zst") for name in ("client", "server")]
    for name in ("client", "server"):
        p.passes("-q", "--force", "--scope", f"{name}=arp or ip6 or host 10.1.0.10", *files)
        expect(p.query("SELECT DISTINCT contradiction FROM coverage") == [(None,)], name)


@case
def two_hosts_under_one_name(p):
    """Each received what the other sent: refused, with a frame of each; under names of their own they are analyzed."""
    files = [p.fixture("dark-gone", f"{name}.pcap") for name in ("app", "db")]
    p.fails(*(f"node={name}" for name in files), says=["'node'", "two hosts", "app.pcap", "db.pcap", "frame", "NAME of its own"])
    p.passes("-q", *files)


@case
def one_host_in_two_captures(p):
    """A capture before a reboot and one after it are one host's, under one name."""
    files = [p.fixture("reboot", name) for name in ("app.pcap", "db.pcap", "web.pcap", "web2.pcap")]
    p.passes("-q", "web=web.pcap", "web=web2.pcap", *files[:2])
    expect(p.one("SELECT count(*) FROM host") == 3, "hosts")
