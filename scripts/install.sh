# Installing Debian packages and building. Sourced by demo.sh and test.sh after packages.sh.

# Ends the script with one line on standard error.
stop() {
	echo "$(basename "$0"): $*" >&2
	exit 2
}

# Prints those of the named packages that are not installed.
missing_packages() {
	local name
	for name in "$@"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || echo "$name"
	done
}

# Installs what is missing of the named packages: as root, or through sudo. Without either it names them
# and stops. Does nothing, quickly, when all are there.
install_packages() {
	local missing as_root=()
	command -v dpkg-query >/dev/null ||
		stop "this is no Debian machine; install the equivalents of these packages, then build by README.md: $*"
	mapfile -t missing < <(missing_packages "$@")
	((${#missing[@]})) || return 0
	if ((EUID)); then
		as_root=(sudo)
		command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; } ||
			stop "packages are missing, and neither root nor sudo is at hand; as root: apt-get install ${missing[*]}"
	fi
	echo "Installing ${missing[*]}"
	apt_quietly "${as_root[@]}" apt-get -q update
	# Asked for nothing: tshark would ask who may capture.
	apt_quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install "${missing[@]}"
}

# What apt-get says is of interest only when it fails.
apt_quietly() {
	local log
	log=$(mktemp)
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		stop "cannot install the packages: '$*' failed"
	fi
	rm -f "$log"
}

# build FOLDER [MESON-OPTION...]: sets the folder up (anew when options are given) and builds there. The
# output is shown only when it fails.
build() {
	local folder=$1 log status=0
	shift
	log=$(mktemp)
	if [[ -e $folder/build.ninja ]]; then
		(($# == 0)) || meson setup --reconfigure "$folder" "$@" >"$log" 2>&1 || status=$?
	elif [[ -e $folder/meson-private/coredata.dat ]]; then
		meson setup --wipe "$folder" "$@" >"$log" 2>&1 || status=$? # a setup that was interrupted
	else
		meson setup "$folder" "$@" >"$log" 2>&1 || status=$?
	fi
	((status)) || ninja -C "$folder" >>"$log" 2>&1 || status=$?
	((status)) && tail -n 60 "$log" >&2
	rm -f "$log"
	return $status
}
