#!/bin/bash
# record.sh [BUILD]: writes fixtures/agent anew: for each copied host a short capture with its sidecar,
# between two real stacks that have the addresses of the copy. Needs root.
set -eu
cd "$(dirname "$0")"
build=$(realpath "${1:-../../build}")
out=../../fixtures/agent
a=recA$$ b=recB$$ work=$(mktemp -d)
clean() { ip netns del $a 2>/dev/null || true; ip netns del $b 2>/dev/null || true; rm -rf "$work"; }
trap clean EXIT

record() # TREE INTERFACE ADDRESS/LENGTH MAC PEER
{
	local dir=$work/$1 root=$work/root-$1 n
	for n in $a $b; do
		ip netns del $n 2>/dev/null || true
		ip netns add $n
		ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	done
	ip link add "$2" netns $a type veth peer name peer netns $b
	ip -n $a link set "$2" address "$4"
	ip -n $a addr add "$3" dev "$2"
	ip -n $b addr add "$5/${3#*/}" dev peer
	ip -n $a link set "$2" up
	ip -n $b link set peer up
	# The copy booted so that its kernel lines are near the packets.
	cp -a ../../fixtures/roots/"$1" "$root"
	chmod -R a+rX "$work"
	sed -i "s/^btime .*/btime $(($(date +%s) - ${6:-600}))/" "$root/proc/stat"
	mkdir -m 700 "$dir"
	chown nobody "$dir"
	(cd "$root/.." && ip netns exec $a "$build/capture/bothends-agent" -q -i "$2" -w "$dir" --root "root-$1" \
		--min-free 0 --interval 1s --duration 3s) &
	sleep 0.7
	ip netns exec $a ping -qc3 -i0.3 "$5" >/dev/null
	ip netns exec $b python3 -c 'import socket; s = socket.create_server(("", 9000)); c, _ = s.accept(); c.recv(100); c.sendall(b"ok")' &
	sleep 0.3
	ip netns exec $a python3 -c "import socket; c = socket.create_connection(('$5', 9000)); c.sendall(b'x' * 50); c.recv(10)"
	wait
	mv "$dir"/*.pcapng "$out/$1.pcapng"
	mv "$dir"/*.facts.jsonl "$out/$1.facts.jsonl"
	chown root: "$out/$1".*
	chmod 644 "$out/$1".*
}

mkdir -p "$out"
record ixgbevf-xen eth0 10.20.1.33/24 06:4f:2a:10:00:33 10.20.1.40
record xen42-ena ens3 10.30.0.7/20 0a:1c:55:77:10:07 10.30.0.1
record r8169-watchdog eth0 192.0.2.11/24 90:2b:34:9a:00:11 192.0.2.1 613
record qemu-no-vhost em1 198.51.100.12/24 b8:ca:3a:60:00:02 198.51.100.1
record db-stale eth0 10.0.1.20/24 00:00:01:0a:01:20 10.0.1.91
