"""Relations of names, arguments, file formats and clocks: what the frames hold stays."""
import gzip
import re
import subprocess
from dataclasses import replace

import capture
from answer import Naming, Permit
from cases import Input, clocks_related
from relation import Changed, Unfit, relation, relations

SECOND = 10**9
WORDS = Permit(text=False)  # nothing changes, not a word either


# --- names and order ---

def _renamed(case, names):
    back = {new: old for old, new in names.items()}
    return Changed(case.with_inputs(replace(i, host=names[i.host]) for i in case.inputs), WORDS,
                   naming=Naming(place=lambda host, _: back[host], host=back.__getitem__))


@relation("hosts-renamed", "A host's name is a label that people chose: other names, which sort the other way round, "
          "change nothing but names.")
def hosts_renamed(case, which, rng):
    hosts = case.hosts()
    return _renamed(case, {host: f"h{len(hosts) - n:02d}" for n, host in enumerate(hosts)})


@relation("names-exchanged", "Each host is given the name of the next (client is called server): whose capture it is "
          "stands in the packets, not in its name.")
def names_exchanged(case, which, rng):
    hosts = case.hosts()
    if len(hosts) < 2:
        raise Unfit("one host")
    return _renamed(case, dict(zip(hosts, hosts[1:] + hosts[:1])))


@relations("arguments-{}", "The order of arguments says nothing ({}).", {"reversed": True, "shuffled": False})
def arguments(case, which, rng, backwards):
    inputs = list(reversed(case.inputs))
    if not backwards:
        rng.shuffle(inputs)
    return Changed(case.with_inputs(inputs), WORDS)


@relations("threads-{}", "Threads share out the work; none of them knows anything that the others do not.",
           {"2": 2, "3": 3, "4": 4})
def threads(case, which, rng, count):
    return Changed(replace(case, options=(*case.options, "--threads", str(count))), WORDS)


@relation("memory-small", "A limit on memory moves records to a file; it takes none away.")
def memory_small(case, which, rng):
    return Changed(replace(case, options=(*case.options, "--memory", "64M")), WORDS)


# --- files ---

@relation("to-pcapng", "pcapng holds the same frames and stamps as pcap.")
def to_pcapng(case, which, rng):
    if all(i.capture.format == "pcapng" for i in case.inputs if i.capture):
        raise Unfit("is pcapng")
    return Changed(case.changed(lambda c: replace(c, format="pcapng")), WORDS)


@relation("to-pcap", "pcap holds the same frames and stamps as a pcapng that records no address, filter, drop or "
          "second interface (the interface's name and a count of no drops are let go).")
def to_pcap(case, which, rng):
    def plain(c):
        of = c.interfaces[0]
        told = {code for code, _ in of.options} & {
            capture.IF_IPV4, capture.IF_IPV6, capture.IF_MAC, capture.IF_FILTER}
        drops = any((of.statistics or {}).get(code) for code in (capture.ISB_IFDROP, capture.ISB_OSDROP))
        return len(c.interfaces) == 1 and not told and not drops and not any(f.lost for f in c.frames)

    fit = [n for n in case.captures() if case.inputs[n].capture.format == "pcapng"
           and plain(case.inputs[n].capture)]
    if not fit:
        raise Unfit("no such pcapng")
    return Changed(case.changed(lambda c: replace(c, format="pcap"), fit))


def parts_of(capture_, count):
    """A capture as so many files in a row, as tcpdump -C and dumpcap -b write them."""
    size = -(-len(capture_.frames) // count)
    parts = [capture_.frames[at:at + size] for at in range(0, len(capture_.frames), size)]
    if len(parts) < 2 or any(min(f.time_ns for f in late) < max(f.time_ns for f in early)
                             for early, late in zip(parts, parts[1:])):
        raise Unfit("too few frames, or a clock that steps back: order of time is not order of files")
    files = []
    for n, frames in enumerate(parts):
        interfaces = [replace(i, statistics=_statistics_of(i, frames, n == 0, n == len(parts) - 1))
                      for i in capture_.interfaces]
        files.append(replace(capture_, frames=frames, interfaces=interfaces))
    return files


def _statistics_of(interface, frames, first, last):
    """What the interface statistics of a part would say: its own span; what was dropped stands in the last."""
    if interface.statistics is None:
        return None
    told = dict(interface.statistics)
    if not first and capture.ISB_START in told:
        told[capture.ISB_START] = frames[0].time_ns
    if not last and capture.ISB_END in told:
        told[capture.ISB_END] = frames[-1].time_ns
    if not last:
        told.update({code: 0 for code in (capture.ISB_IFDROP, capture.ISB_OSDROP) if code in told})
    return told


def _rotated(case, rng, name):
    inputs = []
    for i in case.inputs:
        files = parts_of(i.capture, 3) if i.capture else [None]
        inputs += [i] if files == [None] else [replace(i, file=name(i.file, n), capture=c)
                                               for n, c in enumerate(files)]
    rng.shuffle(inputs)
    return inputs


@relation("rotated", "Files that a capture was rotated through, given in any order under one name, hold together what "
          "one file would.")
def rotated(case, which, rng):
    return Changed(case.with_inputs(_rotated(case, rng, lambda file, n: f"{n}-{file}")), WORDS)


@relation("rotated-unnamed", "Files that tcpdump -C wrote (x.pcap, x.pcap1, x.pcap2), given without names, are one "
          "host's.")
def rotated_unnamed(case, which, rng):
    if any(i.raw for i in case.inputs) or len(case.hosts()) < len(case.inputs):
        raise Unfit("a host with several inputs, or with facts, needs its name")
    names = {i.host: re.sub(r"\W", "-", i.host) for i in case.inputs}
    back = {new: old for old, new in names.items()}
    case = case.with_inputs(replace(i, file=names[i.host] + ".pcap") for i in case.inputs)
    inputs = [replace(i, host="") for i in _rotated(case, rng, lambda file, n: file + (str(n) if n else ""))]
    return Changed(case.with_inputs(inputs), naming=Naming(place=lambda host, _: back.get(host, host),
                                                           host=lambda host: back.get(host, host)))


@relations("compressed-{}", "Compression ({}) keeps every byte.", {
    "gzip": (".gz", lambda raw: gzip.compress(raw, 1)),
    "zstd": (".zst", lambda raw: subprocess.run(["zstd", "-q", "-1", "-c"], input=raw, check=True,
                                                stdout=subprocess.PIPE).stdout)})
def compressed(case, which, rng, how):
    ending, compress = how
    return Changed(case.with_inputs(Input(i.host, i.file + ending, raw=compress(i.content())) if i.capture else i
                                    for i in case.inputs), WORDS)


# --- clocks ---

@relation("stamps-us", "Stamps say when, not what: cut to microseconds they give wider bounds, the same counts.",
          "capture")
def stamps_us(case, which, rng):
    def change(c):
        frames = [f._replace(time_ns=f.time_ns // 1000 * 1000) for f in c.frames]
        return replace(c, unit_ns=1000, frames=frames)
    if case.inputs[which].capture.unit_ns != 1:
        raise Unfit("has them")
    return Changed(case.changed(change, [which]))


@relation("stamps-ns", "The same stamps with three zeros more say the same.", "capture")
def stamps_ns(case, which, rng):
    if case.inputs[which].capture.unit_ns == 1:
        raise Unfit("has them")
    return Changed(case.changed(lambda c: replace(c, unit_ns=1), [which]))


def with_clock(case, host, shown):
    """A host's clock shows shown(time) instead of time, in all that it wrote: captures, statistics and facts."""
    if not clocks_related(case):
        raise Unfit("the captures share no exchange of packets: only the clocks relate the clocks")

    def captured(c):
        spans = [replace(i, statistics=i.statistics and {
            code: shown(value) if code in (capture.ISB_START, capture.ISB_END) else value
            for code, value in i.statistics.items()}) for i in c.interfaces]
        return replace(c, interfaces=spans, frames=[f._replace(time_ns=shown(f.time_ns)) for f in c.frames])

    def told(raw):
        return re.sub(rb'("at_ns":)(\d+)', lambda m: m[1] + str(shown(int(m[2]))).encode(), raw)

    def changed(i):
        return replace(i, capture=captured(i.capture)) if i.capture else replace(i, raw=told(i.raw))

    return case.with_inputs(changed(i) if i.host == host else i for i in case.inputs)


@relations("clock-{}", "A host's clock is wrong by a constant ({}): packets that both captures hold tell by how much.",
           {"hour-late": -3600 * SECOND, "hour-early": 3600 * SECOND, "decade-early": 3650 * 86400 * SECOND}, "host")
def clock_shifted(case, host, rng, by):
    return Changed(with_clock(case, host, lambda time: time + by))


@relation("clock-drifts", "A clock that runs 50 ppm fast shows other times of the same packets.", "host")
def clock_drifts(case, host, rng):
    start = min((f.time_ns for i in case.inputs if i.host == host and i.capture for f in i.capture.frames), default=0)
    return Changed(with_clock(case, host, lambda time: time + (time - start) * 50 // 10**6))


@relations("clock-step-{}", "A clock that is set while it captures ({} s) changes stamps, no packet: counts stay, and a "
           "clock-step may be told.", {f"{name}-{size}": sign * round(size * SECOND) for name, sign in
                                       (("forward", 1), ("back", -1)) for size in (0.3, 2, 30)}, "host")
def clock_step(case, host, rng, by):
    own = [i.capture for i in case.inputs if i.host == host and i.capture]
    times = sorted(f.time_ns for c in own for f in c.frames)
    if len(times) < 3:
        raise Unfit("too few frames")
    at = times[rng.randrange(1, len(times) - 1)]

    def shown(time):
        return time + by if time >= at else time

    firsts = [c.frames[0].time_ns for c in own if c.frames]
    if sorted(firsts) != sorted(firsts, key=shown):
        raise Unfit("the step turns the order of the host's files")
    return Changed(with_clock(case, host, shown), Permit(new=frozenset({"clock-step"})))
