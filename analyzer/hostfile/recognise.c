#include "hostfile/recognise.h"

#include <string.h>

#include "hostfile/cloud.h"
#include "hostfile/cloudwatch.h"
#include "hostfile/collectd.h"
#include "hostfile/copy.h"
#include "hostfile/ethtool.h"
#include "hostfile/ipconf.h"
#include "hostfile/iplink.h"
#include "hostfile/journal.h"
#include "hostfile/log.h"
#include "hostfile/machine.h"
#include "hostfile/process.h"
#include "hostfile/procnet.h"
#include "hostfile/prometheus.h"
#include "hostfile/ruleset.h"
#include "hostfile/sections.h"
#include "hostfile/settings.h"
#include "hostfile/sysstat.h"

/* In order: what has a mark of its own comes before what is told by its shape. */
static const struct hostfile_kind kinds[] = {
	{"proc-net-dev", procnet_dev_recognise, procnet_dev_parse},
	{"proc-net-snmp", procnet_groups_recognise, procnet_groups_parse},
	{"proc-net-snmp6", procnet_snmp6_recognise, procnet_snmp6_parse},
	{"softnet-stat", procnet_softnet_recognise, procnet_softnet_parse},
	{"proc-net-stat", procnet_stat_recognise, procnet_stat_parse},
	{"sysfs-statistics", procnet_sysfs_recognise, procnet_sysfs_parse},
	{"nstat", procnet_nstat_recognise, procnet_nstat_parse},
	{"conntrack-stats", procnet_conntrack_recognise, procnet_conntrack_parse},
	{"ip-link-stats", iplink_recognise, iplink_parse},
	{"ip-link-stats", iplink_json_recognise, iplink_json_parse},
	{"ethtool-stats", iplink_ethtool_recognise, iplink_ethtool_parse},
	{"nft-ruleset", ruleset_nft_recognise, ruleset_nft_parse},
	{"iptables-save", ruleset_iptables_recognise, ruleset_iptables_parse},
	{"collectd", collectd_recognise, collectd_parse},
	{"sysstat", sysstat_recognise, sysstat_parse},
	{"sysstat", sysstat_json_recognise, sysstat_json_parse},
	{"sysstat-binary", sysstat_binary_recognise, sysstat_binary_parse},
	{"prometheus", prometheus_text_recognise, prometheus_text_parse},
	{"prometheus", prometheus_json_recognise, prometheus_json_parse},
	{"cloudwatch", cloudwatch_recognise, cloudwatch_parse},
	{"dmidecode", machine_dmidecode_recognise, machine_dmidecode_parse},
	{"supportconfig", sections_support_recognise, sections_support_parse},
	{"terminal", sections_terminal_recognise, sections_terminal_parse},
	{"collect", machine_collect_recognise, machine_collect_parse},
	{"copy", copy_recognise, copy_parse},
	{"copies", copy_lines_recognise, copy_lines_parse},
	{"ethtool-driver", ethtool_driver_recognise, ethtool_driver_parse},
	{"ethtool-features", ethtool_features_recognise, ethtool_features_parse},
	{"ethtool-rings", ethtool_rings_recognise, ethtool_rings_parse},
	{"ip-link", ipconf_links_recognise, ipconf_links_parse},
	{"ip-rule", ipconf_rules_recognise, ipconf_rules_parse},
	{"ip-neigh", ipconf_neighbors_recognise, ipconf_neighbors_parse},
	{"ip-route", ipconf_routes_recognise, ipconf_routes_parse},
	{"arp", ipconf_arp_recognise, ipconf_arp_parse},
	{"uname", machine_uname_recognise, machine_uname_parse},
	{"os-release", machine_os_recognise, machine_os_parse},
	{"modules", machine_modules_recognise, machine_modules_parse},
	{"modinfo", machine_modinfo_recognise, machine_modinfo_parse},
	{"timedatectl", machine_timedatectl_recognise, machine_timedatectl_parse},
	{"date", machine_date_recognise, machine_date_parse},
	{"qemu-kvm", machine_qemu_default_recognise, machine_qemu_default_parse},
	{"ps", process_recognise, process_parse},
	{"sysctl", settings_sysctl_recognise, settings_sysctl_parse},
	{"keepalived.conf", settings_keepalived_recognise, settings_keepalived_parse},
	{"journal-json", journal_json_recognise, journal_json_parse},
	{"journal-export", journal_export_recognise, journal_export_parse},
	{"dmesg-json", journal_dmesg_recognise, journal_dmesg_parse},
	{"console-json", cloud_console_recognise, cloud_console_parse},
	{"instances", cloud_instances_recognise, cloud_instances_parse},
	{"log", log_recognise, log_parse},
	{"console", log_console_recognise, log_console_parse},
};

const struct hostfile_kind *recognise_kind(const struct hostfile_head *head)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].recognise(head))
			return &kinds[i];
	return NULL;
}

const struct hostfile_kind *recognise_nth(size_t n)
{
	return n < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[n] : NULL;
}
