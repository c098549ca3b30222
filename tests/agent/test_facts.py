"""Facts: of copied hosts, of this one, of neighbours; how they stand in files."""
import os, time
from lab import *


def facts_of(root):
    return comment_facts(["bothends-facts 1 at_ns=0\n" + "\n".join(
        l for l in run(agent_path(), "facts", "--root", f"{ROOTS}/{root}").stdout.splitlines() if not l.startswith("bothends-facts"))])


def test_roots():
    f = facts_of("ixgbevf-xen")
    check(f["nic.eth0.driver"] == ["ixgbevf"] and f["nic.eth0.driver_version"] == ["2.11.3-k"], "ixgbevf's version")
    check(f["hypervisor.type"] == ["xen"] and f["hypervisor.version"] == ["4.2.amazon"], "Xen 4.2")
    f = facts_of("xen42-ena")
    check(f["hypervisor.version"] == ["4.2.amazon"] and f["nic.ens3.driver"] == ["ena"] and
          f["host.kernel"] == ["4.9.0-4-amd64"], "Xen 4.2 with ENA")
    f = facts_of("r8169-watchdog")
    check("level=6 message=NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out" in f["kernel.log"], "watchdog line")
    check(f["nic.eth0.tx_timeout"] == ["1"] and f["hypervisor.type"] == ["none"], "tx_timeout on bare metal")
    f = facts_of("qemu-no-vhost")
    check((f["vhost_net.loaded"], f["vhost_net.enabled_in_config"], f["vhost_net.threads"], f["qemu.processes"]) ==
          (["1"], ["0"], ["0"], ["2"]), "vhost_net")
    f = facts_of("db-stale")
    stale = [words(v) for v in f["neighbor"] if "state=STALE" in v]
    check(len(stale) == 3 and stale[0]["ip"] == "10.0.1.90" and stale[0]["mac"] == "00:00:01:fc:b3:48" and
          stale[0]["confirmed_ms"] == "412000" and f["neighbor.count"] == ["5"], "STALE neighbours")
    return "five copied hosts give the facts that the advisories need"


def test_neighbors():
    """A peer is replaced by one with another MAC: the table, its ages and the change are in the file."""
    with Lab() as lab:
        run("ip", "-n", lab.a, "neigh", "replace", "10.77.0.90", "lladdr", "02:00:00:00:77:48", "dev", "eth0", "nud", "stale")
        agent = lab.agent(lab.a, lab.folder("out"), "--interval", "1s")
        run("ip", "-n", lab.a, "neigh", "replace", "10.77.0.90", "lladdr", "02:00:00:00:77:70", "dev", "eth0", "nud", "reachable")
        time.sleep(1.3)
        agent.stop()
        facts = sidecar(agent.files()[0])
        first = [words(v) for _, k, v in facts if k == "neighbor"][:4]
        check(any(w["ip"] == "10.77.0.90" and w["state"] == "STALE" and w["mac"].endswith(":48") and
                  int(w["updated_ms"]) < 5000 for w in first), f"snapshot lacks the stale entry: {first}")
        changes = [words(v) for _, k, v in facts if k == "neighbor.change"]
        check(any(w["ip"] == "10.77.0.90" and w["mac"].endswith(":70") and w.get("was_mac", "").endswith(":48") and
                  w["was_state"] == "STALE" for w in changes), f"no change: {changes}")
        sets = {t for t, k, v in facts if k == "neighbor.count"}
        check(len(sets) >= 2, "no second snapshot after the change")
    return "stale entry with its age, its change of MAC as an event, a new snapshot after it"


def test_carriers():
    """Comments survive editcap and mergecap, no extra rows, and the sidecar says the same."""
    need("editcap", "mergecap")
    with Lab() as lab:
        agent = lab.agent(lab.a, lab.folder("out"), "--interval", "500ms")
        run("ping", "-qc5", "-i0.1", "10.77.0.2", ns=lab.a)
        time.sleep(0.6)
        agent.stop()
        path = agent.files()[0]
        written = agent.total("eth0")[1]
        rows = run("tshark", "-r", path).stdout.splitlines()
        check(len(rows) == written == packets(path), f"{len(rows)} rows for {written} packets")
        here = comment_facts(section_comments(path))
        check(here["nic.eth0.mac"] == ["02:00:00:00:77:01"] and here["source.0.name"] == ["eth0"], "section comment")
        for words_ in (["editcap", path, lab.dir + "/e.pcapng"], ["mergecap", "-w", lab.dir + "/m.pcapng", path]):
            run(*words_)
            copy = comment_facts(section_comments(words_[2] if words_[0] == "mergecap" else words_[-1]))
            check(copy == here, f"facts changed by {words_[0]}")
        facts = {(k, v) for _, k, v in sidecar(path)}
        check(all((k, v) in facts for k, vs in here.items() for v in vs if "\\" not in v), "sidecar lacks facts of the comment")
        idb = dict(options([b for k, b in blocks(path) if k == 1][0], 8))
        check(idb[2] == b"eth0" and idb[6].hex() == "020000007701" and idb[9] == b"\x09" and idb[4] == bytes([10, 77, 0, 1, 255, 255, 255, 0]), "interface options")
        beats = [int(v) for _, k, v in sidecar(path) if k == "heartbeat"]
        check(beats and beats == list(range(1, len(beats) + 1)), f"heartbeats {beats}")
    return f"{sum(map(len, here.values()))} facts in the section comment, the same after editcap and mergecap"
