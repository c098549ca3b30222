/* address: IP and MAC addresses and IP protocols as text. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IP_TEXT_SIZE 46
#define MAC_TEXT_SIZE 18
#define PROTOCOL_TEXT_SIZE 8

/* v4-mapped. */
bool ip_is_v4(const uint8_t ip[16]);

/* Groups that stay on their link: 224.0.0.0/24, ff02::/16 (RFC 5771, RFC 4291), and broadcast. */
bool ip_is_link_group(const uint8_t ip[16]);

/*
 * Where hosts report the groups they listen to: 224.0.0.22, ff02::16 (RFC 3376, RFC 3810). A switch
 * that snoops hands reports to routers alone (RFC 4541 2.1.1).
 */
bool ip_is_report_group(const uint8_t ip[16]);

/* Of one host: no group, neither broadcast nor unspecified. */
bool ip_is_unicast(const uint8_t ip[16]);

/* 169.254.0.0/16 and fe80::/10: good on one link only (RFC 3927, RFC 4291). */
bool ip_is_link_local(const uint8_t ip[16]);

/* RFC 5952 for IPv6, dotted for v4-mapped addresses. Returns buf. */
const char *ip_text(const uint8_t ip[16], char buf[IP_TEXT_SIZE]);

/* Lower-case colon hex. Returns buf. */
const char *mac_text(const uint8_t mac[6], char buf[MAC_TEXT_SIZE]);

/* An address without prefix or zone, IPv4 ones v4-mapped; a MAC as six pairs of hex digits behind
 * colons or hyphens. */
bool ip_parse(const char *text, uint8_t ret[16]);
bool mac_parse(const char *text, uint8_t ret[6]);

/* "tcp", "icmp6", or the number; NULL for -1, which is unknown. Returns buf or static text. */
const char *protocol_text(int protocol, char buf[PROTOCOL_TEXT_SIZE]);
