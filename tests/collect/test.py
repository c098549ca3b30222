#!/usr/bin/env python3
"""The script that `bothends collect` prints, run on this machine. usage: test.py BOTHENDS CLAIM; test.py --list"""
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

SKIP = 77

KEEPALIVED = """vrrp_instance VI_1 {
    virtual_router_id 51
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass hunter2a
    }
}
"""


def run_script(script, shell, folder, *, target=None, before=(), env=None):
    """The script in folder by shell; the finished process."""
    environment = dict(os.environ, BOTHENDS_PAUSE="1", **(env or {}))
    return subprocess.run([*before, *shell, script, target or "."], cwd=folder, env=environment, capture_output=True, timeout=100)


def members(path):
    """Name (below its one folder) to content; that folder's name."""
    with tarfile.open(path) as archive:
        files = {m.name: archive.extractfile(m).read().decode(errors="replace") for m in archive if m.isfile()}
        others = [m.name for m in archive if not m.isfile() and not m.isdir()]
    assert not others, f"members that are neither file nor folder: {others}"
    top = {name.split("/")[0] for name in files}
    assert len(top) == 1, f"more than one folder: {top}"
    return {name.split("/", 1)[1]: text for name, text in files.items()}, top.pop()


def only_archive(folder):
    found = [name for name in os.listdir(folder) if name.endswith(".tar.gz")]
    assert len(found) == 1, f"archives: {found}"
    return os.path.join(folder, found[0])


def check_content(files):
    """What every Linux host has, whoever asks."""
    for name in ("collect.txt", "proc/stat", "proc/sys/kernel/osrelease", "bothends/ps", "counters/1/proc-net-dev",
                 "counters/2/proc-net-dev", "counters/1/proc-net-netstat", "counters/2/proc-net-snmp"):
        assert files.get(name), f"{name} is missing or empty; there are {sorted(files)}"
    times = []
    for n in "12":
        lines = files[f"counters/{n}/proc-net-dev"].split("\n")
        assert lines[0] == "# cat /proc/net/dev", lines[0]
        assert re.fullmatch(r"# at \d+", lines[1]), lines[1]
        assert re.match(r"\s*lo:\s*\d+", lines[4]) or any(" lo:" in f" {line}" for line in lines), lines
        times.append(int(lines[1].split()[2]))
    assert times[1] - times[0] >= 1, f"no time between the two readings: {times}"
    assert os.uname().release == files["proc/sys/kernel/osrelease"].strip()
    assert re.search(r"^started: \d+$", files["collect.txt"], re.M) and re.search(r"^ended: \d+$", files["collect.txt"], re.M)


def check_shell(script, folder, shell):
    if not shutil.which(shell[0]):
        print(f"{shell[0]} is not installed")
        return SKIP
    done = run_script(script, shell, folder)
    assert done.returncode == 0, done.stderr.decode()
    path = only_archive(folder)
    assert done.stdout.decode().strip().endswith(os.path.basename(path)), done.stdout
    assert os.stat(path).st_mode & 0o077 == 0, "others may read the archive"
    files, top = members(path)
    assert os.path.basename(path) == top + ".tar.gz"
    check_content(files)
    said = [line for line in done.stderr.decode().split("\n") if line]
    assert all(line.startswith(("not read: ", "bothends collect: ")) for line in said), said
    noted = [line for line in files["collect.txt"].split("\n") if line.startswith("not read: ")]
    assert noted == [line for line in said if line.startswith("not read: ")], (noted, said)
    assert len(noted) == len(set(noted)), noted
    return 0


def claim_dash(script, folder):
    return check_shell(script, folder, ["dash"])


def claim_busybox(script, folder):
    return check_shell(script, folder, ["busybox", "sh"])


def claim_bash_posix(script, folder):
    return check_shell(script, folder, ["bash", "--posix"])


def claim_only_busybox_programs(script, folder):
    """Nothing but busybox on PATH: /proc and /sys tell what ip, ethtool and the like would."""
    if not shutil.which("busybox"):
        print("busybox is not installed")
        return SKIP
    tools = os.path.join(folder, "bin")
    os.mkdir(tools)
    for name in ("sh", "sed", "date", "grep", "mkdir", "cat", "cut", "head", "tail", "sleep", "tr", "ls", "rm", "mktemp", "tar",
                 "gzip", "id", "uname", "readlink"):
        os.symlink(shutil.which("busybox"), os.path.join(tools, name))
    with open(script, encoding="utf-8") as file:
        text = file.read()
    # as on a host without them, whatever this one has beside PATH
    assert text.count("PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin") == 1
    bare = os.path.join(folder, "bare.sh")
    with open(bare, "w", encoding="utf-8") as file:
        file.write(text.replace("PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin", "PATH=$PATH"))
    done = run_script(bare, [os.path.join(tools, "sh")], folder, env={"PATH": tools})
    assert done.returncode == 0, done.stderr.decode()
    files, _ = members(only_archive(folder))
    check_content(files)
    assert "not read: ip -o addr: not installed" in files["collect.txt"], files["collect.txt"]
    assert "counters/2/sys-class-net-statistics" in files, sorted(files)
    return 0


def claim_user_without_rights(script, folder):
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        print("setpriv is not installed")
        return SKIP
    before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    os.chmod(folder, 0o777)
    os.chmod(script, 0o755)
    done = run_script(script, ["sh"], folder, before=before)
    assert done.returncode == 0, done.stderr.decode()
    files, _ = members(only_archive(folder))
    check_content(files)
    assert "user: 0\n" not in files["collect.txt"]
    return 0


def claim_archive_to_standard_output(script, folder):
    """As `bothends collect | ssh HOST sh -s -- -` runs it."""
    for shell in ["dash"], ["busybox", "sh"], ["bash"]:
        if not shutil.which(shell[0]):
            continue
        with open(script, "rb") as text:
            done = subprocess.run([*shell, "-s", "--", "-"], stdin=text, cwd=folder, env=dict(os.environ, BOTHENDS_PAUSE="0"),
                                  capture_output=True, timeout=100)
        assert done.returncode == 0, done.stderr.decode()
        path = os.path.join(folder, "out.tar.gz")
        with open(path, "wb") as file:
            file.write(done.stdout)
        assert "counters/2/proc-net-dev" in members(path)[0], shell
    return 0


def claim_folder_that_is_not_there(script, folder):
    done = run_script(script, ["sh"], folder, target="/nonexistent")
    assert done.returncode == 2 and not done.stdout, (done.returncode, done.stdout)
    assert b"cannot write to '/nonexistent'" in done.stderr, done.stderr
    return 0


def claim_command_that_hangs(script, folder):
    """A program that never ends costs its three seconds, and the archive says so."""
    tools = os.path.join(folder, "bin")
    os.mkdir(tools)
    with open(os.path.join(tools, "nstat"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexec sleep 1000\n")
    os.chmod(os.path.join(tools, "nstat"), 0o755)
    done = run_script(script, ["sh"], folder, env={"PATH": f"{tools}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr.decode()
    files, _ = members(only_archive(folder))
    check_content(files)
    assert re.search(r"^not read: nstat -asz: .*status 143", files["collect.txt"], re.M), files["collect.txt"]
    return 0


def masked(script, function, text):
    """What a function of the script makes of a text."""
    with open(script, encoding="utf-8") as file:
        functions = file.read().replace('\nmain "$@"\n', f"\n{function}\n")
    done = subprocess.run(["sh", "-c", functions], input=text, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout


def claim_secrets_are_masked(script, _folder):
    settings = KEEPALIVED + "  password s3cretword\nnotify_secret: 0xabcdef\n"
    kept = masked(script, "mask_config", settings)
    assert "hunter2a" not in kept and "s3cretword" not in kept and "0xabcdef" not in kept, kept
    assert "virtual_router_id 51" in kept and "advert_int 1" in kept and "auth_type PASS" in kept, kept
    lines = {
        "BOOT_IMAGE=/vmlinuz root=/dev/vda1 luks_passphrase=topsecret quiet": "topsecret",
        "net.ipv4.tcp_fastopen_key = 11111111-22222222-33333333-44444444": "11111111",
        "net.ipv6.conf.eth0.stable_secret = 2001:db8::1": "2001:db8",
        "qemu-system-x86_64 -object secret,id=s0,format=raw,data=QUJDREVG -m 512": "QUJDREVG",
        "qemu-system-x86_64 -drive file=rbd:pool/disk:id=a:key=AQBzcg==:x=y -m 512": "AQBzcg",
        "qemu-system-x86_64 -spice port=5900,password=opensesame,x=1": "opensesame",
        '{"api_token": "tok-123", "a": 1}': "tok-123",
    }
    for line, secret in lines.items():
        assert secret not in masked(script, "mask", line + "\n"), line
    harmless = ("eth0: 1234 5 0 0 0 0 0 0 99 1 0 0 0 0 0 0\n-A INPUT -p tcp --dport 443 -j DROP\n"
                "TcpExtTCPKeepAlive              12                 0.0\n    gc_thresh1 = 128\n")
    assert masked(script, "mask", harmless) == harmless
    return 0


def claim_secrets_are_masked_in_the_archive(script, folder):
    """keepalived.conf with a password, in a mount namespace of its own."""
    config = os.path.join(folder, "keepalived")
    os.mkdir(config)
    with open(os.path.join(config, "keepalived.conf"), "w", encoding="utf-8") as file:
        file.write(KEEPALIVED)
    if not os.path.isdir("/etc/keepalived"):
        print("no /etc/keepalived to stand in for (keepalived is not installed)")
        return SKIP
    before = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    inner = f"mount --bind {config} /etc/keepalived && exec sh {script} {folder}"
    done = subprocess.run([*before, "sh", "-c", inner], env=dict(os.environ, BOTHENDS_PAUSE="0"), capture_output=True, timeout=100)
    if b"unshare" in done.stderr or b"mount:" in done.stderr:
        print("no mount namespace may be made:", done.stderr.decode().strip())
        return SKIP
    assert done.returncode == 0, done.stderr.decode()
    files, _ = members(only_archive(folder))
    assert "auth_pass MASKED" in files["etc/keepalived/keepalived.conf"]
    assert not [name for name, text in files.items() if "hunter2a" in text]
    return 0


def claim_shellcheck_has_nothing_to_say(script, _folder):
    if not shutil.which("shellcheck"):
        print("shellcheck is not installed")
        return SKIP
    done = subprocess.run(["shellcheck", "-s", "sh", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    return 0


CLAIMS = {name[6:].replace("_", "-"): value for name, value in list(globals().items()) if name.startswith("claim_")}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CLAIMS))
        return 0
    bothends, claim = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="bothends-collect-test.") as folder:
        script = os.path.join(folder, "collect.sh")
        with open(script, "wb") as file:
            file.write(subprocess.run([bothends, "collect"], check=True, capture_output=True, timeout=20).stdout)
        return CLAIMS[claim](script, folder)


sys.exit(main())
