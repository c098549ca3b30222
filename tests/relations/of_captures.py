"""Relations of whole captures: one more, a part of one, frames gone or twice, two in one file."""
from dataclasses import replace

import capture
import frames as wire
import packets
from answer import BY_HEADERS, Naming, Permit
from capture import ETHERNET, Frame, Interface
from cases import Input
from of_frames import only_ethernet, to_raw, to_sll2
from relation import Changed, Unfit, relation, relations

SECOND = 10**9


# --- a capture more ---

def _start(case):
    return min((f.time_ns for i in case.inputs if i.capture for f in i.capture.frames), default=0)


def unrelated(start):
    """A capture of a host that nobody else has to do with: a connection every second, all well."""
    def hand(seconds, ours, flags, seq, ack, length, port):
        ends = ("198.18.0.1", "198.18.0.2") if ours else ("198.18.0.2", "198.18.0.1")
        macs = ("02:aa:00:00:00:01", "02:aa:00:00:00:02") if ours else ("02:aa:00:00:00:02", "02:aa:00:00:00:01")
        pair = (port, 8443) if ours else (8443, port)
        segment = wire.tcp(*pair, seq, ack, flags, 64000, wire.Options(), b"x" * length)
        data = wire.link(ETHERNET, wire.ip(*ends, 6, segment, ident=seq), *macs, ours)
        return Frame(start + round(seconds * SECOND), len(data), data)

    frames = []
    for n in range(8):
        port, isn, peer = 50001 + n, 7000 * n + 11, 900000 * n + 13
        steps = ((True, 2, isn, 0, 0), (False, 18, peer, isn + 1, 0), (True, 16, isn + 1, peer + 1, 0),
                 (True, 24, isn + 1, peer + 1, 100), (False, 24, peer + 1, isn + 101, 700),
                 (True, 16, isn + 101, peer + 701, 0), (True, 17, isn + 101, peer + 701, 0),
                 (False, 17, peer + 701, isn + 102, 0), (True, 16, isn + 102, peer + 702, 0))
        frames += [hand(n * 0.5 + k * 0.004, ours, flags, seq, ack, length, port)
                   for k, (ours, flags, seq, ack, length) in enumerate(steps)]
    return capture.Capture("pcap", [Interface(ETHERNET)], frames)


@relations("third-unrelated-{}", "A capture of a host that has nothing to do with the others adds nothing ({} in order).",
           {"first": "0-other", "last": "zz-other"})
def third_unrelated(case, which, rng, name):
    return Changed(case.with_inputs((*case.inputs, Input(name, name + ".pcap", capture=unrelated(_start(case))))),
                   Permit(notices=True))


@relation("third-second-interface", "A host's second interface, on another network, adds nothing about the first.",
          "capture")
def third_second_interface(case, which, rng):
    first = case.inputs[which]
    if len([i for i in case.inputs if i.host == first.host and i.capture]) > 1:
        raise Unfit("the host has several captures")

    def named(c):
        return replace(c, format="pcapng", interfaces=[i if i.option(capture.IF_NAME) else i.named("eth0")
                                                       for i in c.interfaces])

    second = replace(unrelated(_start(case)), format="pcapng")
    second = replace(second, interfaces=[i.named("eth9") for i in second.interfaces])
    case = case.changed(named, [which])
    return Changed(case.with_inputs((*case.inputs, Input(first.host, "second-" + first.file, capture=second))),
                   Permit(notices=True))


def _tap(tapped, name):
    """What a tap at a host's port records, by a clock that is 1 ms late."""
    interface = tapped.capture.interfaces[0]
    frames = [f._replace(time_ns=f.time_ns + 10**6, lost=0, interface=0) for f in tapped.capture.frames]
    return Input(name, name + ".pcap",
                 capture=capture.Capture("pcap", [Interface(tapped.capture.link, interface.snaplen)], frames))


@relations("third-tap-{}", "A tap at the host's port ({}) sees what the host sees: what was lost beyond the host is lost "
           "beyond the tap, and nothing between the two.", {
               "first": ("0-tap", lambda case, which: case), "last": ("zz-tap", lambda case, which: case),
               "raw": ("zz-tap", to_raw), "sll2": ("zz-tap", to_sll2)}, "capture")
def third_tap(case, which, rng, how):
    (name, relink), tapped = how, case.inputs[which]
    files = [i for i in case.inputs if i.host == tapped.host and i.capture]
    if len(files) > 1 or len(tapped.capture.interfaces) > 1 or not tapped.capture.frames:
        raise Unfit("the host has several captures or interfaces, or nothing was captured")
    case = relink(case.with_inputs((*case.inputs, _tap(tapped, name))), len(case.inputs))

    def back(host):
        return tapped.host if host == name else host

    def as_blind(before):
        if tapped.host in before.blemished:
            return "the capture lacks frames or holds some twice, and so would this tap"
        if any(finding.kind == "clock-step" for finding in before.findings):
            return "a clock steps, and so would this tap's"
        return None
    return Changed(case, Permit(notices=True), Naming(place=lambda host, _: back(host), host=back), as_blind)


def _to_silent(tapped):
    """Frames of one capture to MACs that never speak in it."""
    spoke = {f.data[6:12] for f in tapped.frames}
    return [f for f in tapped.frames if len(f.data) > 14 and not f.data[0] & 1 and f.data[:6] not in spoke
            and packets.layout(ETHERNET, f.data)]


@relations("third-flooded-{}", "A switch floods what is for an absent host to a third host, too, whose capture lacks nothing "
           "of it that it was sent ({} of the frames).", {"all": (0, 1), "begin": (0, 2), "end": (1, 2)}, "capture")
def third_flooded(case, which, rng, part):
    only_ethernet(case, which)
    number, parts = part
    silent = _to_silent(case.inputs[which].capture)
    flooded = silent[len(silent) * number // parts:len(silent) * (number + 1) // parts]
    if not flooded:
        raise Unfit("no frame is for a host that never speaks")
    own = unrelated(_start(case))
    frames = own.frames + [f._replace(time_ns=f.time_ns + 10**6, lost=0, interface=0) for f in flooded]
    third = replace(own, frames=sorted(frames, key=lambda f: f.time_ns))
    return Changed(case.with_inputs((*case.inputs, Input("0-beside", "0-beside.pcap", capture=third))), Permit(notices=True))


# --- frames gone or twice ---

def _of_part(capture_, frames):
    """A capture that ran only while these frames came: its statistics speak of that time."""
    def told(statistics):
        span = {capture.ISB_START: frames[0].time_ns, capture.ISB_END: frames[-1].time_ns}
        return statistics and {code: span.get(code, value) for code, value in statistics.items()}

    interfaces = [replace(i, statistics=told(i.statistics)) for i in capture_.interfaces]
    return replace(capture_, frames=frames, interfaces=interfaces)


def _cut(case, which, keep):
    if len(case.inputs[which].capture.frames) < 6:
        raise Unfit("too few frames")
    return Changed(case.changed(lambda c: _of_part(c, keep(c.frames)), [which]),
                   Permit(notices=True, stays=lambda f: False, counts="at-most", columns=()))


@relation("cut-first-third", "A capture that began later tells less: what is still lost was lost before, no finding "
          "is new.", "capture")
def cut_first_third(case, which, rng):
    return _cut(case, which, lambda frames: frames[len(frames) // 3:])


@relation("cut-last-third", "A capture that ended earlier tells less: what is still lost was lost before, no finding "
          "is new.", "capture")
def cut_last_third(case, which, rng):
    return _cut(case, which, lambda frames: frames[:len(frames) - len(frames) // 3])


def proven(case, which):
    """Numbers of the frames of one capture that its own later frames, or another's, prove to have passed there:
    segments with payload, sent once, that the receiver acknowledged in a capture that stays whole."""
    c = case.inputs[which].capture
    acked = {}
    for n in case.captures():
        for f in case.inputs[n].capture.frames if n != which else ():
            tcp = packets.segment(case.inputs[n].capture.interfaces[f.interface].link, f.data)
            if tcp and tcp.flags & 16:
                acked[tcp.key[2:] + tcp.key[:2]] = tcp.ack
    once, found = {}, []
    segments = [packets.segment(c.interfaces[f.interface].link, f.data) for f in c.frames]
    for tcp in segments:
        if tcp and tcp.length:
            once[tcp.key, tcp.seq] = once.get((tcp.key, tcp.seq), 0) + 1
    for n, tcp in enumerate(segments):
        if tcp and tcp.length and once[tcp.key, tcp.seq] == 1 and tcp.key in acked and (
                acked[tcp.key] - tcp.seq - tcp.length) % 2**32 < 2**24:
            found.append(n)
    return found


@relations("deleted-{}", "{} percent of a file's frames are missing, some of them proven by acknowledgments: a capture "
           "that shows itself incomplete proves no loss.", {"1": 1, "3": 3, "10": 10}, "capture")
def deleted(case, which, rng, percent):
    frames = case.inputs[which].capture.frames
    sure = proven(case, which)
    count = max(1, round(len(frames) * percent / 100))
    gone = set(rng.sample(range(len(frames)), count))
    if not gone & set(sure):
        raise Unfit("nothing that was deleted is proven: nobody could tell it from loss")

    def change(c):
        return c.with_frames(f for n, f in enumerate(c.frames) if n not in gone)
    return Changed(case.changed(change, [which]), Permit(
        new=frozenset({"capture-loss"}), notices=True, stays=lambda f: False, counts="at-most", columns=()))


@relations("doubled-{}", "A mirror port that copies both directions records every frame twice, 20 us apart ({}): twice "
           "recorded is not twice sent.", {
               "same": lambda data: data, "other-vlan": lambda data: packets.tag(data, 200),
               "other-ttl": lambda data: packets.lower_ttl(ETHERNET, data)}, "capture")
def doubled(case, which, rng, copy):
    only_ethernet(case, which)

    def change(c):
        copies = [f._replace(time_ns=f.time_ns + 20000, data=data, wire=f.wire + len(data) - len(f.data), lost=0)
                  for f, data in ((f, copy(f.data)) for f in c.frames)]
        return c.with_frames(_by_time(c.frames, copies))
    return Changed(case.changed(change, [which]), Permit(notices=True))


def _by_time(one, other):
    """Two lists of frames as one, each in its own order, the earlier frame first."""
    merged, at = [], 0
    for frame in one:
        while at < len(other) and other[at].time_ns <= frame.time_ns:
            merged.append(other[at])
            at += 1
        merged.append(frame)
    return merged + other[at:]


@relation("merged", "Two captures in one file of two interfaces (mergecap) are still two places: what passed between "
          "them is counted the same.")
def merged(case, which, rng):
    if len(case.inputs) != 2 or len(case.captures()) != 2 or len(case.hosts()) != 2 or not case.one_clock:
        raise Unfit("not two captures of one clock")
    captures = [i.capture for i in case.inputs]
    if any(len(c.interfaces) > 1 for c in captures):
        raise Unfit("several interfaces")
    names = {f"eth{n}": i.host for n, i in enumerate(case.inputs)}
    frames = _by_time(captures[0].frames, [f._replace(interface=1) for f in captures[1].frames])
    one = capture.Capture("pcapng", [c.interfaces[0].named(f"eth{n}") for n, c in enumerate(captures)], frames)
    return Changed(case.with_inputs([Input("both", "both.pcapng", capture=one)]),
                   Permit(notices=True, stays=lambda f: f.kind in BY_HEADERS and not f.host),
                   Naming(place=lambda host, interface: names.get(interface, host)))
