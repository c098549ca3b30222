#!/bin/bash
# Real traffic between two network namespaces, through the tunnels and onto the link types that this
# kernel has, captured by tcpdump; then tshark.py compares each frame.
#
# Usage: live.sh DECODE_DUMP [FOLDER]   with FOLDER the captures are kept there (fixtures).
# Exit status 77: skipped, and why.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
dump=$(readlink -f "$1")
a=bd-a-$$ b=bd-b-$$
work=$(mktemp -d)

skip() {
	echo "skipped: $*"
	exit 77
}

# Each background command is the program itself (ip netns exec becomes it), so that its id is enough.
pids=()
stop() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
	wait
	pids=()
}

cleanup() {
	stop
	ip netns del "$a" 2>/dev/null || true
	ip netns del "$b" 2>/dev/null || true
	rm -rf "$work"
}

[ "$(id -u)" = 0 ] || skip "needs root"
for tool in ip tcpdump tshark nft ping python3; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
trap cleanup EXIT
ip netns add "$a" && ip netns exec "$a" true || skip "no network namespaces here"
ip netns add "$b"

ina() { ip netns exec "$a" "$@"; }
inb() { ip netns exec "$b" "$@"; }

# Devices have the same name in both namespaces and 10.77.N.1/2 and fd77:N::1/2 on them. What this
# kernel cannot make is left out, and said.
number=0
reached=""

tunnel() {
	local name=$1 kind=$2 near=$3
	shift 3
	if ! ina ip link add "$name" type "$kind" "$@" local "${near}1" remote "${near}2" 2>"$work/err" ||
		! inb ip link add "$name" type "$kind" "$@" local "${near}2" remote "${near}1" 2>"$work/err"; then
		echo "without $name: $(head -1 "$work/err")"
		return
	fi
	address "$name"
}

address() {
	local name=$1
	number=$((number + 1))
	ina ip addr add "10.77.$number.1/24" dev "$name" 2>/dev/null || true
	inb ip addr add "10.77.$number.2/24" dev "$name" 2>/dev/null || true
	ina ip addr add "fd77:$number::1/64" dev "$name" nodad 2>/dev/null || true
	inb ip addr add "fd77:$number::2/64" dev "$name" nodad 2>/dev/null || true
	ina ip link set "$name" up
	inb ip link set "$name" up
	reached="$reached $name:10.77.$number.2:fd77:$number::2"
}

capture() { # NAME ARGUMENTS
	local name=$1
	shift
	if [ "$1" = -i ] && [[ $2 != any && $2 != nflog* ]] && ! ina ip link show "$2" >/dev/null 2>&1; then
		return
	fi
	ip netns exec "$a" tcpdump --immediate-mode -q -U -Z root -w "$work/$name.pcap" "$@" \
		2>"$work/$name.err" </dev/null >/dev/null &
	pids+=($!)
	for _ in $(seq 50); do
		grep -q 'listening on' "$work/$name.err" && return
		sleep 0.1
	done
	echo "without the capture $name: $(head -1 "$work/$name.err")"
	rm -f "$work/$name.pcap"
}

ina ip link set lo up
inb ip link set lo up
ina ip link add veth0 type veth peer name veth0 netns "$b"
address veth0
tunnel gre1 gre 10.77.1.
tunnel ipip1 ipip 10.77.1.
tunnel sit1 sit 10.77.1.
tunnel vx1 vxlan 10.77.1. id 42 dstport 4789
tunnel vx2 vxlan 10.77.1. id 43 dstport 8472

# Some loss makes SACK blocks; without the module they are elsewhere in the fixtures.
inb tc qdisc add dev veth0 root netem loss 4% 2>/dev/null || echo "without loss: no netem"
for hook in input output; do
	ina nft -f - <<-RULES || echo "without netfilter logs"
		table inet log_$hook {
			chain c {
				type filter hook $hook priority 0;
				log group 5 snaplen 120 prefix "$hook: all"
			}
		}
	RULES
done

# Not -s for the netfilter log: libpcap then writes records longer than what it read. The rule cuts.
capture ether -i veth0 -s 200
capture sll -i any -y LINUX_SLL -s 200
capture sll2 -i any -y LINUX_SLL2 -s 200
capture nflog -i nflog:5
capture gre -i gre1
capture ipip -i ipip1
capture sit -i sit1
capture snap96 -i veth0 -s 96 -c 300 'tcp and not port 9'
capture lo -i lo -s 200

for ns in "$a" "$b"; do
	ip netns exec "$ns" python3 "$here/traffic.py" serve </dev/null >/dev/null 2>&1 &
	pids+=($!)
done
sleep 0.5
for target in $reached lo:127.0.0.1:::1; do
	name=${target%%:*} rest=${target#*:}
	for ip in "${rest%%:*}" "${rest#*:}"; do
		echo "  $name $ip" >>"$work/log"
		ina timeout 20 python3 "$here/traffic.py" talk "$ip" >>"$work/log" 2>&1 || true
		ina timeout 5 ping -n -c 2 -i 0.2 -W 1 "$ip" >/dev/null 2>&1 || true
		ina timeout 5 ping -n -c 1 -s 4000 -W 1 "$ip" >/dev/null 2>&1 || true
	done
done
sleep 1
stop

if [ $# -gt 1 ]; then
	mkdir -p "$2"
	cp "$work"/*.pcap "$2"
fi
"$here/tshark.py" "$dump" "$work"
