#!/bin/sh
# Collects what an analysis of network trouble needs from this host, and leaves it as one archive.
#
#   sh collect.sh [DIRECTORY]
#       leaves DIRECTORY/bothends-HOST-TIME.tar.gz (default: here)
#   ssh HOST sh -s -- - < collect.sh > HOST.tar.gz
#       DIRECTORY "-": the archive goes to standard output
#
# It needs a POSIX shell, tar and gzip. It installs nothing and changes nothing. Without root it
# takes what it may read and lists the rest. It takes about ten seconds, then reads the counters
# again after thirty: what moved in between is what goes on now. Passwords and keys are masked
# before anything is stored.
#
# The archive: FOLDER/collect.txt (who, when, and what could not be read), copies of files under
# their own paths, FOLDER/bothends/ with the output of commands, and FOLDER/counters/1 and 2. A
# command's output begins with "# COMMAND" and "# at SECONDS" (since the epoch).

collect_version=1
budget=10     # seconds for everything before the pause
pause=${BOTHENDS_PAUSE:-30}
patience=3    # seconds for one command
interfaces_max=64

LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

# What follows the name of a secret, up to its value: NAME=VALUE, NAME: VALUE, "NAME": "VALUE".
word='[A-Za-z0-9_.-]*'
is='["'\'']*[ 	]*[=:][ 	]*'
pass='[Pp][Aa][Ss][Ss]'
secret='[Ss][Ee][Cc][Rr][Ee][Tt]'
token='[Tt][Oo][Kk][Ee][Nn]'
key='[Kk][Ee][Yy]'

mask() {
	sed \
		-e "s/\($word$pass$word$is\)[^ 	,]*/\1MASKED/g" \
		-e "s/\($word$secret$word$is\)[^ 	,]*/\1MASKED/g" \
		-e "s/\($word$token$word$is\)[^ 	,]*/\1MASKED/g" \
		-e "s/\($word$key$is\)[^ 	,]*/\1MASKED/g" \
		-e 's/\(auth_pass[ 	]*\).*/\1MASKED/' \
		-e 's/\(secret,.*data=\)[^ 	,]*/\1MASKED/g'
}

# In a configuration file a blank is enough between name and value.
mask_config() {
	mask | sed \
		-e "s/^\([ 	]*$word$pass${word}[ 	][ 	]*\).*/\1MASKED/" \
		-e "s/^\([ 	]*$word$secret${word}[ 	][ 	]*\).*/\1MASKED/" \
		-e "s/^\([ 	]*$word${key}[ 	][ 	]*\).*/\1MASKED/"
}

seconds() {
	date +%s
}

unread() {
	unread_line="not read: $1: $2"
	grep -qxF -e "$unread_line" "$top/collect.txt" ||
		printf '%s\n' "$unread_line" >>"$top/collect.txt"
}

out_of_time() {
	[ "$(seconds)" -ge "$deadline" ]
}

# bounded FILE COMMAND...: its output into FILE; ends it when it takes too long. Its status.
bounded() {
	bounded_file=$1
	shift
	"$@" >"$bounded_file" 2>"$work/err" </dev/null &
	bounded_pid=$!
	{ sleep "$patience"; kill "$bounded_pid"; } >/dev/null 2>&1 </dev/null &
	bounded_guard=$!
	wait "$bounded_pid"
	bounded_status=$?
	# not a signal that a trap of this shell takes: the guard may not have put it off yet
	kill -9 "$bounded_guard" 2>/dev/null
	wait "$bounded_guard" 2>/dev/null
	return $bounded_status
}

first_line() {
	head -n 1 "$1" | cut -c 1-200
}

# keep FILE: what a command printed becomes the member FILE, with the command and the time above it.
keep() {
	keep_file=$1
	shift
	mkdir -p "${keep_file%/*}"
	{
		printf '# %s\n# at %s\n' "$*" "$run_at"
		head -c 4194304 "$work/out" | mask
	} >"$keep_file"
}

# run MEMBER COMMAND...: one that is not there, or fails, leaves a line in collect.txt.
run() {
	run_member=$1
	shift
	if ! command -v "$1" >/dev/null 2>&1; then
		unread "$*" 'not installed'
		return
	fi
	if out_of_time; then
		unread "$*" 'out of time'
		return
	fi
	run_at=$(seconds)
	bounded "$work/out" "$@"
	run_status=$?
	if [ -s "$work/out" ]; then
		keep "$top/$run_member" "$@"
	fi
	if [ $run_status -ne 0 ]; then
		unread "$*" "$(first_line "$work/err") (status $run_status)"
	fi
}

# take PATH...: copies of files under their own paths.
take() {
	for take_path in "$@"; do
		[ -e "$take_path" ] || continue
		if ! head -c 4194304 "$take_path" >"$work/out" 2>"$work/err"; then
			[ -d "$take_path" ] || unread "$take_path" "$(first_line "$work/err")"
			continue
		fi
		mkdir -p "$top${take_path%/*}"
		case $take_path in
		/etc/*) mask_config <"$work/out" >"$top$take_path" ;;
		*) mask <"$work/out" >"$top$take_path" ;;
		esac
	done
}

# take_end PATH...: the end of a log. Of logs that everybody writes to, what speaks of the network.
services='kernel|Keepalived[A-Za-z_]*|haproxy|NetworkManager|systemd-networkd'
services="$services|dhclient|dhcpcd|chronyd|ntpd"
take_end() {
	for take_path in "$@"; do
		[ -e "$take_path" ] || continue
		if ! tail -c 4194304 "$take_path" >"$work/out" 2>"$work/err"; then
			unread "$take_path" "$(first_line "$work/err")"
			continue
		fi
		mkdir -p "$top${take_path%/*}"
		case $take_path in
		*/kern.log*) mask <"$work/out" >"$top$take_path" ;;
		*) grep -E " ($services)(\[[0-9]+\])?:" "$work/out" | mask >"$top$take_path" ;;
		esac
	done
}

# counter PATH...: a file of counters as the output of cat, with its time.
counter() {
	for counter_path in "$@"; do
		[ -e "$counter_path" ] || continue
		run_at=$(seconds)
		if ! cat "$counter_path" >"$work/out" 2>"$work/err"; then
			unread "$counter_path" "$(first_line "$work/err")"
			continue
		fi
		counter_name=$(printf '%s' "${counter_path#/}" | tr / -)
		keep "$top/$counters/$counter_name" cat "$counter_path"
	done
}

interfaces() {
	for interface_path in /sys/class/net/*; do
		[ -e "$interface_path/address" ] && printf '%s\n' "${interface_path##*/}"
	done | head -n "$interfaces_max"
}

# Every counter of every interface that sysfs knows, a line each: PATH:VALUE.
sysfs_statistics() {
	for statistics_file in /sys/class/net/*/statistics/*; do
		read -r statistics_value <"$statistics_file" &&
			printf '%s:%s\n' "$statistics_file" "$statistics_value"
	done
}

# take_counters N: what counts, once.
take_counters() {
	counters=counters/$1
	counter /proc/net/dev /proc/net/snmp /proc/net/snmp6 /proc/net/netstat \
		/proc/net/softnet_stat /proc/net/sockstat /proc/net/arp /proc/net/route \
		/proc/net/stat/nf_conntrack /proc/net/stat/arp_cache /proc/net/stat/ndisc_cache \
		/proc/net/bonding/* /proc/sys/net/netfilter/nf_conntrack_count \
		/proc/sys/net/netfilter/nf_conntrack_max /proc/interrupts /proc/softirqs \
		/proc/stat /proc/uptime
	run_at=$(seconds)
	sysfs_statistics >"$work/out" 2>/dev/null
	[ -s "$work/out" ] && keep "$top/$counters/sys-class-net-statistics" \
		'grep -H . /sys/class/net/*/statistics/*'
	run "$counters/ip-link" ip -s -s link
	run "$counters/ip-neigh" ip -s neigh
	run "$counters/nstat" nstat -asz
	run "$counters/conntrack-S" conntrack -S
	run "$counters/nft" nft list ruleset
	run "$counters/iptables-save" iptables-save -c
	run "$counters/ip6tables-save" ip6tables-save -c
	run "$counters/tc-qdisc" tc -s qdisc
	for interface in $(interfaces); do
		[ "$interface" = lo ] && continue
		run "$counters/ethtool-S.$interface" ethtool -S "$interface"
	done
}

# sysfs_driver INTERFACE: driver and version in the form of ethtool -i, for hosts that lack it.
sysfs_driver() {
	driver_path=$(readlink "/sys/class/net/$1/device/driver") || return
	driver=${driver_path##*/}
	driver_version=
	[ -r "/sys/module/$driver/version" ] &&
		read -r driver_version <"/sys/module/$driver/version"
	driver_device=$(readlink "/sys/class/net/$1/device")
	run_at=$(seconds)
	printf 'driver: %s\nversion: %s\nbus-info: %s\n' "$driver" "$driver_version" \
		"${driver_device##*/}" >"$work/out"
	keep "$top/bothends/ethtool-i.$1" "ethtool -i $1"
}

take_interfaces() {
	for interface in $(interfaces); do
		for attribute in address mtu operstate carrier carrier_changes speed duplex \
			flags type ifindex; do
			# some of them cannot be read while the interface is down
			cat "/sys/class/net/$interface/$attribute" >"$work/out" 2>/dev/null ||
				continue
			mkdir -p "$top/sys/class/net/$interface"
			cat "$work/out" >"$top/sys/class/net/$interface/$attribute"
		done
		[ "$interface" = lo ] && continue
		if command -v ethtool >/dev/null 2>&1; then
			for letter in i k g; do
				run "bothends/ethtool-$letter.$interface" \
					ethtool "-$letter" "$interface"
			done
		else
			sysfs_driver "$interface"
		fi
	done
}

# The processes that matter, as ps prints them: guests, their vhost threads, routers and clocks.
processes() {
	printf '  PID COMMAND\n'
	for process in /proc/[0-9]*; do
		read -r comm 2>/dev/null <"$process/comm" || continue
		case $comm in
		qemu* | kvm | vhost-* | keepalived | haproxy | vrrpd) ;;
		chronyd | ntpd | ptp4l | dhclient | irqbalance) ;;
		*) continue ;;
		esac
		arguments=$(tr '\000' ' ' <"$process/cmdline" 2>/dev/null)
		printf '%5s %s\n' "${process#/proc/}" "${arguments:-[$comm]}"
		mkdir -p "$top$process"
		printf '%s\n' "$comm" >"$top$process/comm"
	done
}

take_processes() {
	run_at=$(seconds)
	processes >"$work/out" 2>/dev/null
	keep "$top/bothends/ps" 'ps -eo pid,args'
}

take_facts() {
	take /proc/version /proc/cmdline /proc/stat /proc/uptime /proc/modules \
		/proc/sys/kernel/hostname /proc/sys/kernel/osrelease /proc/sys/kernel/version \
		/proc/sys/kernel/random/boot_id /proc/sys/net/ipv4/neigh/default/gc_thresh[123]
	take /sys/hypervisor/type /sys/hypervisor/uuid /sys/hypervisor/version/* \
		/sys/hypervisor/compilation/compile_date /sys/module/*/version \
		/sys/devices/system/clocksource/clocksource0/current_clocksource
	for attribute in sys_vendor product_name product_version bios_vendor bios_version \
		board_name chassis_asset_tag; do
		take "/sys/class/dmi/id/$attribute"
	done
	take /etc/os-release /etc/debian_version /etc/timezone /etc/default/qemu-kvm \
		/etc/default/grub /etc/keepalived/keepalived.conf /etc/network/interfaces \
		/etc/chrony/chrony.conf /etc/chrony.conf /etc/ntp.conf
	run bothends/uname uname -a
	run bothends/ip-addr ip -o addr
	run bothends/ip-link ip -d link
	run bothends/ip-route ip route
	run bothends/ip-6-route ip -6 route
	run bothends/ip-rule ip rule
	run bothends/ip-neigh ip -s neigh
	take_interfaces
	take_processes
	run bothends/lsmod lsmod
	run bothends/sysctl sysctl net
	run bothends/chronyc-tracking chronyc -n tracking
	run bothends/timedatectl timedatectl
	run bothends/ntpq ntpq -pn
	run bothends/adjtimex adjtimex -p
}

take_logs() {
	run bothends/dmesg dmesg
	run bothends/journalctl-k journalctl -k -n 20000 --no-pager -o short-iso
	run bothends/journalctl-keepalived journalctl -u keepalived -n 5000 --no-pager -o short-iso
	take_end /var/log/kern.log /var/log/kern.log.1 /var/log/messages /var/log/messages.1
	take_end /var/log/syslog /var/log/syslog.1
}

host_name() {
	cat /proc/sys/kernel/hostname 2>/dev/null || uname -n
}

begin() {
	{
		printf 'bothends collect %s\n' "$collect_version"
		printf 'host: %s\n' "$(host_name)"
		printf 'started: %s\n' "$(seconds)"
		printf 'zone: %s\n' "$(date +%z)"
		printf 'user: %s\n' "$(id -u)"
	} >"$top/collect.txt"
}

main() {
	umask 077
	target=${1:-.}
	if [ "$target" != - ] && ! [ -w "$target" ]; then
		printf "bothends collect: cannot write to '%s': name another directory\n" \
			"$target" >&2
		exit 2
	fi
	host=$(host_name | tr -c 'A-Za-z0-9._\n-' '_')
	folder=bothends-$host-$(date -u +%Y%m%dT%H%M%SZ)
	work=$(mktemp -d "${TMPDIR:-/tmp}/bothends-collect.XXXXXX") || exit 2
	trap 'rm -rf "$work"' EXIT
	trap 'exit 2' HUP INT TERM
	top=$work/$folder
	mkdir "$top" || exit 2

	deadline=$(($(seconds) + budget))
	begin
	take_counters 1
	take_facts
	take_logs
	printf 'bothends collect: reads the counters again in %s seconds\n' "$pause" >&2
	sleep "$pause"
	deadline=$(($(seconds) + budget))
	take_counters 2
	printf 'ended: %s\n' "$(seconds)" >>"$top/collect.txt"

	if [ "$target" = - ]; then
		tar -C "$work" -cf - "$folder" | gzip -c
		return
	fi
	tar -C "$work" -cf - "$folder" | gzip -c >"$target/$folder.tar.gz" || exit 2
	grep '^not read: ' "$top/collect.txt" >&2
	printf '%s\n' "$target/$folder.tar.gz"
}

# All of the script has arrived when this line has.
main "$@"
