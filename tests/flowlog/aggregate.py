"""Flow logs of networks made by hand: packets pass interfaces, and are summed by 5-tuple and window as the cloud does it.

Beside day.py, which writes a record for each conversation: here those of one 5-tuple share windows, windows may be ten
minutes long, and hosts may have addresses that are not their interface's primary one (pods).
"""
import random

T0 = 1790000040
SYN, SYNACK, FIN, RST = 2, 18, 1, 4
TCP, UDP, ESP = 6, 17, 50
V2 = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
V5 = V2 + " tcp-flags pkt-srcaddr pkt-dstaddr flow-direction"


def at(minute, second=0):
    return T0 + minute * 60 + second


class Host:
    """An address; behind an interface whose primary address may be another; or not logged."""

    def __init__(self, ip, eni=None, primary=None):
        self.ip, self.eni, self.primary = ip, eni and "eni-0" + eni, primary or ip


class Log:
    def __init__(self, fate=None, flags=True, window=60):
        self.random, self.fate_of, self.flags, self.window = random.Random(1), fate, flags, window
        self.sums, self.others, self.port, self.until = {}, [], 32768, {}

    def next_port(self):
        self.port = 32768 + (self.port - 32767) % 28000
        return self.port

    def pass_by(self, host, way, src, dst, ports, proto, packets, size, t, flags=0, action="ACCEPT"):
        if not host.eni or t > self.until.get(host.eni, t):
            return
        phase = sum(map(ord, host.eni)) * 17 % self.window
        start = (t - phase) // self.window * self.window + phase
        s = self.sums.setdefault((host, way, src, dst, ports, proto, action, start), [0, 0, 0])
        s[0] += packets
        s[1] += size
        s[2] |= flags

    def send(self, a, b, ports, proto, packets, size, t, flags=0, fate=None):
        self.pass_by(a, "egress", a.ip, b.ip, ports, proto, packets, size, t, flags, "REJECT" if fate == "rejected-out" else "ACCEPT")
        if fate not in ("rejected-out", "lost"):
            self.pass_by(b, "ingress", a.ip, b.ip, ports, proto, packets, size, t, flags, "REJECT" if fate == "rejected-in" else "ACCEPT")

    def talk(self, c, s, port, t, proto=TCP, sport=None, kept=False):
        """A request and its answer, or what fate makes of it: rejected-in, rejected-out, lost, silent, refused."""
        there = (sport or self.next_port(), port)
        back = there[::-1]
        fate = self.fate_of(c, s, port, t) if self.fate_of else None
        if not fate:
            begin, end = (0, 0) if kept or proto != TCP else (SYN | FIN, SYNACK | FIN)
            self.send(c, s, there, proto, 6, 900, t, begin)
            self.send(s, c, back, proto, 6, 4200, t, end)
            return
        for again in (0, 1, 3):
            if kept:
                self.send(c, s, there, proto, 1, 300, t + again, 0, fate)
            else:
                self.send(c, s, there, proto, 1, 60, t + again, SYN if proto == TCP else 0, fate)
            if fate == "refused":
                self.send(s, c, back, proto, 1, 40, t + again, RST)
                return

    def probe(self, target, t, port):
        """A scanner that is turned away."""
        r = self.random
        self.pass_by(target, "ingress", f"198.18.{r.randrange(250)}.{r.randrange(250)}", target.ip, (r.randrange(1024, 65000), port), TCP, 1, 40, t,
                     SYN, "REJECT")

    def state(self, host, word, t):
        self.others.append((t + 60, f"{5 if self.flags else 2} 111122223333 {host.eni} - - - - - - - {t} {t + 59} - {word}" + (" - - - -" if self.flags else "")))

    def rows(self):
        rows = list(self.others)
        for (host, way, src, dst, ports, proto, action, start), (packets, size, flags) in self.sums.items():
            a = host.primary if way == "egress" and src == host.ip else src
            b = host.primary if way == "ingress" and dst == host.ip else dst
            row = f"{5 if self.flags else 2} 111122223333 {host.eni} {a} {b} {ports[0]} {ports[1]} {proto} {packets} {size} {start} {start + self.window - 1} {action} OK"
            if self.flags:
                row += f" {flags if proto == TCP else 0} {src} {dst} {way}"
            rows.append((start + self.window, row))
        return [V5 if self.flags else V2] + [row for _, row in sorted(rows)]
