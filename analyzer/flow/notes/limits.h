/* limits: limits of the lists that a vantage point keeps beside its flows. Rows beyond a limit are
 * counted, and the report says so. */
#pragma once

#define NOTE_LIMIT 1000000     /* rows of one list */
#define ACTIVITY_LIMIT 4000000 /* seconds: 46 days */
#define MAC_LIMIT 65000	       /* MACs; an index has 16 bits */
#define ADDRESS_LIMIT 2000000  /* addresses, and pairs of address and MAC */
#define NETFILTER_LIMIT 1000000
