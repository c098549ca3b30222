# The Debian packages, in one place. Sourced by demo.sh and test.sh.

# What building and running need.
build_packages="gcc clang libbpf-dev bpftool meson ninja-build pkg-config libjansson-dev libjs-dygraphs libmicrohttpd-dev libpcap-dev libnetfilter-log-dev libmnl-dev libseccomp-dev libcurl4-openssl-dev libsqlite3-dev
	liblzma-dev libssl-dev libxxhash-dev libzstd-dev zlib1g-dev scdoc"

# What the tests need beyond that.
test_packages="busybox chromium nodejs libcmocka-dev sqlite3 tshark tcpdump nftables iproute2 iputils-ping ethtool keepalived netbase
	procps shellcheck valgrind python3 zstd"
