"""Files of a host without any capture: logs, output of commands, archives."""
import datetime
import gzip
import io
import lzma
import tarfile

from place import case, expect

WATCHDOG = "NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out"
MSIX = "ena 0000:00:03.0: Failed to enable MSI-X, vectors 9 rc -28"
BOOT = ("[    0.000000] Linux version 4.19.0-4-amd64 (debian-kernel@lists.debian.org)\r\n"
        "[    0.000000] DMI: Xen HVM domU, BIOS %s 08/24/2006\r\n"
        "[    1.500000] %s\r\n[    1.600000] %s\r\nlogin: \r\n")


def advisories(p):
    return [row[0] for row in p.query(
        "SELECT json_extract(detail, '$.defect') FROM finding WHERE kind = 'advisory' ORDER BY 1")]


def cited(p):
    """Every line that a finding cites: path, line, note."""
    return p.query("SELECT h.path, e.line, e.note FROM evidence e JOIN host_file h ON h.id = e.host_file_id"
                   " ORDER BY h.path, e.line, e.note")


def member(tar, name, text, **more):
    info = tarfile.TarInfo(name)
    info.size = len(text)
    info.mtime = more.pop("mtime", 1795867200)
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(text.encode()))


@case
def old_driver_named_from_command_output(p):
    """ixgbevf on Xen, too old, from what ethtool and /sys say; a newer one, or another hypervisor, is none."""
    for version, hypervisor, wanted in (("2.11.3-k", "xen", ["ixgbevf-ec2"]), ("2.16.4", "xen", []),
                                        ("2.11.3-k", "kvm", [])):
        p.write("web/ethtool -i eth0", f"driver: ixgbevf\nversion: {version}\nbus-info: 0000:00:03.0\n".encode())
        p.write("web/sys/hypervisor/type", f"{hypervisor}\n".encode())
        p.passes("-q", "--force", "web=web")
        expect(advisories(p) == wanted, version, hypervisor, advisories(p))
    p.write("web/ethtool -i eth0", b"driver: ixgbevf\nversion: 2.11.3-k\n")
    p.write("web/sys/hypervisor/type", b"xen\n")
    p.passes("-q", "--force", "web=web")
    expect(("web/ethtool -i eth0", 2, "recorded: nic.eth0.driver_version = 2.11.3-k") in cited(p), cited(p))


@case
def old_driver_named_from_a_console(p):
    """The same from the console's first lines alone; a driver without a device is not in use."""
    banner = "ixgbevf: Intel(R) 10 Gigabit PCI Express Virtual Function Network Driver - version %s"
    for version, device, wanted in (("2.11.3-k", "ixgbevf 0000:00:03.0: enabling device", ["ixgbevf-ec2", "xen42-msix-vf"]),
                                    ("2.16.4", "ixgbevf 0000:00:03.0: enabling device", ["xen42-msix-vf"]),
                                    ("2.11.3-k", "xen_netfront: Initialising", [])):
        p.write("console.txt", (BOOT % ("4.2.amazon", banner % version, device)).encode())
        p.passes("-q", "--force", "web=console.txt")
        expect(advisories(p) == wanted, version, device, advisories(p))


@case
def msix_failure_named_from_a_console(p):
    """A guest of Xen 4.2 whose adapter got no MSI-X vectors; on Xen 4.11, and without the failure, it is less."""
    banner = "ena: Elastic Network Adapter (ENA) v1.0.2"
    for bios, line, wanted in (("4.2.amazon", MSIX, ["msix-failed", "xen42-msix"]), ("4.11.amazon", MSIX, ["msix-failed"]),
                               ("4.2.amazon", "ena 0000:00:03.0: Elastic Network Adapter found", ["xen42-msix"]),
                               ("4.11.amazon", "ena 0000:00:03.0: Elastic Network Adapter found", [])):
        p.write("console.txt", (BOOT % (bios, banner, line)).encode())
        p.passes("-q", "--force", "web=console.txt")
        expect(advisories(p) == wanted, bios, line, advisories(p))


@case
def guests_without_vhost_named_from_ps(p):
    """A qemu command line shows an interface that qemu itself serves; with vhost=on there is nothing to say."""
    for option, wanted in (("", ["vhost-net-unused"]), (",vhost=on,vhostfd=31", [])):
        p.write("ps", f"  PID COMMAND\n    2 [kthreadd]\n  77 /usr/bin/qemu-system-x86_64 -netdev tap,fd=30,id=n0{option}"
                      " -device virtio-net-pci,netdev=n0\n   78 [vhost-77]\n".encode())
        p.passes("-q", "--force", "compute=ps")
        expect(advisories(p) == wanted, option, advisories(p))


@case
def transmit_timeout_named_from_a_log(p):
    """The line of the log is cited, without a time; the year and the zone that are stated date it."""
    text = f"Nov 28 10:05:30 xen1 kernel: usb 1-1: new device\nNov 28 10:05:31 xen1 kernel: [  451.000001] {WATCHDOG}\n"
    p.write("kern.log", text.encode())
    run = p.passes("xen1=kern.log")
    expect(advisories(p) == ["netdev-watchdog"], advisories(p))
    expect("kern.log line 2" in run.out and "the times of 1 line are not known" in run.out, run)
    expect(p.query("SELECT at_ns, written, line FROM kernel_log") == [(None, "Nov 28 10:05:31", 2)],
           p.query("SELECT * FROM kernel_log"))
    expect(p.one("SELECT first_ns FROM finding") is None, "a time from nowhere")
    run = p.passes("--force", "--log-year", "2026", "--log-zone", "+01:00", "xen1=kern.log")
    expect(p.query("SELECT at_ns, until_ns - at_ns, written FROM kernel_log") == [(1795856731 * 10**9, 999999999, None)],
           p.query("SELECT * FROM kernel_log"))
    p.write("kern.log", text.replace(WATCHDOG, "r8169 0000:03:00.0 eth0: link up").encode())
    p.passes("-q", "--force", "xen1=kern.log")
    expect(advisories(p) == [], "a healthy log", advisories(p))


@case
def log_dated_by_its_archive(p):
    """An archive says when a log was last written, and the zone; a log of another year stays without a time."""
    text = f"Nov 28 10:05:31 xen1 kernel: {WATCHDOG}\n"
    for mtime, zone, dated in ((1795867200, "Etc/UTC", True), (1795867200 - 90 * 86400, "Etc/UTC", False),
                               (1795867200, "Europe/Berlin", False)):
        with tarfile.open(p.path("xen1.tar.xz"), "w:xz") as tar:
            member(tar, "a/var/log/kern.log", text, mtime=mtime)
            member(tar, "a/etc/timezone", zone + "\n")
        p.passes("-q", "--force", "xen1=xen1.tar.xz")
        expect(advisories(p) == ["netdev-watchdog"], advisories(p))
        at_ns = 1795860331 * 10**9 if dated else None
        expect(p.one("SELECT at_ns FROM kernel_log") == at_ns, zone, mtime, p.query("SELECT * FROM kernel_log"))


@case
def log_beside_captures(p):
    """A log of unknown time is put beside no packet: it is no evidence of what the captures show."""
    p.write("kern.log", f"Nov 28 10:05:31 worker kernel: {WATCHDOG}\n".encode())
    worker, db = p.pair()
    p.passes("-q", f"worker={worker}", f"db={db}")
    before = p.query("SELECT kind, summary FROM finding ORDER BY id")
    p.passes("-q", "--force", f"worker={worker}", f"db={db}", "worker=kern.log")
    expect([row for row in p.query("SELECT kind, summary FROM finding ORDER BY id") if row[0] != "advisory"] == before,
           "the log changed other findings")
    p.sound()


@case
def archive_is_confined(p):
    """Links are not followed, names with .. not read, and both counted; nothing is written to the disk."""
    with tarfile.open(p.path("db.tar.gz"), "w:gz") as tar:
        member(tar, "a/proc/sys/kernel/osrelease", "3.13.0\n")
        member(tar, "a/proc/sys/kernel/hostname", "", type=tarfile.SYMTYPE, linkname="/etc/hostname")
        member(tar, "a/etc/machine-id", "", type=tarfile.LNKTYPE, linkname="/etc/machine-id")
        member(tar, "../../proc/sys/kernel/version", "outside\n")
        member(tar, "a/words", "not known\n")
    before = set(p.names())
    run = p.passes("db=db.tar.gz")
    expect(set(p.names()) - before == {"incident.db"}, p.names())
    expect(p.query("SELECT key, value FROM host_fact") == [("host.kernel", "3.13.0")], p.query("SELECT * FROM host_fact"))
    expect("db.tar.gz: 3 of 2 members" not in run.out and "3 members are links" in run.out, run)
    expect("db: 1 file not understood, so not used: db.tar.gz:a/words" in run.out, run)


@case
def archive_cut_short(p):
    """What came before the cut is used, and the cut is said; streams one behind the other are one content."""
    for form, pack in (("gz", gzip.compress), ("xz", lzma.compress)):
        with tarfile.open(p.path("db.tar"), "w") as tar:
            member(tar, "a/proc/sys/kernel/osrelease", "3.13.0\n")
            member(tar, "a/words", "x" * 100_000)
        content = p.read("db.tar")
        whole = pack(content[:2000]) + pack(content[2000:])
        p.write("db.tar." + form, whole)
        run = p.passes("--force", f"db=db.tar.{form}")
        expect("damaged" not in run.out and p.one("SELECT count(*) FROM host_fact") == 1, form, run)
        p.write("db.tar." + form, whole[:-20])
        run = p.passes("--force", f"db=db.tar.{form}")
        expect(f"damaged: db.tar.{form}" in run.out and p.one("SELECT count(*) FROM host_fact") == 1, form, run)


@case
def rotated_log_in_an_archive(p):
    """A log that is compressed by itself within an archive is read; one that is broken is said to be."""
    log = f"2026-11-28T10:05:31Z a kernel: {WATCHDOG}\n".encode()
    for broken in (False, True):
        with tarfile.open(p.path("a.tar"), "w") as tar:
            packed = gzip.compress(log) + gzip.compress(log.replace(b"31Z", b"32Z"))
            info = tarfile.TarInfo("var/log/kern.log.2.gz")
            info.size = len(packed) - 4 * broken
            tar.addfile(info, io.BytesIO(packed))
        run = p.passes("--force", "a=a.tar")
        expect(p.one("SELECT count(*) FROM kernel_log") == 2, p.query("SELECT * FROM kernel_log"))
        expect(("damaged: a.tar:var/log/kern.log.2.gz: its gzip data is cut short" in run.out) == broken, run)


@case
def archives_name_their_host(p):
    """An archive without a NAME before it is of the host that it names; two of one host are of two times."""
    for host, kernel in (("db1", "4.19.0"), ("web7", "5.10.0")):
        with tarfile.open(p.path(f"support-{host}.tar"), "w") as tar:
            member(tar, "a/proc/sys/kernel/hostname", host + "\n")
            member(tar, "a/proc/sys/kernel/osrelease", kernel + "\n")
    p.write("later/uname", b"Linux db1 6.1.0 #1 SMP x86_64 GNU/Linux\n")
    p.passes("-q", "support-db1.tar", "support-web7.tar", "later")
    expect(p.query("SELECT h.name, f.value FROM host_fact f JOIN host h ON h.id = f.host_id WHERE key = 'host.kernel'"
                   " ORDER BY 1, 2") == [("db1", "4.19.0"), ("db1", "6.1.0"), ("web7", "5.10.0")],
           p.query("SELECT * FROM host_fact"))


@case
def log_that_explains_a_dark_host(p):
    """The kernel's line beside a span in which a host received nothing is cited with its file and line."""
    captures = [f"{name}={p.fixture('dark-receive', name + '.pcap')}" for name in ("web", "db", "app", "job")]
    p.passes("-q", *captures)
    rows = p.query("SELECT h.name, f.first_ns FROM finding f JOIN host h ON h.id = f.host_id WHERE f.kind = 'host-dark'")
    expect(len(rows) == 1, rows)
    host, first_ns = rows[0]
    at = datetime.datetime.fromtimestamp(first_ns // 10**9 + 1, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    p.write("kern.log", f"{at}.5Z {host} kernel: {WATCHDOG}\n".encode())
    p.passes("-q", "--force", *captures, f"{host}=kern.log")
    dark = p.query("SELECT h.path, e.line FROM evidence e JOIN finding f ON f.id = e.finding_id"
                   " JOIN host_file h ON h.id = e.host_file_id WHERE f.kind = 'host-dark'")
    expect(dark == [("kern.log", 1)], dark)


@case
def since_takes_no_new_host_file(p):
    """--since adds flow logs: a file of a host that the database does not have is refused, not left out."""
    p.write("uname", b"Linux db1 6.1.0 #1 SMP x86_64 GNU/Linux\n")
    p.passes("-q", "db=uname")
    p.passes("-q", "--since", "last", "db=uname")
    p.write("kern.log", f"Nov 28 10:05:31 a kernel: {WATCHDOG}\n".encode())
    run = p.run("--since", "last", "db=uname", "db=kern.log")
    expect(run.status == 2 and "'kern.log' is a file of a host" in run.err, run)


@case
def unknown_files_named_once(p):
    """Of a host's folder, what is not understood is a line with a number; a single unknown file is refused."""
    for i in range(5):
        p.write(f"db/words{i}", b"nothing that is known\n")
    p.write("db/uname", b"Linux db 3.13.0 #1 SMP x86_64 GNU/Linux\n")
    run = p.passes("db=db")
    expect(run.out.count("not understood") == 1 and "db: 5 files not understood" in run.out, run)
    p.fails("--force", "db=db/words1", says=["'db/words1'"])


@case
def lines_without_end(p):
    """A line of 10 MB is cut and counted, and the next one is read."""
    p.write("kern.log", b"Nov 28 10:05:30 a kernel: " + b"x" * 10_000_000 + b"\n"
            + f"Nov 28 10:05:31 a kernel: {WATCHDOG}\n".encode())
    run = p.passes("a=kern.log")
    expect(p.query("SELECT lines, cut, facts FROM host_file") == [(2, 1, 1)], p.query("SELECT * FROM host_file"))
    expect("1 line was longer than 64 KiB" in run.out, run)
    expect(p.one("SELECT line FROM kernel_log") == 2, "the line's number")


@case
def log_options(p):
    """A year or zone that is none is refused."""
    p.write("kern.log", f"Nov 28 10:05:31 a kernel: {WATCHDOG}\n".encode())
    for option, value in (("--log-year", "26"), ("--log-year", "x"), ("--log-zone", "Mars"), ("--log-zone", "+25:00")):
        run = p.run(option, value, "a=kern.log")
        expect(run.status == 2 and option in run.err, option, value, run)
