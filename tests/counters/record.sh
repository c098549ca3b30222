#!/usr/bin/env bash
# Records what programs of this machine say of one interface while a known number of packets arrives there.
#
# usage: record.sh BOTHENDS FOLDER
#
# Two namespaces and a link between them. 20 pings, 7 datagrams to a port that nft drops and 4 to one that iptables drops
# arrive at the second one while `bothends collect` waits between its two readings, and collectd, sadc and node_exporter
# watch, those that are installed. FOLDER/truth.json has the kernel's own numbers, read from sysfs before and after.
set -eu
bothends=$1 out=$2
here=cnt-a$$ there=cnt-b$$
work=$(mktemp -d)
pids=()

finish() {
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	ip netns del $here 2>/dev/null || true
	ip netns del $there 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

there() {
	ip netns exec $there "$@"
}

has() {
	command -v "$1" >/dev/null 2>&1
}

statistic() {
	there cat "/sys/class/net/eth0/statistics/$1"
}

statistics() {
	printf '{"rx_packets": %s, "tx_packets": %s, "rx_bytes": %s}' "$(statistic rx_packets)" "$(statistic tx_packets)" "$(statistic rx_bytes)"
}

scrape() {
	there python3 -c 'import sys, urllib.request as u; sys.stdout.write(u.urlopen("http://127.0.0.1:19117/metrics", timeout=5).read().decode())' |
		grep -E '^(# (HELP|TYPE) )?node_(time_seconds|network_(receive|transmit)_(packets|bytes|errs|drop)_total|softnet|nf_conntrack|netstat_Tcp)' >"$1"
}

mkdir -p "$out"
ip netns add $here
ip netns add $there
ip -n $here link add eth0 type veth peer name eth0 netns $there
for n in $here $there; do
	ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip -n $n link set lo up
	ip -n $n link set eth0 up
done
ip -n $here addr add 192.0.2.1/24 dev eth0
ip -n $there addr add 192.0.2.2/24 dev eth0
# nobody has to ask for an address while packets are counted
ip -n $here neigh replace 192.0.2.2 lladdr "$(ip -n $there -br link show eth0 | awk '{print $3}')" dev eth0 nud permanent
ip -n $there neigh replace 192.0.2.1 lladdr "$(ip -n $here -br link show eth0 | awk '{print $3}')" dev eth0 nud permanent
there nft 'add table inet guard; add chain inet guard input { type filter hook input priority 0; }; add rule inet guard input udp dport 9 counter drop'
has iptables-save && there iptables -A INPUT -p udp --dport 10 -j DROP

if has collectd; then
	mkdir "$work/collectd"
	cat >"$work/collectd.conf" <<-CONF
		Hostname "there"
		Interval 1
		BaseDir "$work"
		PIDFile "$work/collectd.pid"
		LoadPlugin interface
		LoadPlugin csv
		<Plugin csv>
		DataDir "$work/collectd"
		StoreRates ${RATES:-false}
		</Plugin>
	CONF
	ip netns exec $there collectd -f -C "$work/collectd.conf" >/dev/null 2>&1 &
	pids+=($!)
fi
sadc=$(command -v sadc || ls /usr/lib/sysstat/sadc 2>/dev/null || true)
if [ -n "$sadc" ]; then
	ip netns exec $there "$sadc" -S ALL 1 9 "$work/sa" &
	pids+=($!)
fi
if has prometheus-node-exporter; then
	ip netns exec $there prometheus-node-exporter --web.listen-address=127.0.0.1:19117 >/dev/null 2>&1 &
	pids+=($!)
fi
sleep 1.5

has prometheus-node-exporter && scrape "$out/node-1.prom"
before=$(statistics)
"$bothends" collect >"$work/collect.sh"
BOTHENDS_PAUSE=3 ip netns exec $there sh "$work/collect.sh" "$work" >/dev/null 2>&1 &
collect=$!
sleep 2.5
ip netns exec $here python3 - <<-'SEND'
	import socket, subprocess
	subprocess.run(["ping", "-q", "-c", "20", "-i", "0.02", "192.0.2.2"], stdout=subprocess.DEVNULL, check=True)
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	for port, times in ((9, 7), (10, 4)):
	    for _ in range(times):
	        s.sendto(b"x" * 50, ("192.0.2.2", port))
SEND
wait $collect
after=$(statistics)
has prometheus-node-exporter && scrape "$out/node-2.prom"
sleep 2
printf '{"before": %s, "after": %s, "nft": 7, "iptables": %s}\n' "$before" "$after" "$(has iptables-save && echo 4 || echo 0)" >"$out/truth.json"

cp "$work"/bothends-*.tar.gz "$out/collect.tar.gz"
if has collectd; then
	mkdir -p "$out/collectd"
	cp -r "$work/collectd/there" "$out/collectd/"
	find "$out/collectd" -name 'interface-lo' -prune -exec rm -rf {} +
fi
if [ -s "$work/sa" ] && has sadf; then
	sadf -d "$work/sa" -- -n DEV,EDEV >"$out/sadf.csv"
	sadf -j "$work/sa" -- -n DEV,EDEV >"$out/sadf.json"
fi
