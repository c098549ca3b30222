"""Hosts with real network stacks, wired together, gone when the process ends.

A host is a network namespace held open by a file descriptor of this process:
nothing is registered anywhere, so there is nothing to leave behind. The process
itself runs as the first of a PID namespace (see contain()), so a kill takes every
child with it, and with the last child the namespaces.

What the kernel says is the truth here: nftables counters say what passed and what
was dropped, and captures that admit a drop are refused (Void), never used.
"""
import contextlib
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
CONTAINED = "BOTHENDS_LAB_CONTAINED"

_libc = ctypes.CDLL(None, use_errno=True)


class Void(Exception):
    """The run says nothing (a capture dropped packets, chance gave too little): make another."""


def _call(name, *args):
    if getattr(_libc, name)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def contain():
    """Restart this program as the first process of its own namespaces."""
    if os.environ.get(CONTAINED):
        return
    os.environ[CONTAINED] = "1"
    # On one processor packets of a connection cannot overtake each other between queues.
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[int(os.environ.get("LAB_PROCESSOR", os.getpid())) % len(processors)]})
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    os.execvp(command[0], command + [sys.executable] + sys.argv)


def obstacle():
    """Why no lab can be built here, or None where it can."""
    if os.geteuid() != 0:
        return "needs root"
    for tool in ("unshare", "ip", "nft", "tcpdump", "dumpcap", "ethtool", "ss", "busybox"):
        if not any(os.access(os.path.join(d, tool), os.X_OK)
                   for d in os.environ["PATH"].split(":") + ["/usr/sbin", "/sbin"]):
            return f"{tool} is not installed"
    probe = "ip link add name a type veth peer name b && nft add table netdev t"
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc"]
    done = subprocess.run(command + ["sh", "-c", probe], capture_output=True, text=True)
    if done.returncode != 0:
        return "no network namespaces: " + (done.stderr.strip().splitlines() or ["refused"])[-1]
    return None


class Host:
    """One namespace. run(), popen(), socket() and sysctl() act inside it."""

    def __init__(self, lab, name, ipv6=False):
        self.lab = lab
        self.name = name
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call("unshare", CLONE_NEWNET)
            self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            _call("setns", own, CLONE_NEWNET)
            os.close(own)
        self.path = f"/proc/{os.getpid()}/fd/{self.fd}"
        if not ipv6:
            for scope in ("all", "default"):
                self.sysctl(f"net.ipv6.conf.{scope}.disable_ipv6", 1)
        # A reader that waits for a processor must not close its window: that would be a finding of its own.
        self.sysctl("net.ipv4.tcp_rmem", "4096 4194304 8388608")
        self.run("ip", "link", "set", "lo", "up")

    @contextlib.contextmanager
    def inside(self):
        """This thread, and what it starts, in the host; other threads stay where they are."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call("setns", self.fd, CLONE_NEWNET)
            yield self
        finally:
            _call("setns", own, CLONE_NEWNET)
            os.close(own)

    def run(self, *command, text=None):
        with self.inside():
            done = subprocess.run(command, input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def popen(self, *command, **options):
        with self.inside():
            process = subprocess.Popen(command, **options)
        self.lab.processes.append(process)
        return process

    def socket(self, *args):
        with self.inside():
            return socket.socket(*args)

    def sysctl(self, key, value):
        with self.inside():
            with open("/proc/sys/" + key.replace(".", "/"), "w") as file:
                file.write(str(value))

    def address(self, interface, *addresses):
        for address in addresses:
            flags = ["nodad"] if ":" in address else []
            self.run("ip", "address", "add", address, "dev", interface, *flags)

    def route(self, destination, gateway):
        self.run("ip", "route", "add", destination, "via", gateway)

    def offload(self, interface, state, *features):
        """Set offload features; by default all that merge or split segments."""
        for feature in features or ("tso", "gso", "gro"):
            self.run("ethtool", "-K", interface, feature, state)

    def nft(self, ruleset):
        self.run("nft", "-f", "-", text=ruleset)

    def counters(self):
        """Every named counter: {name: (packets, bytes)}."""
        listed = json.loads(self.run("nft", "-j", "list", "counters"))["nftables"]
        return {entry["counter"]["name"]: (entry["counter"]["packets"], entry["counter"]["bytes"])
                for entry in listed if "counter" in entry}

    def open_connections(self):
        """TCP sockets that may still send something by themselves."""
        passive = ("LISTEN", "TIME-WAIT", "FIN-WAIT-2")
        listed = self.run("ss", "-tanH").splitlines()
        return [line for line in listed if line.split()[0] not in passive]


class Capture:
    """A running tcpdump or dumpcap. stop() raises Void unless it saw everything."""

    def __init__(self, host, interface, path, snaplen=96, promiscuous=False, link_type=None,
                 pcapng=False, only=None, direction=None, buffer_kib=65536):
        self.path, self.direction, self.buffer_kib = path, direction, buffer_kib
        self.label = f"{host.name}:{interface}"
        self.pcapng = pcapng
        command = self._dumpcap if pcapng else self._tcpdump
        self.process = host.popen(*command(interface, snaplen, promiscuous, link_type, only),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
        self.said = ""
        ready = "File:" if pcapng else "listening on"
        while ready not in self.said:
            line = self.process.stderr.readline()
            if not line:
                raise RuntimeError(f"{self.label}: capture did not start: {self.said}")
            self.said += line

    def _tcpdump(self, interface, snaplen, promiscuous, link_type, only):
        command = ["tcpdump", "-i", interface, "-n", "-s", str(snaplen),
                   "-B", str(self.buffer_kib), "-U",
                   "--immediate-mode", "-Z", "root", "-w", self.path]
        if not interface.startswith("nflog"):  # netfilter's log has no such stamps
            command.append("--time-stamp-precision=nano")
        if not promiscuous:
            command.append("-p")
        if link_type:
            command += ["-y", link_type]
        if self.direction:
            command += ["-Q", self.direction]
        return command + ([only] if only else [])

    def _dumpcap(self, interface, snaplen, promiscuous, link_type, only):
        command = ["dumpcap", "-i", interface, "-n", "-s", str(snaplen),
                   "-B", str(self.buffer_kib // 1024),
                   "-w", self.path]
        if not promiscuous:
            command.append("-p")
        if link_type:
            command += ["-y", link_type]
        return command + (["-f", only] if only else [])

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        _, rest = self.process.communicate(timeout=10)
        self.said += rest
        if self.pcapng:
            found = re.search(r"received/dropped on interface '.*': (\d+)/(\d+)", self.said)
            complete = found and found.group(2) == "0"
        else:
            captured = re.search(r"(\d+) packets? captured", self.said)
            received = re.search(r"(\d+) packets? received by filter", self.said)
            dropped = re.search(r"(\d+) packets? dropped by kernel", self.said)
            complete = (captured and received and dropped and dropped.group(1) == "0"
                        and captured.group(1) == received.group(1))
        if not complete:
            raise Void(f"{self.label}: {self.said.strip()}")


class Lab:
    """Owner of hosts, captures and processes; leaving the with block ends them all."""

    def __init__(self):
        self.hosts = []
        self.processes = []
        self.captures = []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for host in self.hosts:
            os.close(host.fd)

    def host(self, name, ipv6=False):
        host = Host(self, name, ipv6)
        self.hosts.append(host)
        return host

    def wire(self, a, name_a, b, name_b, mac_a=None, mac_b=None):
        """A veth pair between two hosts, both ends up."""
        command = ["ip", "link", "add", "name", name_a, *(["address", mac_a] if mac_a else []),
                   "netns", a.path, "type", "veth",
                   "peer", "name", name_b, *(["address", mac_b] if mac_b else []),
                   "netns", b.path]
        subprocess.run(command, check=True, capture_output=True, text=True)
        for host, name in ((a, name_a), (b, name_b)):
            host.run("ip", "link", "set", "dev", name, "up")

    def capture(self, host, interface, path, **options):
        capture = Capture(host, interface, path, **options)
        self.captures.append(capture)
        return capture

    def stop_captures(self, settle=0.4):
        """Let the last packets reach the captures, then stop all of them."""
        time.sleep(settle)
        captures, self.captures = self.captures, []
        for capture in captures:
            capture.stop()

    def quiet(self, *hosts, limit=10.0):
        """Wait until no connection of these hosts can send anything more."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if not any(host.open_connections() for host in hosts):
                return
            time.sleep(0.1)
        raise RuntimeError("connections still open: "
                           + "; ".join(l for h in hosts for l in h.open_connections()))
