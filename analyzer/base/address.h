/* address: IP and MAC addresses as text. */
#pragma once

#include <stdint.h>

#define IP_TEXT_SIZE 46
#define MAC_TEXT_SIZE 18

/* RFC 5952 for IPv6, dotted for v4-mapped addresses. Returns buf. */
const char *ip_text(const uint8_t ip[16], char buf[IP_TEXT_SIZE]);

/* Lower-case colon hex. Returns buf. */
const char *mac_text(const uint8_t mac[6], char buf[MAC_TEXT_SIZE]);
