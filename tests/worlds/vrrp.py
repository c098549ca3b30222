"""Two hosts that share an address by VRRP: keepalived, version 3, an advertisement each 200 ms."""
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

import lab  # noqa: E402

CONFIG = """
global_defs {{
    router_id {name}
    vrrp_version 3
}}
vrrp_instance shared {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 0.2
    virtual_ipaddress {{ {address}/24 }}
}}
"""
BEGIN_S = 6


class Pair:
    """keepalived on both hosts; the first has the higher priority."""

    def __init__(self, net, names, address, out):
        if not shutil.which("keepalived"):
            raise lab.Void("keepalived is not installed")
        self.net, self.names, self.address, self.out = net, names, address, out
        for name, priority in zip(names, (150, 100)):
            self.start(name, priority)
        self.wait()

    def file(self, name, end):
        return os.path.join(self.out, f"keepalived-{name}.{end}")

    def start(self, name, priority):
        with open(self.file(name, "conf"), "w") as file:
            file.write(CONFIG.format(name=name, priority=priority, address=self.address))
        self.net.nodes[name].popen(
            "keepalived", "--dont-fork", "--vrrp", "--use-file", self.file(name, "conf"),
            "--pid", self.file(name, "pid"), "--vrrp_pid", self.file(name, "vrrp"),
            "--log-console", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def holds(self, name):
        return self.address in self.net.nodes[name].run("ip", "-4", "addr", "show", "dev", "eth0")

    def wait(self):
        """Until the first is master and the second is not."""
        end = time.monotonic() + BEGIN_S
        while not self.holds(self.names[0]) or self.holds(self.names[1]):
            if time.monotonic() > end:
                raise lab.Void(f"{self.names[0]} did not become master")
            time.sleep(0.05)

    def signal(self, number):
        """To the master's VRRP process, which is a child of the one started."""
        with open(self.file(self.names[0], "vrrp")) as file:
            os.kill(int(file.read()), number)

    def stop(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)
