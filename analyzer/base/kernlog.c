#include "base/kernlog.h"

#include <stddef.h>
#include <string.h>

static const char *const telling[] = {
	"NETDEV WATCHDOG",
	"transmit queue",
	"transmit timed out",
	"Tx timeout",
	"tx hang",
	"Tx Unit Hang",
	"Link is Up",
	"Link is Down",
	"link up",
	"link down",
	"link becomes ready",
	"carrier",
	"Reset adapter",
	"resetting",
	"reset adapter",
	"Hardware Error",
	"hw csum failure",
	"eighbour table overflow",
	"eighbor table overflow",
	"neighbour: ",
	"nf_conntrack",
	"table full",
	"MSI-X",
	"MSI",
	"irq ",
	"nobody cared",
	"page allocation failure",
	"soft lockup",
	"hung_task",
	"blocked for more than",
	"Out of memory",
	"SYN flooding",
	"martian",
	"entered promiscuous mode",
	"left promiscuous mode",
	"bond",
	"entered blocking state",
	"entered disabled state",
	"entered forwarding state",
	"received packet with own address",
	"Dropping",
	"dropped",
	"rx_missed",
	"PCIe Bus Error",
	"AER:",
	"link is not ready",
};

bool kernlog_tells(const char *message)
{
	for (size_t i = 0; i < sizeof(telling) / sizeof(*telling); i++)
		if (strstr(message, telling[i]))
			return true;
	return false;
}
