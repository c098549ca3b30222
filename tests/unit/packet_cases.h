/*
 * packet_cases: frames and what they decode to, as packet_text() says it. Over the bytes stands what
 * tcpdump -e -v says of them.
 */
#pragma once

#include <stdint.h>

static const struct packet_case {
	const char *name;
	uint32_t link_type;
	uint32_t wire_len; /* 0: all bytes were captured */
	const char *bytes;
	const char *text;
} packet_cases[] = {
	{
		"tcp data with time stamps", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 71: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [DF], proto TCP (6), length 57)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x4208 (correct), seq
		 * 1000001:1000006, ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000],
		 * length 5 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0039 1234 4000 4006 121e 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6 4208 0000 0101 080a 0000 03e8 0000 "
		"07d0 6865 6c6c 6f",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 df ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 sum=right "
		"len=5 cap=5",
	},
	{
		"tcp syn", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 74: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [DF], proto TCP (6), length 60)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [S], cksum 0x2cff (correct), seq
		 * 4294967280, win 64240, options [mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 7],
		 * length 0 */
		"0000 01fc b348 0000 01fc b370 0800 4500 003c 1234 4000 4006 121b 0a00 015a 0a00 "
		"0114 9c40 6989 ffff fff0 0000 0000 a002 faf0 2cff 0000 0204 05b4 0402 080a 0000 "
		"03e8 0000 0000 0103 0307",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 df ports=40000,27017 "
		"seq=4294967280 ack=0 flags=02 win=64240 mss=1460 wscale=7 sackok tsval=1000 "
		"tsecr=0 sum=right len=0 cap=0",
	},
	{
		"tcp ack padded to the Ethernet minimum", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 60: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 40)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [.], cksum 0xcab6 (correct), ack 2000002,
		 * win 502, length 0 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0028 1234 0000 4006 522f 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 5010 01f6 cab6 0000 0000 0000 0000",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 seq=1000001 "
		"ack=2000002 flags=10 win=502 len=0 cap=0",
	},
	{
		"tcp sack", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 94: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 80)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [.], cksum 0x8ec7 (correct), ack 2000002,
		 * win 502, options [nop,nop,TS val 1000 ecr 2000,nop,nop,sack 3
		 * {4292970295:4292971295}{4292972295:4292973295}{4292974295:4292975295}], length 0 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0050 1234 0000 4006 5207 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 f010 01f6 8ec7 0000 0101 080a 0000 03e8 0000 "
		"07d0 0101 051a 0000 0bb8 0000 0fa0 0000 1388 0000 1770 0000 1b58 0000 1f40",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 seq=1000001 "
		"ack=2000002 flags=10 win=502 tsval=1000 tsecr=2000 "
		"sack=3000-4000,5000-6000,7000-8000 len=0 cap=0",
	},
	{
		"tcp with IPv4 options and ECN", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 58: (tos
		 * 0x3,CE, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 44, options
		 * (RA)) 10.0.1.90.40000 > 10.0.1.20.27017: Flags [SEW], cksum 0xca04 (correct), seq
		 * 1000001, win 502, length 0 */
		"0000 01fc b348 0000 01fc b370 0800 4603 002c 1234 0000 4006 bd23 0a00 015a 0a00 "
		"0114 9404 0000 9c40 6989 000f 4241 001e 8482 50c2 01f6 ca04 0000",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=3 ipid=4660 ports=40000,27017 seq=1000001 "
		"ack=2000002 flags=c2 win=502 sum=right len=0 cap=0",
	},
	{
		"tcp fast open, mptcp", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 78: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 64)
		 * 10.0.1.90.1 > 10.0.1.20.2: Flags [S], cksum 0xc8ae (correct), seq 0, win 8192,
		 * options [tfo cookie 0102030405060708,mptcp 12 capable v0 csum {0x0},eol], length 0 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0040 1234 0000 4006 5217 0a00 015a 0a00 "
		"0114 0001 0002 0000 0000 0000 0000 b002 2000 c8ae 0000 220a 0102 0304 0506 0708 "
		"1e0c 0081 0000 0000 0000 0000 0000",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 ports=1,2 seq=0 ack=0 flags=02 "
		"win=8192 tfo mptcp sum=right len=0 cap=0",
	},
	{
		"ip header checksum wrong", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 66: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 52, bad cksum
		 * 1111 (->5223)!) 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x85df
		 * (correct), ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0034 1234 0000 4006 1111 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85df 0000 0101 080a 0000 03e8 0000 "
		"07d0",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 ipsum=bad ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"two vlan tags", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype 802.1Q-QinQ (0x88a8), length 74:
		 * vlan 100, p 0, ethertype 802.1Q (0x8100), vlan 7, p 0, ethertype IPv4 (0x0800),
		 * (tos 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 52)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x85df (correct), ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0000 01fc b348 0000 01fc b370 88a8 0064 8100 0007 0800 4500 0034 1234 0000 4006 "
		"5223 0a00 015a 0a00 0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85df 0000 0101 "
		"080a 0000 03e8 0000 07d0",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 vlan=100/2 type=0800 "
		"src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"old stacked tag", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype 802.1Q-9100 (0x9100), length 70:
		 * vlan 5, p 0, ethertype IPv4 (0x0800), (tos 0x0, ttl 64, id 4660, offset 0, flags
		 * [none], proto TCP (6), length 52) 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.],
		 * cksum 0x85df (correct), ack 2000002, win 502, options [nop,nop,TS val 1000 ecr
		 * 2000], length 0 */
		"0000 01fc b348 0000 01fc b370 9100 0005 0800 4500 0034 1234 0000 4006 5223 0a00 "
		"015a 0a00 0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85df 0000 0101 080a 0000 "
		"03e8 0000 07d0",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 vlan=5/1 type=0800 "
		"src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"super packet of 3000 bytes with total length 0", 1, 3014,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 3014: bad-
		 * len 0 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0000 1234 0000 4006 5257 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6 a41d 0000 0101 080a 0000 03e8 0000 "
		"07d0 7878 7878 7878 7878",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 seq=1000001 "
		"ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=2948 cap=8",
	},
	{
		"udp", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 47: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 33)
		 * 10.0.1.90.5353 > 10.0.1.20.53: domain [length 5 < 12] (invalid) */
		"0000 01fc b348 0000 01fc b370 0800 4500 0021 1234 0000 4011 522b 0a00 015a 0a00 "
		"0114 14e9 0035 000d 8460 7175 6572 79",
		"udp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=17 ttl=64 tos=0 ipid=4660 ports=5353,53 sum=right len=5 "
		"cap=5",
	},
	{
		"udp length beyond the datagram", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 47: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 33)
		 * 10.0.1.90.5353 > 10.0.1.20.53: domain [length 5 < 12] (invalid) */
		"0000 01fc b348 0000 01fc b370 0800 4500 0021 1234 0000 4011 522b 0a00 015a 0a00 "
		"0114 14e9 0035 0064 8409 7175 6572 79",
		"udp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=17 ttl=64 tos=0 ipid=4660 ports=5353,53 length=bad len=5 "
		"cap=5",
	},
	{
		"udp options after the datagram", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 47: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 33)
		 * 10.0.1.90.5353 > 10.0.1.20.53: domain [length 2 < 12] (invalid) */
		"0000 01fc b348 0000 01fc b370 0800 4500 0021 1234 0000 4011 522b 0a00 015a 0a00 "
		"0114 14e9 0035 000a 8463 7175 6572 79",
		"udp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=17 ttl=64 tos=0 ipid=4660 ports=5353,53 sum=wrong len=2 "
		"cap=2",
	},
	{
		"first fragment of udp", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 66: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [+], proto UDP (17), length 52)
		 * 10.0.1.90.5353 > 10.0.1.20.53: 29041 zoneInit+% [b2&3=0x7171] [29041a] [29041q]
		 * [29041n] [29041au] [|domain] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0034 1234 2000 4011 3218 0a00 015a 0a00 "
		"0114 14e9 0035 0bb8 7739 7171 7171 7171 7171 7171 7171 7171 7171 7171 7171 7171 "
		"7171",
		"udp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=17 ttl=64 tos=0 ipid=4660 frag=0+ ports=5353,53 len=24 "
		"cap=24",
	},
	{
		"later fragment", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 58: (tos
		 * 0x0, ttl 64, id 4660, offset 32, flags [none], proto UDP (17), length 44)
		 * 10.0.1.90 > 10.0.1.20: ip-proto-17 */
		"0000 01fc b348 0000 01fc b370 0800 4500 002c 1234 0004 4011 521c 0a00 015a 0a00 "
		"0114 7171 7171 7171 7171 7171 7171 7171 7171 7171 7171 7171 7171",
		"fragment to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=17 ttl=64 tos=0 ipid=4660 frag=32 len=24 cap=24",
	},
	{
		"first fragment without a whole tcp header", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 50: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [+], proto TCP (6), length 36)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: [|tcp] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0024 1234 2000 4006 3233 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6",
		"fragment to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 frag=0+ len=16 cap=16",
	},
	{
		"icmp echo", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 46: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto ICMP (1), length 32) 10.0.1.90
		 * > 10.0.1.20: ICMP echo request, id 77, seq 3, length 12 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0020 1234 0000 4001 523c 0a00 015a 0a00 "
		"0114 0800 18df 004d 0003 7069 6e67",
		"icmp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=1 ttl=64 tos=0 ipid=4660 icmp=8/0 rest=004d0003 ident=77 "
		"len=4 cap=4",
	},
	{
		"icmp port unreachable, tcp quoted", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 70: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto ICMP (1), length 56) 10.0.1.90
		 * > 10.0.1.20: ICMP 10.0.1.90 tcp port 27017 unreachable, length 36 (tos 0x0, ttl 3,
		 * id 99, offset 0, flags [none], proto TCP (6), length 1500) 10.0.1.20.40000 >
		 * 10.0.1.90.27017: [|tcp] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0038 1234 0000 4001 5224 0a00 015a 0a00 "
		"0114 0303 b4e2 0000 0000 4500 05dc 0063 0000 0306 9b4c 0a00 0114 0a00 015a 9c40 "
		"6989 000f 4241",
		"icmp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=1 ttl=64 tos=0 ipid=4660 icmp=3/3 rest=00000000 "
		"qsrc=10.0.1.20 qdst=10.0.1.90 qproto=6 qttl=3 qports=40000,27017 qseq=1000001 "
		"qid=99 qlen=1500 len=28 cap=28",
	},
	{
		"icmp fragmentation needed, udp quoted", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 70: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto ICMP (1), length 56) 10.0.1.90
		 * > 10.0.1.20: ICMP 10.0.1.90 unreachable - need to frag (mtu 1400), length 36 (tos
		 * 0x0, ttl 64, id 99, offset 0, flags [none], proto UDP (17), length 28) 10.0.1.20.1
		 * > 10.0.1.90.2: UDP, length 0 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0038 1234 0000 4001 5224 0a00 015a 0a00 "
		"0114 0304 0e0b 0000 0578 4500 001c 0063 0000 4011 6401 0a00 0114 0a00 015a 0001 "
		"0002 0008 e96d",
		"icmp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=1 ttl=64 tos=0 ipid=4660 icmp=3/4 rest=00000578 "
		"qsrc=10.0.1.20 qdst=10.0.1.90 qproto=17 qttl=64 qports=1,2 qseq=0 qid=99 "
		"qlen=28 len=28 cap=28",
	},
	{
		"icmp time exceeded, echo quoted", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 70: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto ICMP (1), length 56) 10.0.1.90
		 * > 10.0.1.20: ICMP time exceeded in-transit, length 36 (tos 0x0, ttl 1, id 99,
		 * offset 0, flags [none], proto ICMP (1), length 28) 10.0.1.20 > 10.0.1.90: ICMP
		 * echo request, id 5, seq 0, length 8 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0038 1234 0000 4001 5224 0a00 015a 0a00 "
		"0114 0b00 f4ff 0000 0000 4500 001c 0063 0000 0101 a311 0a00 0114 0a00 015a 0800 "
		"f7fa 0005 0000",
		"icmp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=1 ttl=64 tos=0 ipid=4660 icmp=11/0 rest=00000000 "
		"qsrc=10.0.1.20 qdst=10.0.1.90 qproto=1 qttl=1 qports=5,5 qseq=0 qid=99 qlen=28 "
		"len=28 cap=28",
	},
	{
		"icmp quoting a later fragment", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 70: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto ICMP (1), length 56) 10.0.1.90
		 * > 10.0.1.20: ICMP ip reassembly time exceeded, length 36 (tos 0x0, ttl 64, id 99,
		 * offset 80, flags [none], proto TCP (6), length 28) 10.0.1.20 > 10.0.1.90: ip-
		 * proto-6 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0038 1234 0000 4001 5224 0a00 015a 0a00 "
		"0114 0b01 242a 0000 0000 4500 001c 0063 000a 4006 6402 0a00 0114 0a00 015a 3132 "
		"3334 3536 3738",
		"icmp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=1 ttl=64 tos=0 ipid=4660 icmp=11/1 rest=00000000 "
		"qsrc=10.0.1.20 qdst=10.0.1.90 qproto=6 qttl=64 qports=0,0 qseq=0 qid=99 "
		"qlen=28 len=28 cap=28",
	},
	{
		"esp", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 46: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto ESP (50), length 32) 10.0.1.90
		 * > 10.0.1.20: ESP(spi=0x31323334,seq=0x35363738), length 12 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0020 1234 0000 4032 520b 0a00 015a 0a00 "
		"0114 3132 3334 3536 3738 6162 6364",
		"ip_other to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=50 ttl=64 tos=0 ipid=4660 len=12 cap=12",
	},
	{
		"arp request", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype ARP (0x0806), length 42: Ethernet
		 * (len 6), IPv4 (len 4), Request who-has 10.0.1.20 tell 10.0.1.90, length 28 */
		"0000 01fc b348 0000 01fc b370 0806 0001 0800 0604 0001 0000 01fc b370 0a00 015a "
		"0000 0000 0000 0a00 0114",
		"arp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0806 message=28/28",
	},
	{
		"lldp", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype LLDP (0x88cc), length 17: LLDP,
		 * length 3 Chassis ID TLV (1), length 7 [|lldp] */
		"0000 01fc b348 0000 01fc b370 88cc 0207 04",
		"other_ethertype to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=88cc",
	},
	{
		"stp with an 802.3 length", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, 802.3, length 38: LLC, dsap STP (0x42)
		 * Individual, ssap STP (0x42) Command, ctrl 0x03: STP 802.1d, Config, Flags [none],
		 * bridge-id 0000.00:00:00:00:00:00.0000, length 35 message-age 0.00s, max-age 0.00s,
		 * hello-time 0.00s, forwarding-delay 0.00s root-id 0000.00:00:00:00:00:00, root-
		 * pathcost 0 */
		"0000 01fc b348 0000 01fc b370 0026 4242 0300 0000 0000 0000 0000 0000 0000 0000 "
		"0000 0000 0000 0000 0000 0000 0000 0000 0000 0000",
		"other_ethertype to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70",
	},
	{
		"vrrp v2", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 54: (tos
		 * 0x0, ttl 255, id 1, offset 0, flags [none], proto VRRP (112), length 40)
		 * 192.168.0.2 > 224.0.0.18: VRRPv2, Advertisement, vrid 1, prio 100, authtype none,
		 * intvl 1s, length 20, addrs: 192.168.0.1 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0028 0001 0000 ff70 1aa8 c0a8 0002 e000 "
		"0012 2101 6401 0001 ba52 c0a8 0001 0000 0000 0000 0000",
		"vrrp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=192.168.0.2 "
		"dst=224.0.0.18 proto=112 ttl=255 tos=0 ipid=1 len=20 cap=20 message=20/20",
	},
	{
		"vrrp behind an authentication header", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 78: (tos
		 * 0x0, ttl 255, id 1, offset 0, flags [none], proto AH (51), length 64) 192.168.0.2
		 * > 224.0.0.18:
		 * AH(length=4(24-bytes),spi=0x00000001,seq=0x1,icv=0x000000000000000000000000):
		 * VRRPv2, Advertisement, vrid 1, prio 100, authtype ah, intvl 1s, length 20, (bad
		 * vrrp cksum b851), addrs: 192.168.0.1 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0040 0001 0000 ff33 1acd c0a8 0002 e000 "
		"0012 7004 0000 0000 0001 0000 0001 0000 0000 0000 0000 0000 0000 2101 6401 0201 "
		"b851 c0a8 0001 0000 0000 0000 0000",
		"vrrp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=192.168.0.2 "
		"dst=224.0.0.18 proto=112 ttl=255 tos=0 ipid=1 len=20 cap=20 message=20/20",
	},
	{
		"carp", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 70: (tos
		 * 0x0, ttl 255, id 1, offset 0, flags [none], proto VRRP (112), length 56)
		 * 192.168.0.2 > 224.0.0.18: VRRPv2, Advertisement, vrid 1, prio 0, authtype none,
		 * intvl 1s, length 36, (bad vrrp cksum 0), addrs(7): 17.17.17.17,17.17.17.17,17.17.1
		 * 7.17,17.17.17.17,17.17.17.17,17.17.17.17,17.17.17.17 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0038 0001 0000 ff70 1a98 c0a8 0002 e000 "
		"0012 2101 0007 0001 0000 1111 1111 1111 1111 1111 1111 1111 1111 1111 1111 1111 "
		"1111 1111 1111",
		"carp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=192.168.0.2 "
		"dst=224.0.0.18 proto=112 ttl=255 tos=0 ipid=1 len=36 cap=36 message=36/36",
	},
	{
		"tcp over IPv6", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 91: (class
		 * 0xb8, flowlabel 0xabcde, hlim 61, next-header TCP (6) payload length: 37)
		 * 2001:db8::90.40000 > 2001:db8::20.27017: Flags [P.], cksum 0xfc53 (correct), seq
		 * 1000001:1000006, ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000],
		 * length 5 */
		"0000 01fc b348 0000 01fc b370 86dd 6b8a bcde 0025 063d 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 9c40 6989 000f 4241 001e "
		"8482 8018 01f6 fc53 0000 0101 080a 0000 03e8 0000 07d0 6865 6c6c 6f",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=6 ttl=61 tos=184 ipid=0 label=703710 "
		"ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 "
		"tsecr=2000 sum=right len=5 cap=5",
	},
	{
		"IPv6 extension headers", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 126:
		 * (flowlabel 0xabcde, hlim 64, next-header Options (0) payload length: 72)
		 * 2001:db8::90 > 2001:db8::20: HBH (padn) DSTOPT (padn) RT6 (len=2, type=0
		 * [Deprecated], segleft=1, rsv=0x0, [0]2001:db8::5) 40000 > 27017: Flags [P.], cksum
		 * 0x4046 (correct), ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000],
		 * length 0 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0048 0040 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 3c00 0104 0000 0000 2b00 "
		"0104 0000 0000 0602 0001 0000 0000 2001 0db8 0000 0000 0000 0000 0000 0005 9c40 "
		"6989 000f 4241 001e 8482 8018 01f6 4046 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=6 ttl=64 tos=0 ipid=0 label=703710 ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"IPv6 first fragment", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 94:
		 * (flowlabel 0xabcde, hlim 64, next-header Fragment (44) payload length: 40)
		 * 2001:db8::90 > 2001:db8::20: frag (0xdeadbeef:0|32) 9 > 10: UDP, length 2992 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0028 2c40 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 1100 0001 dead beef 0009 "
		"000a 0bb8 da23 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a",
		"udp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=17 ttl=64 tos=0 ipid=3735928559 label=703710 frag=0+ "
		"ports=9,10 len=24 cap=24",
	},
	{
		"IPv6 later fragment", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 86:
		 * (flowlabel 0xabcde, hlim 64, next-header Fragment (44) payload length: 32)
		 * 2001:db8::90 > 2001:db8::20: frag (0xdeadbeef:32|24) */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0020 2c40 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 1100 0020 dead beef 7a7a "
		"7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a 7a7a",
		"fragment to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd "
		"src=2001:db8::90 dst=2001:db8::20 proto=17 ttl=64 tos=0 ipid=3735928559 "
		"label=703710 frag=32 len=24 cap=24",
	},
	{
		"IPv6 atomic fragment", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 94:
		 * (flowlabel 0xabcde, hlim 64, next-header Fragment (44) payload length: 40)
		 * 2001:db8::90 > 2001:db8::20: frag (0x00000005:0|32) 40000 > 27017: Flags [P.], ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0028 2c40 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 0600 0000 0000 0005 9c40 "
		"6989 000f 4241 001e 8482 8018 01f6 402b 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=6 ttl=64 tos=0 ipid=5 label=703710 ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"IPv6 authentication header", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 110:
		 * (flowlabel 0xabcde, hlim 64, next-header AH (51) payload length: 56) 2001:db8::90
		 * > 2001:db8::20:
		 * AH(length=4(24-bytes),spi=0x00000000,seq=0x0,icv=0x000000000000000000000000):
		 * 40000 > 27017: Flags [P.], cksum 0x0000 (incorrect -> 0x402b), ack 2000002, win
		 * 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0038 3340 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 0604 0000 0000 0000 0000 "
		"0000 0000 0000 0000 0000 0000 0000 9c40 6989 000f 4241 001e 8482 8018 01f6 0000 "
		"0000 0101 080a 0000 03e8 0000 07d0",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=6 ttl=64 tos=0 ipid=0 label=703710 ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"jumbogram of 70000 bytes", 1, 70054,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 70054:
		 * (flowlabel 0xabcde, hlim 64, next-header Options (0) payload length: 0)
		 * 2001:db8::90 > 2001:db8::20: HBH (jumbo: 70000) 40000 > 27017: Flags [P.], seq
		 * 1000001:1069961, ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000],
		 * length 69960 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0000 0040 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 0600 c204 0001 1170 9c40 "
		"6989 000f 4241 001e 8482 8018 01f6 0000 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=6 ttl=64 tos=0 ipid=0 label=703710 ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=69960 cap=0",
	},
	{
		"IPv6 super packet with length 0", 1, 3054,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 3054:
		 * (flowlabel 0xabcde, hlim 64, next-header TCP (6) payload length: 0) 2001:db8::90 >
		 * 2001:db8::20: [|tcp] */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0000 0640 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 9c40 6989 000f 4241 001e "
		"8482 8018 01f6 0000 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=6 ttl=64 tos=0 ipid=0 label=703710 ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=2968 cap=0",
	},
	{
		"IPv6 no next header, padded", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 60:
		 * (flowlabel 0xabcde, hlim 64, next-header unknown (59) payload length: 0)
		 * 2001:db8::90 > 2001:db8::20: no next header */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0000 3b40 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 0000 0000 0000",
		"ip_other to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd "
		"src=2001:db8::90 dst=2001:db8::20 proto=59 ttl=64 tos=0 ipid=0 label=703710 "
		"len=0 cap=0",
	},
	{
		"icmp6 echo", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 66:
		 * (flowlabel 0xabcde, hlim 64, next-header ICMPv6 (58) payload length: 12)
		 * 2001:db8::90 > 2001:db8::20: [icmp6 sum ok] ICMP6, echo request, id 7, seq 1 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 000c 3a40 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 8000 44be 0007 0001 7069 "
		"6e67",
		"icmp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=58 ttl=64 tos=0 ipid=0 label=703710 icmp=128/0 "
		"rest=00070001 ident=7 len=4 cap=4",
	},
	{
		"icmp6 packet too big, tcp quoted", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 134:
		 * (flowlabel 0xabcde, hlim 64, next-header ICMPv6 (58) payload length: 80)
		 * 2001:db8::90 > 2001:db8::20: [icmp6 sum ok] ICMP6, packet too big, mtu 1280 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0050 3a40 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 0200 3099 0000 0500 6000 "
		"0000 05a0 0640 2001 0db8 0000 0000 0000 0000 0000 0020 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 9c40 6989 000f 4241 001e 8482 8018 01f6 402b 0000 0101 080a 0000 "
		"03e8 0000 07d0",
		"icmp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=58 ttl=64 tos=0 ipid=0 label=703710 icmp=2/0 "
		"rest=00000500 qsrc=2001:db8::20 qdst=2001:db8::90 qproto=6 qttl=64 "
		"qports=40000,27017 qseq=1000001 qid=0 qlen=1480 len=72 cap=72",
	},
	{
		"icmp6 unreachable, quoted behind a fragment header", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 118:
		 * (flowlabel 0xabcde, hlim 64, next-header ICMPv6 (58) payload length: 64)
		 * 2001:db8::90 > 2001:db8::20: [icmp6 sum ok] ICMP6, destination unreachable,
		 * unreachable prohibited 2001:db8::90 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0040 3a40 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 0101 0529 0000 0000 6000 "
		"0000 0010 2c40 2001 0db8 0000 0000 0000 0000 0000 0020 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 1100 0001 0000 0001 0003 0004 0008 a3b5",
		"icmp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=58 ttl=64 tos=0 ipid=0 label=703710 icmp=1/1 "
		"rest=00000000 qsrc=2001:db8::20 qdst=2001:db8::90 qproto=17 qttl=64 qports=3,4 "
		"qseq=0 qid=0 qlen=56 len=56 cap=56",
	},
	{
		"neighbour solicitation", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 86: (hlim
		 * 255, next-header ICMPv6 (58) payload length: 32) fe80::1 > ff02::1:ff00:20: [icmp6
		 * sum ok] ICMP6, neighbor solicitation, length 32, who has 2001:db8::20 source link-
		 * address option (1), length 8 (1): 00:00:01:fc:b3:70 */
		"0000 01fc b348 0000 01fc b370 86dd 6000 0000 0020 3aff fe80 0000 0000 0000 0000 "
		"0000 0000 0001 ff02 0000 0000 0000 0000 0001 ff00 0020 8700 97b7 0000 0000 2001 "
		"0db8 0000 0000 0000 0000 0000 0020 0101 0000 01fc b370",
		"nd to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=fe80::1 "
		"dst=ff02::1:ff00:20 proto=58 ttl=255 tos=0 ipid=0 label=0 icmp=135/0 "
		"rest=00000000 len=24 cap=24 message=32/32",
	},
	{
		"neighbour advertisement", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 86: (hlim
		 * 255, next-header ICMPv6 (58) payload length: 32) 2001:db8::20 > fe80::1: [icmp6
		 * sum ok] ICMP6, neighbor advertisement, length 32, tgt is 2001:db8::20, Flags
		 * [solicited, override] destination link-address option (2), length 8 (1):
		 * 00:00:01:fc:b3:70 */
		"0000 01fc b348 0000 01fc b370 86dd 6000 0000 0020 3aff 2001 0db8 0000 0000 0000 "
		"0000 0000 0020 fe80 0000 0000 0000 0000 0000 0000 0001 8800 0603 6000 0000 2001 "
		"0db8 0000 0000 0000 0000 0000 0020 0201 0000 01fc b370",
		"nd to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=2001:db8::20 "
		"dst=fe80::1 proto=58 ttl=255 tos=0 ipid=0 label=0 icmp=136/0 rest=60000000 "
		"len=24 cap=24 message=32/32",
	},
	{
		"arp reply, padded", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype ARP (0x0806), length 60: Ethernet
		 * (len 6), IPv4 (len 4), Reply 10.0.1.90 is-at 00:00:01:fc:b3:70, length 46 */
		"0000 01fc b348 0000 01fc b370 0806 0001 0800 0604 0002 0000 01fc b370 0a00 015a "
		"0000 01fc b348 0a00 0114 0000 0000 0000 0000 0000 0000 0000 0000 0000",
		"arp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0806 message=28/28",
	},
	{
		"gratuitous arp, tagged", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype 802.1Q (0x8100), length 46: vlan
		 * 12, p 0, ethertype ARP (0x0806), Ethernet (len 6), IPv4 (len 4), Request who-has
		 * 10.0.1.90 tell 10.0.1.90, length 28 */
		"0000 01fc b348 0000 01fc b370 8100 000c 0806 0001 0800 0604 0001 0000 01fc b370 "
		"0a00 015a 0000 0000 0000 0a00 015a",
		"arp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 vlan=12/1 type=0806 "
		"message=28/28",
	},
	{
		"vrrp v3 over IPv6", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 78: (hlim
		 * 255, next-header VRRP (112) payload length: 24) fe80::2 > ff02::12: VRRPv3,
		 * Advertisement, vrid 1, prio 100, intvl 10cs, length 24, addrs: fe80::1 */
		"0000 01fc b348 0000 01fc b370 86dd 6000 0000 0018 70ff fe80 0000 0000 0000 0000 "
		"0000 0000 0002 ff02 0000 0000 0000 0000 0000 0000 0012 3101 6401 000a 6e51 fe80 "
		"0000 0000 0000 0000 0000 0000 0001",
		"vrrp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=fe80::2 "
		"dst=ff02::12 proto=112 ttl=255 tos=0 ipid=0 label=0 len=24 cap=24 "
		"message=24/24",
	},
	{
		"vrrp v3 with two addresses", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 50: (tos
		 * 0x0, ttl 255, id 1, offset 0, flags [none], proto VRRP (112), length 36)
		 * 192.168.0.2 > 224.0.0.18: VRRPv3, Advertisement, vrid 1, prio 100, intvl 100cs,
		 * length 16, (bad vrrp cksum e944), addrs(2): 192.168.0.1,192.168.0.2 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0024 0001 0000 ff70 1aac c0a8 0002 e000 "
		"0012 3101 6402 0064 e944 c0a8 0001 c0a8 0002",
		"vrrp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=192.168.0.2 "
		"dst=224.0.0.18 proto=112 ttl=255 tos=0 ipid=1 len=16 cap=16 message=16/16",
	},
	{
		"router advertisement", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 70: (hlim
		 * 255, next-header ICMPv6 (58) payload length: 16) fe80::1 > ff02::1: [icmp6 sum ok]
		 * ICMP6, router advertisement, length 16 hop limit 0, Flags [none], pref high,
		 * router lifetime 1800s, reachable time 0ms, retrans timer 0ms */
		"0000 01fc b348 0000 01fc b370 86dd 6000 0000 0010 3aff fe80 0000 0000 0000 0000 "
		"0000 0000 0001 ff02 0000 0000 0000 0000 0000 0000 0001 8600 751f 0008 0708 0000 "
		"0000 0000 0000",
		"nd to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=fe80::1 "
		"dst=ff02::1 proto=58 ttl=255 tos=0 ipid=0 label=0 icmp=134/0 rest=00080708 "
		"len=8 cap=8 message=16/16",
	},
	{
		"multicast listener report is icmp", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 90: (hlim
		 * 1, next-header Options (0) payload length: 36) fe80::1 > ff02::16: HBH (rtalert:
		 * 0x0000) (padn) [icmp6 sum ok] ICMP6, multicast listener report v2, 1 group
		 * record(s) [gaddr ff02::fb to_ex, 0 source(s)] */
		"0000 01fc b348 0000 01fc b370 86dd 6000 0000 0024 0001 fe80 0000 0000 0000 0000 "
		"0000 0000 0001 ff02 0000 0000 0000 0000 0000 0000 0016 3a00 0502 0000 0100 8f00 "
		"6f0f 0000 0001 0400 0000 ff02 0000 0000 0000 0000 0000 0000 00fb",
		"icmp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd src=fe80::1 "
		"dst=ff02::16 proto=58 ttl=1 tos=0 ipid=0 label=0 icmp=143/0 rest=00000001 "
		"len=20 cap=20",
	},
	{
		"vxlan", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 119: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 105)
		 * 10.0.1.90.50000 > 10.0.1.20.4789: VXLAN, flags [I] (0x08), vni 42
		 * 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 69: (tos
		 * 0x0, ttl 63, id 7, offset 0, flags [none], proto TCP (6), length 55)
		 * 192.168.1.1.1234 > 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct), seq 5:8, ack
		 * 6, win 9, options [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 0069 1234 0000 4011 51e3 0a00 015a 0a00 "
		"0114 c350 12b5 0055 0000 0800 0000 0000 2a00 0200 0000 0002 0200 0000 0001 0800 "
		"4500 0037 0007 0000 3f06 f866 c0a8 0101 c0a8 0102 04d2 0050 0000 0005 0000 0006 "
		"8010 0009 1e16 0000 0101 080a 0000 03e8 0000 07d0 6162 63",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=vxlan/1 "
		"id=42 osrc=10.0.1.90 odst=10.0.1.20 src=192.168.1.1 dst=192.168.1.2 proto=6 "
		"ttl=63 tos=0 ipid=7 ports=1234,80 seq=5 ack=6 flags=10 win=9 tsval=1000 "
		"tsecr=2000 sum=right len=3 cap=3",
	},
	{
		"vxlan on the old port, tagged inside", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 123: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 109)
		 * 10.0.1.90.50000 > 10.0.1.20.8472: OTV, flags [I] (0x08), overlay 0, instance 43
		 * 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 73: vlan
		 * 9, p 0, ethertype IPv4 (0x0800), (tos 0x0, ttl 63, id 7, offset 0, flags [none],
		 * proto TCP (6), length 55) 192.168.1.1.1234 > 192.168.1.2.80: Flags [.], cksum
		 * 0x1e16 (correct), seq 5:8, ack 6, win 9, options [nop,nop,TS val 1000 ecr 2000],
		 * length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 006d 1234 0000 4011 51df 0a00 015a 0a00 "
		"0114 c350 2118 0059 0000 0800 0000 0000 2b00 0200 0000 0002 0200 0000 0001 8100 "
		"0009 0800 4500 0037 0007 0000 3f06 f866 c0a8 0101 c0a8 0102 04d2 0050 0000 0005 "
		"0000 0006 8010 0009 1e16 0000 0101 080a 0000 03e8 0000 07d0 6162 63",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=vxlan/1 "
		"id=43 osrc=10.0.1.90 odst=10.0.1.20 src=192.168.1.1 dst=192.168.1.2 proto=6 "
		"ttl=63 tos=0 ipid=7 ports=1234,80 seq=5 ack=6 flags=10 win=9 tsval=1000 "
		"tsecr=2000 sum=right len=3 cap=3",
	},
	{
		"vxlan over IPv6 with an arp request", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 112:
		 * (flowlabel 0xabcde, hlim 64, next-header UDP (17) payload length: 58)
		 * 2001:db8::90.50000 > 2001:db8::20.4789: [udp sum ok] VXLAN, flags [I] (0x08), vni
		 * 42 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42:
		 * Ethernet (len 6), IPv4 (len 4), Request who-has 192.168.1.2 tell 192.168.1.1,
		 * length 28 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 003a 1140 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 c350 12b5 003a fdef 0800 "
		"0000 0000 2a00 ffff ffff ffff 0200 0000 0001 0806 0001 0800 0604 0001 0200 0000 "
		"0001 c0a8 0101 0000 0000 0000 c0a8 0102",
		"arp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd tunnel=vxlan/1 id=42 "
		"osrc=2001:db8::90 odst=2001:db8::20 message=28/28",
	},
	{
		"vxlan with an inner frame of another type", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 67: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 53)
		 * 10.0.1.90.50000 > 10.0.1.20.4789: VXLAN, flags [I] (0x08), vni 42
		 * 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype LLDP (0x88cc), length 17: LLDP,
		 * length 3 Chassis ID TLV (1), length 7 [|lldp] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0035 1234 0000 4011 5217 0a00 015a 0a00 "
		"0114 c350 12b5 0021 0000 0800 0000 0000 2a00 0200 0000 0002 0200 0000 0001 88cc "
		"0207 04",
		"udp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=17 ttl=64 tos=0 ipid=4660 ports=50000,4789 len=25 cap=25",
	},
	{
		"vxlan port without the VNI flag", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 119: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 105)
		 * 10.0.1.90.50000 > 10.0.1.20.4789: VXLAN, flags [invalid] (0x00), vni 0
		 * 02:fc:00:00:00:01 > 02:fc:00:00:00:05, ethertype IPv4 (0x0800), length 69: (tos
		 * 0x0, ttl 63, id 7, offset 0, flags [none], proto TCP (6), length 55)
		 * 192.168.1.1.1234 > 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct), seq 5:8, ack
		 * 6, win 9, options [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 0069 1234 0000 4011 51e3 0a00 015a 0a00 "
		"0114 c350 12b5 0055 8850 0000 0000 0000 0000 02fc 0000 0005 02fc 0000 0001 0800 "
		"4500 0037 0007 0000 3f06 f866 c0a8 0101 c0a8 0102 04d2 0050 0000 0005 0000 0006 "
		"8010 0009 1e16 0000 0101 080a 0000 03e8 0000 07d0 6162 63",
		"udp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=17 ttl=64 tos=0 ipid=4660 ports=50000,4789 sum=right "
		"len=77 cap=77",
	},
	{
		"vxlan with a broken inner packet", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 87: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 73)
		 * 10.0.1.90.50000 > 10.0.1.20.4789: VXLAN, flags [I] (0x08), vni 42
		 * 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 37:
		 * truncated-ip - 877 bytes missing! (tos 0x0, ttl 64, id 1, offset 0, flags [none],
		 * proto TCP (6), length 900) 192.168.1.1 > 192.168.1.2: [|tcp] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0049 1234 0000 4011 5203 0a00 015a 0a00 "
		"0114 c350 12b5 0035 0000 0800 0000 0000 2a00 0200 0000 0002 0200 0000 0001 0800 "
		"4500 0384 0001 0000 4006 f41f c0a8 0101 c0a8 0102 7878 78",
		"udp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=17 ttl=64 tos=0 ipid=4660 ports=50000,4789 len=45 cap=45",
	},
	{
		"geneve with options", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 127: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 113)
		 * 10.0.1.90.50000 > 10.0.1.20.6081: Geneve, Flags [none], vni 0x2c, proto TEB
		 * (0x6558), options [class Open Virtual Networking (OVN) (0x102) type 0x80(C) len 8]
		 * 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 69: (tos
		 * 0x0, ttl 63, id 7, offset 0, flags [none], proto TCP (6), length 55)
		 * 192.168.1.1.1234 > 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct), seq 5:8, ack
		 * 6, win 9, options [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 0071 1234 0000 4011 51db 0a00 015a 0a00 "
		"0114 c350 17c1 005d 0000 0200 6558 0000 2c00 0102 8001 0000 0000 0200 0000 0002 "
		"0200 0000 0001 0800 4500 0037 0007 0000 3f06 f866 c0a8 0101 c0a8 0102 04d2 0050 "
		"0000 0005 0000 0006 8010 0009 1e16 0000 0101 080a 0000 03e8 0000 07d0 6162 63",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=geneve/1 "
		"id=44 osrc=10.0.1.90 odst=10.0.1.20 src=192.168.1.1 dst=192.168.1.2 proto=6 "
		"ttl=63 tos=0 ipid=7 ports=1234,80 seq=5 ack=6 flags=10 win=9 tsval=1000 "
		"tsecr=2000 sum=right len=3 cap=3",
	},
	{
		"geneve with IP inside", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 105: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 91)
		 * 10.0.1.90.50000 > 10.0.1.20.6081: Geneve, Flags [none], vni 0x2d, proto IPv4
		 * (0x0800) (tos 0x0, ttl 63, id 7, offset 0, flags [none], proto TCP (6), length 55)
		 * 192.168.1.1.1234 > 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct), seq 5:8, ack
		 * 6, win 9, options [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 005b 1234 0000 4011 51f1 0a00 015a 0a00 "
		"0114 c350 17c1 0047 0000 0000 0800 0000 2d00 4500 0037 0007 0000 3f06 f866 c0a8 "
		"0101 c0a8 0102 04d2 0050 0000 0005 0000 0006 8010 0009 1e16 0000 0101 080a 0000 "
		"03e8 0000 07d0 6162 63",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=geneve/1 "
		"id=45 osrc=10.0.1.90 odst=10.0.1.20 src=192.168.1.1 dst=192.168.1.2 proto=6 "
		"ttl=63 tos=0 ipid=7 ports=1234,80 seq=5 ack=6 flags=10 win=9 tsval=1000 "
		"tsecr=2000 sum=right len=3 cap=3",
	},
	{
		"gre", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 93: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto GRE (47), length 79) 10.0.1.90
		 * > 10.0.1.20: GREv0, Flags [none], proto IPv4 (0x0800), length 59 (tos 0x0, ttl 63,
		 * id 7, offset 0, flags [none], proto TCP (6), length 55) 192.168.1.1.1234 >
		 * 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct), seq 5:8, ack 6, win 9, options
		 * [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 004f 1234 0000 402f 51df 0a00 015a 0a00 "
		"0114 0000 0800 4500 0037 0007 0000 3f06 f866 c0a8 0101 c0a8 0102 04d2 0050 0000 "
		"0005 0000 0006 8010 0009 1e16 0000 0101 080a 0000 03e8 0000 07d0 6162 63",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=gre/1 id=0 "
		"osrc=10.0.1.90 odst=10.0.1.20 src=192.168.1.1 dst=192.168.1.2 proto=6 "
		"ttl=63 tos=0 ipid=7 ports=1234,80 seq=5 ack=6 flags=10 win=9 tsval=1000 "
		"tsecr=2000 sum=right len=3 cap=3",
	},
	{
		"gre with checksum, key and sequence", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 105: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto GRE (47), length 91) 10.0.1.90
		 * > 10.0.1.20: GREv0, Flags [checksum present, key present, sequence# present], sum
		 * 0x870d, off 0x0, key=0x11223344, seq 9, proto IPv4 (0x0800), length 71 (tos 0x0,
		 * ttl 63, id 7, offset 0, flags [none], proto TCP (6), length 55) 192.168.1.1.1234 >
		 * 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct), seq 5:8, ack 6, win 9, options
		 * [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 005b 1234 0000 402f 51d3 0a00 015a 0a00 "
		"0114 b000 0800 870d 0000 1122 3344 0000 0009 4500 0037 0007 0000 3f06 f866 c0a8 "
		"0101 c0a8 0102 04d2 0050 0000 0005 0000 0006 8010 0009 1e16 0000 0101 080a 0000 "
		"03e8 0000 07d0 6162 63",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=gre/1 "
		"id=287454020 osrc=10.0.1.90 odst=10.0.1.20 src=192.168.1.1 dst=192.168.1.2 "
		"proto=6 ttl=63 tos=0 ipid=7 ports=1234,80 seq=5 ack=6 flags=10 win=9 "
		"tsval=1000 tsecr=2000 sum=right len=3 cap=3",
	},
	{
		"nvgre", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 111: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto GRE (47), length 97) 10.0.1.90
		 * > 10.0.1.20: GREv0, Flags [key present], key=0x112201, proto TEB (0x6558), length
		 * 77 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 69: (tos
		 * 0x0, ttl 63, id 7, offset 0, flags [none], proto TCP (6), length 55)
		 * 192.168.1.1.1234 > 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct), seq 5:8, ack
		 * 6, win 9, options [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 0061 1234 0000 402f 51cd 0a00 015a 0a00 "
		"0114 2000 6558 0011 2201 0200 0000 0002 0200 0000 0001 0800 4500 0037 0007 0000 "
		"3f06 f866 c0a8 0101 c0a8 0102 04d2 0050 0000 0005 0000 0006 8010 0009 1e16 0000 "
		"0101 080a 0000 03e8 0000 07d0 6162 63",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=gre/1 "
		"id=1122817 osrc=10.0.1.90 odst=10.0.1.20 src=192.168.1.1 dst=192.168.1.2 "
		"proto=6 ttl=63 tos=0 ipid=7 ports=1234,80 seq=5 ack=6 flags=10 win=9 "
		"tsval=1000 tsecr=2000 sum=right len=3 cap=3",
	},
	{
		"gre of version 1", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 42: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto GRE (47), length 28) 10.0.1.90
		 * > 10.0.1.20: GREv1, Flags [none], no-payload, proto PPP (0x880b), length 8 */
		"0000 01fc b348 0000 01fc b370 0800 4500 001c 1234 0000 402f 5212 0a00 015a 0a00 "
		"0114 0001 880b 6162 6364",
		"ip_other to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=47 ttl=64 tos=0 ipid=4660 len=8 cap=8",
	},
	{
		"gre with an inner packet that is not decoded", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 46: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto GRE (47), length 32) 10.0.1.90
		 * > 10.0.1.20: GREv0, Flags [none], proto MPLS unicast (0x8847), length 12 MPLS
		 * (label 398886, tc 1, [S], ttl 100) [|ip6] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0020 1234 0000 402f 520e 0a00 015a 0a00 "
		"0114 0000 8847 6162 6364 6566 6768",
		"ip_other to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=47 ttl=64 tos=0 ipid=4660 len=12 cap=12",
	},
	{
		"ip in ip", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 89: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto IPIP (4), length 75) 10.0.1.90
		 * > 10.0.1.20: (tos 0x0, ttl 63, id 7, offset 0, flags [none], proto TCP (6), length
		 * 55) 192.168.1.1.1234 > 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct), seq 5:8,
		 * ack 6, win 9, options [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 004b 1234 0000 4004 520e 0a00 015a 0a00 "
		"0114 4500 0037 0007 0000 3f06 f866 c0a8 0101 c0a8 0102 04d2 0050 0000 0005 0000 "
		"0006 8010 0009 1e16 0000 0101 080a 0000 03e8 0000 07d0 6162 63",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=ipip/1 "
		"id=0 osrc=10.0.1.90 odst=10.0.1.20 src=192.168.1.1 dst=192.168.1.2 proto=6 "
		"ttl=63 tos=0 ipid=7 ports=1234,80 seq=5 ack=6 flags=10 win=9 tsval=1000 "
		"tsecr=2000 sum=right len=3 cap=3",
	},
	{
		"IPv6 in IPv4", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 106: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto IPv6 (41), length 92)
		 * 10.0.1.90 > 10.0.1.20: (flowlabel 0xabcde, hlim 64, next-header TCP (6) payload
		 * length: 32) 2001:db8::90.40000 > 2001:db8::20.27017: Flags [P.], cksum 0x402b
		 * (correct), ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0000 01fc b348 0000 01fc b370 0800 4500 005c 1234 0000 4029 51d8 0a00 015a 0a00 "
		"0114 600a bcde 0020 0640 2001 0db8 0000 0000 0000 0000 0000 0090 2001 0db8 0000 "
		"0000 0000 0000 0000 0020 9c40 6989 000f 4241 001e 8482 8018 01f6 402b 0000 0101 "
		"080a 0000 03e8 0000 07d0",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=ipip/1 id=0 "
		"osrc=10.0.1.90 odst=10.0.1.20 src=2001:db8::90 dst=2001:db8::20 proto=6 ttl=64 "
		"tos=0 ipid=0 label=703710 ports=40000,27017 seq=1000001 ack=2000002 flags=18 "
		"win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"IPv4 in IPv6", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 109:
		 * (flowlabel 0xabcde, hlim 64, next-header IPIP (4) payload length: 55) 2001:db8::90
		 * > 2001:db8::20: (tos 0x0, ttl 63, id 7, offset 0, flags [none], proto TCP (6),
		 * length 55) 192.168.1.1.1234 > 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct),
		 * seq 5:8, ack 6, win 9, options [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0037 0440 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 4500 0037 0007 0000 3f06 "
		"f866 c0a8 0101 c0a8 0102 04d2 0050 0000 0005 0000 0006 8010 0009 1e16 0000 0101 "
		"080a 0000 03e8 0000 07d0 6162 63",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd tunnel=ipip/1 "
		"id=0 osrc=2001:db8::90 odst=2001:db8::20 src=192.168.1.1 dst=192.168.1.2 "
		"proto=6 ttl=63 tos=0 ipid=7 ports=1234,80 seq=5 ack=6 flags=10 win=9 "
		"tsval=1000 tsecr=2000 sum=right len=3 cap=3",
	},
	{
		"IPv6 in IPv6", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 126:
		 * (flowlabel 0xabcde, hlim 64, next-header IPv6 (41) payload length: 72)
		 * 2001:db8::90 > 2001:db8::20: (hlim 64, next-header TCP (6) payload length: 32)
		 * 2001:db8:1::1.40000 > 2001:db8:1::2.27017: Flags [P.], cksum 0x40d6 (correct), ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0048 2940 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 6000 0000 0020 0640 2001 "
		"0db8 0001 0000 0000 0000 0000 0001 2001 0db8 0001 0000 0000 0000 0000 0002 9c40 "
		"6989 000f 4241 001e 8482 8018 01f6 40d6 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd tunnel=ipip/1 id=0 "
		"osrc=2001:db8::90 odst=2001:db8::20 src=2001:db8:1::1 dst=2001:db8:1::2 "
		"proto=6 ttl=64 tos=0 ipid=0 label=0 ports=40000,27017 seq=1000001 ack=2000002 "
		"flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"gre in vxlan", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 143: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto UDP (17), length 129)
		 * 10.0.1.90.50000 > 10.0.1.20.4789: VXLAN, flags [I] (0x08), vni 42
		 * 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 93: (tos
		 * 0x0, ttl 64, id 3, offset 0, flags [none], proto GRE (47), length 79) 172.16.0.1 >
		 * 172.16.0.2: GREv0, Flags [none], proto IPv4 (0x0800), length 59 (tos 0x0, ttl 63,
		 * id 7, offset 0, flags [none], proto TCP (6), length 55) 192.168.1.1.1234 >
		 * 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct), seq 5:8, ack 6, win 9, options
		 * [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 0081 1234 0000 4011 51cb 0a00 015a 0a00 "
		"0114 c350 12b5 006d 0000 0800 0000 0000 2a00 0200 0000 0002 0200 0000 0001 0800 "
		"4500 004f 0003 0000 402f 225a ac10 0001 ac10 0002 0000 0800 4500 0037 0007 0000 "
		"3f06 f866 c0a8 0101 c0a8 0102 04d2 0050 0000 0005 0000 0006 8010 0009 1e16 0000 "
		"0101 080a 0000 03e8 0000 07d0 6162 63",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=vxlan/2 "
		"id=42 osrc=10.0.1.90 odst=10.0.1.20 src=192.168.1.1 dst=192.168.1.2 proto=6 "
		"ttl=63 tos=0 ipid=7 ports=1234,80 seq=5 ack=6 flags=10 win=9 tsval=1000 "
		"tsecr=2000 sum=right len=3 cap=3",
	},
	{
		"five levels of IP in IP: the fifth stays closed", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 169: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto IPIP (4), length 155)
		 * 10.0.1.90 > 10.0.1.20: (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto IPIP
		 * (4), length 135) 1.0.0.1 > 1.0.0.2: (tos 0x0, ttl 64, id 2, offset 0, flags
		 * [none], proto IPIP (4), length 115) 2.0.0.1 > 2.0.0.2: (tos 0x0, ttl 64, id 3,
		 * offset 0, flags [none], proto IPIP (4), length 95) 3.0.0.1 > 3.0.0.2: (tos 0x0,
		 * ttl 64, id 4, offset 0, flags [none], proto IPIP (4), length 75) 4.0.0.1 >
		 * 4.0.0.2: (tos 0x0, ttl 63, id 7, offset 0, flags [none], proto TCP (6), length 55)
		 * 192.168.1.1.1234 > 192.168.1.2.80: Flags [.], cksum 0x1e16 (correct), seq 5:8, ack
		 * 6, win 9, options [nop,nop,TS val 1000 ecr 2000], length 3: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 009b 1234 0000 4004 51be 0a00 015a 0a00 "
		"0114 4500 0087 0001 0000 4004 7870 0100 0001 0100 0002 4500 0073 0002 0000 4004 "
		"7683 0200 0001 0200 0002 4500 005f 0003 0000 4004 7496 0300 0001 0300 0002 4500 "
		"004b 0004 0000 4004 72a9 0400 0001 0400 0002 4500 0037 0007 0000 3f06 f866 c0a8 "
		"0101 c0a8 0102 04d2 0050 0000 0005 0000 0006 8010 0009 1e16 0000 0101 080a 0000 "
		"03e8 0000 07d0 6162 63",
		"ip_other to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=ipip/4 "
		"id=0 osrc=10.0.1.90 odst=10.0.1.20 src=4.0.0.1 dst=4.0.0.2 proto=4 ttl=64 "
		"tos=0 ipid=4 len=55 cap=55",
	},
	{
		"ip in ip, first fragment outside", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 90: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [+], proto IPIP (4), length 76) 10.0.1.90 >
		 * 10.0.1.20: truncated-ip - 944 bytes missing! (tos 0x0, ttl 64, id 7, offset 0,
		 * flags [none], proto TCP (6), length 1000) 192.168.1.1.1234 > 192.168.1.2.80: Flags
		 * [.], seq 5:953, ack 6, win 8192, options [nop,nop,TS val 1000 ecr 2000], length
		 * 948: HTTP */
		"0000 01fc b348 0000 01fc b370 0800 4500 004c 1234 2000 4004 320d 0a00 015a 0a00 "
		"0114 4500 03e8 0007 0000 4006 f3b5 c0a8 0101 c0a8 0102 04d2 0050 0000 0005 0000 "
		"0006 8010 2000 fa09 0000 0101 080a 0000 03e8 0000 07d0 6162 6364",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 tunnel=ipip/1 id=0 "
		"osrc=10.0.1.90 odst=10.0.1.20 src=192.168.1.1 dst=192.168.1.2 proto=6 ttl=64 "
		"tos=0 ipid=7 frag=0 ports=1234,80 seq=5 ack=6 flags=10 win=8192 tsval=1000 "
		"tsecr=2000 len=948 cap=4",
	},
	{
		"SLL, outgoing", 113, 0,
		/* Out 00:00:01:fc:b3:70 ethertype IPv4 (0x0800), length 68: (tos 0x0, ttl 64, id
		 * 4660, offset 0, flags [none], proto TCP (6), length 52) 10.0.1.90.40000 >
		 * 10.0.1.20.27017: Flags [P.], cksum 0x85df (correct), ack 2000002, win 502, options
		 * [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0004 0001 0006 0000 01fc b370 0000 0800 4500 0034 1234 0000 4006 5223 0a00 015a "
		"0a00 0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85df 0000 0101 080a 0000 03e8 "
		"0000 07d0",
		"tcp from=00:00:01:fc:b3:70 dir=out type=0800 src=10.0.1.90 dst=10.0.1.20 "
		"proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 seq=1000001 ack=2000002 "
		"flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"SLL, to another host, tagged", 113, 0,
		/* P 00:00:01:fc:b3:70 ethertype 802.1Q (0x8100), length 72: vlan 5, p 0, ethertype
		 * IPv4, (tos 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 52)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x85df (correct), ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0003 0001 0006 0000 01fc b370 0000 8100 0005 0800 4500 0034 1234 0000 4006 5223 "
		"0a00 015a 0a00 0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85df 0000 0101 080a "
		"0000 03e8 0000 07d0",
		"tcp from=00:00:01:fc:b3:70 dir=in other_host vlan=5/1 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 seq=1000001 "
		"ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"SLL, loopback", 113, 0,
		/* In 00:00:00:00:00:00 ethertype IPv4 (0x0800), length 68: (tos 0x0, ttl 64, id
		 * 4660, offset 0, flags [none], proto TCP (6), length 52) 10.0.1.90.40000 >
		 * 10.0.1.20.27017: Flags [P.], cksum 0x85df (correct), ack 2000002, win 502, options
		 * [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0000 0304 0006 0000 0000 0000 0000 0800 4500 0034 1234 0000 4006 5223 0a00 015a "
		"0a00 0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85df 0000 0101 080a 0000 03e8 "
		"0000 07d0",
		"tcp dir=in type=0800 src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 "
		"ipid=4660 ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 "
		"tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"SLL, arp", 113, 0,
		/* B 00:00:01:fc:b3:70 ethertype ARP (0x0806), length 44: Ethernet (len 6), IPv4 (len
		 * 4), Request who-has 10.0.1.20 tell 10.0.1.90, length 28 */
		"0001 0001 0006 0000 01fc b370 0000 0806 0001 0800 0604 0001 0000 01fc b370 0a00 "
		"015a 0000 0000 0000 0a00 0114",
		"arp from=00:00:01:fc:b3:70 dir=in type=0806 message=28/28",
	},
	{
		"SLL2, incoming", 276, 0,
		/* ifb1 In ifindex 3 00:00:01:fc:b3:70 ethertype IPv4 (0x0800), length 72: (tos 0x0,
		 * ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 52) 10.0.1.90.40000
		 * > 10.0.1.20.27017: Flags [P.], cksum 0x85df (correct), ack 2000002, win 502,
		 * options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0800 0000 0000 0003 0001 0006 0000 01fc b370 0000 4500 0034 1234 0000 4006 5223 "
		"0a00 015a 0a00 0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85df 0000 0101 080a "
		"0000 03e8 0000 07d0",
		"tcp from=00:00:01:fc:b3:70 dir=in if=3 type=0800 src=10.0.1.90 dst=10.0.1.20 "
		"proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 seq=1000001 ack=2000002 "
		"flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"SLL2, IPv6", 276, 0,
		/* ifb1 Out ifindex 3 00:00:01:fc:b3:70 ethertype IPv6 (0x86dd), length 92:
		 * (flowlabel 0xabcde, hlim 64, next-header TCP (6) payload length: 32)
		 * 2001:db8::90.40000 > 2001:db8::20.27017: Flags [P.], cksum 0x402b (correct), ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"86dd 0000 0000 0003 0001 0406 0000 01fc b370 0000 600a bcde 0020 0640 2001 0db8 "
		"0000 0000 0000 0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 9c40 6989 "
		"000f 4241 001e 8482 8018 01f6 402b 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp from=00:00:01:fc:b3:70 dir=out if=3 type=86dd src=2001:db8::90 "
		"dst=2001:db8::20 proto=6 ttl=64 tos=0 ipid=0 label=703710 ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"RAW IPv4", 101, 0,
		/* ip: (tos 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 52)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x85df (correct), ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"4500 0034 1234 0000 4006 5223 0a00 015a 0a00 0114 9c40 6989 000f 4241 001e 8482 "
		"8018 01f6 85df 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp type=0800 src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 "
		"ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 "
		"tsecr=2000 len=0 cap=0",
	},
	{
		"RAW IPv6", 101, 0,
		/* ip: (flowlabel 0xabcde, hlim 64, next-header TCP (6) payload length: 32)
		 * 2001:db8::90.40000 > 2001:db8::20.27017: Flags [P.], cksum 0x402b (correct), ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"600a bcde 0020 0640 2001 0db8 0000 0000 0000 0000 0000 0090 2001 0db8 0000 0000 "
		"0000 0000 0000 0020 9c40 6989 000f 4241 001e 8482 8018 01f6 402b 0000 0101 080a "
		"0000 03e8 0000 07d0",
		"tcp type=86dd src=2001:db8::90 dst=2001:db8::20 proto=6 ttl=64 tos=0 ipid=0 "
		"label=703710 ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 "
		"tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"RAW neither", 101, 0,
		/* ip: unknown ip 1 */
		"1500 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 00",
		"malformed",
	},
	{
		"IPV4", 228, 0,
		/* ip: (tos 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 52)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x85df (correct), ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"4500 0034 1234 0000 4006 5223 0a00 015a 0a00 0114 9c40 6989 000f 4241 001e 8482 "
		"8018 01f6 85df 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp type=0800 src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 "
		"ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 "
		"tsecr=2000 len=0 cap=0",
	},
	{
		"IPV6", 229, 0,
		/* ip: (flowlabel 0xabcde, hlim 64, next-header TCP (6) payload length: 32)
		 * 2001:db8::90.40000 > 2001:db8::20.27017: Flags [P.], cksum 0x402b (correct), ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"600a bcde 0020 0640 2001 0db8 0000 0000 0000 0000 0000 0090 2001 0db8 0000 0000 "
		"0000 0000 0000 0020 9c40 6989 000f 4241 001e 8482 8018 01f6 402b 0000 0101 080a "
		"0000 03e8 0000 07d0",
		"tcp type=86dd src=2001:db8::90 dst=2001:db8::20 proto=6 ttl=64 tos=0 ipid=0 "
		"label=703710 ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 "
		"tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"RAW as 12", 12, 0,
		/* ip: (tos 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 52)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x85df (correct), ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"4500 0034 1234 0000 4006 5223 0a00 015a 0a00 0114 9c40 6989 000f 4241 001e 8482 "
		"8018 01f6 85df 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp type=0800 src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 "
		"ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 "
		"tsecr=2000 len=0 cap=0",
	},
	{
		"RAW as 14", 14, 0,
		/* ip: (tos 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 52)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x85df (correct), ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"4500 0034 1234 0000 4006 5223 0a00 015a 0a00 0114 9c40 6989 000f 4241 001e 8482 "
		"8018 01f6 85df 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp type=0800 src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 "
		"ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 "
		"tsecr=2000 len=0 cap=0",
	},
	{
		"NULL, little endian", 0, 0,
		/* AF IPv4 (2), length 56: (tos 0x0, ttl 64, id 4660, offset 0, flags [none], proto
		 * TCP (6), length 52) 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x85df
		 * (correct), ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0200 0000 4500 0034 1234 0000 4006 5223 0a00 015a 0a00 0114 9c40 6989 000f 4241 "
		"001e 8482 8018 01f6 85df 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp type=0800 src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 "
		"ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 "
		"tsecr=2000 len=0 cap=0",
	},
	{
		"NULL, big endian, IPv6 of macOS", 0, 0,
		/* AF IPv6 (30), length 76: (flowlabel 0xabcde, hlim 64, next-header TCP (6) payload
		 * length: 32) 2001:db8::90.40000 > 2001:db8::20.27017: Flags [P.], cksum 0x402b
		 * (correct), ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0000 001e 600a bcde 0020 0640 2001 0db8 0000 0000 0000 0000 0000 0090 2001 0db8 "
		"0000 0000 0000 0000 0000 0020 9c40 6989 000f 4241 001e 8482 8018 01f6 402b 0000 "
		"0101 080a 0000 03e8 0000 07d0",
		"tcp type=86dd src=2001:db8::90 dst=2001:db8::20 proto=6 ttl=64 tos=0 ipid=0 "
		"label=703710 ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 "
		"tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"LOOP", 108, 0,
		/* AF IPv4 (2), length 56: (tos 0x0, ttl 64, id 4660, offset 0, flags [none], proto
		 * TCP (6), length 52) 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x85df
		 * (correct), ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 0 */
		"0000 0002 4500 0034 1234 0000 4006 5223 0a00 015a 0a00 0114 9c40 6989 000f 4241 "
		"001e 8482 8018 01f6 85df 0000 0101 080a 0000 03e8 0000 07d0",
		"tcp type=0800 src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 "
		"ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 "
		"tsecr=2000 len=0 cap=0",
	},
	{
		"LOOP of another family", 108, 0,
		/* AF Appletalk (16), length 56: 0.6.35 > 4660.64.82: at-#10 39 */
		"0000 0010 4500 0034 1234 0000 4006 5223 0a00 015a 0a00 0114 9c40 6989 000f 4241 "
		"001e 8482 8018 01f6 85df 0000 0101 080a 0000 03e8 0000 07d0",
		"other_ethertype",
	},
	{
		"802.11", 105, 0,
		/* 0us BSSID:00:00:00:00:00:00 DA:00:00:00:00:00:00 SA:00:00:00:00:00:00 Assoc
		 * Request () */
		"0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 "
		"0000 0000 0000 0000",
		"unsupported_link",
	},
	{
		"NFLOG, input", 239, 0,
		/* version 0, resource ID 5, family IPv4 (2), length 188: (tos 0x0, ttl 64, id 4660,
		 * offset 0, flags [none], proto TCP (6), length 57) 10.0.1.90.40000 >
		 * 10.0.1.20.27017: Flags [P.], cksum 0x4208 (correct), seq 1000001:1000006, ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 5 */
		"0200 0005 0800 0100 0800 0100 0800 0200 0000 beef 1400 0300 0000 0000 6ab1 3b84 "
		"0000 0000 0001 e240 0800 0400 0000 0002 1000 0800 0006 0000 0000 01fc b370 0000 "
		"0600 0f00 0001 0000 0600 1100 000e 0000 1200 1000 0000 01fc b348 0000 01fc b370 "
		"0800 0000 0d00 0a00 696e 3a20 6472 6f70 0000 0000 0800 0c00 0000 0029 3d00 0900 "
		"4500 0039 1234 0000 4006 521e 0a00 015a 0a00 0114 9c40 6989 000f 4241 001e 8482 "
		"8018 01f6 4208 0000 0101 080a 0000 03e8 0000 07d0 6865 6c6c 6f00 0000",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 dir=in if=2 type=0800 "
		"hook=1 prefix='in: drop' mark=48879 nflog_seq=41 time=1790000004123456000 "
		"src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 "
		"ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 "
		"tsecr=2000 sum=right len=5 cap=5",
	},
	{
		"NFLOG, big endian", 239, 0,
		/* version 0, resource ID 5, family IPv4 (2), length 188: [|nflog] */
		"0200 0005 0008 0001 0800 0100 0008 0002 0000 beef 0014 0003 0000 0000 6ab1 3b84 "
		"0000 0000 0001 e240 0008 0004 0000 0002 0010 0008 0006 0000 0000 01fc b370 0000 "
		"0006 000f 0001 0000 0006 0011 000e 0000 0012 0010 0000 01fc b348 0000 01fc b370 "
		"0800 0000 000d 000a 696e 3a20 6472 6f70 0000 0000 0008 000c 0000 0029 003d 0009 "
		"4500 0039 1234 0000 4006 521e 0a00 015a 0a00 0114 9c40 6989 000f 4241 001e 8482 "
		"8018 01f6 4208 0000 0101 080a 0000 03e8 0000 07d0 6865 6c6c 6f00 0000",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 dir=in if=2 type=0800 "
		"hook=1 prefix='in: drop' mark=48879 nflog_seq=41 time=1790000004123456000 "
		"src=10.0.1.90 dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 "
		"ports=40000,27017 seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 "
		"tsecr=2000 sum=right len=5 cap=5",
	},
	{
		"NFLOG, output, cut by the copy range", 239, 0,
		/* version 0, resource ID 5, family IPv6 (10), length 120: truncated-ip6 - 192 bytes
		 * missing!(flowlabel 0xabcde, hlim 64, next-header TCP (6) payload length: 232)
		 * 2001:db8::90.40000 > 2001:db8::20.27017: Flags [P.], seq 1000001:1000201, ack
		 * 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000], length 200 */
		"0a00 0005 0800 0100 0000 0300 0800 0500 0000 0003 0500 0a00 0000 0000 0800 0b00 "
		"0000 03e8 5400 0900 600a bcde 00e8 0640 2001 0db8 0000 0000 0000 0000 0000 0090 "
		"2001 0db8 0000 0000 0000 0000 0000 0020 9c40 6989 000f 4241 001e 8482 8018 01f6 "
		"3054 0000 0101 080a 0000 03e8 0000 07d0 7878 7878 7878 7878",
		"tcp dir=out if=3 type=86dd hook=3 prefix='' mark=0 uid=1000 src=2001:db8::90 "
		"dst=2001:db8::20 proto=6 ttl=64 tos=0 ipid=0 label=703710 ports=40000,27017 "
		"seq=1000001 ack=2000002 flags=18 win=502 tsval=1000 tsecr=2000 len=200 cap=8",
	},
	{
		"NFLOG, inet family", 239, 0,
		/* version 0, resource ID 5, family Unknown (1), length 68: 0x0000: 4500 0034 1234
		 * 0000 4006 5223 0a00 015a E..4.4..@.R#...Z 0x0010: 0a00 0114 9c40 6989 000f 4241
		 * 001e 8482 .....@i...BA.... 0x0020: 8018 01f6 85df 0000 0101 080a 0000 03e8
		 * ................ 0x0030: 0000 07d0 .... */
		"0100 0005 0800 0100 0000 0400 3800 0900 4500 0034 1234 0000 4006 5223 0a00 015a "
		"0a00 0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85df 0000 0101 080a 0000 03e8 "
		"0000 07d0",
		"tcp dir=out type=0800 hook=4 prefix='' mark=0 src=10.0.1.90 dst=10.0.1.20 "
		"proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 seq=1000001 ack=2000002 "
		"flags=18 win=502 tsval=1000 tsecr=2000 len=0 cap=0",
	},
	{
		"NFLOG without payload", 239, 0,
		/* version 0, resource ID 5, family IPv4 (2), length 48: [|ip] */
		"0200 0005 0800 0100 0800 0100 0800 0200 0000 beef 1400 0300 0000 0000 6ab1 3b84 "
		"0000 0000 0001 e240 0800 0400 0000 0002",
		"truncated dir=in if=2 hook=1 prefix='' mark=48879 time=1790000004123456000",
	},
	{
		"NFLOG attribute of length 3", 239, 0,
		/* version 0, resource ID 5, family IPv4 (2), length 24: [|ip] */
		"0200 0005 0800 0100 0800 0100 0800 0200 0000 beef 0300 0900",
		"malformed hook=1 prefix='' mark=48879",
	},
	{
		"NFLOG attribute beyond the record", 239, 0,
		/* version 0, resource ID 5, family IPv4 (2), length 44: [|nflog] */
		"0200 0005 0800 0100 0800 0100 0800 0200 0000 beef 3200 0900 0000 0000 0000 0000 "
		"0000 0000 0000 0000 0000 0000",
		"malformed hook=1 prefix='' mark=48879",
	},
	{
		"ethernet runt", 1, 0,
		/* [|ether] */
		"0000 01fc b348 0000 01fc",
		"malformed",
	},
	{
		"ip version 5 under an IPv4 ethertype", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 66: IP5
		 * (invalid) */
		"0000 01fc b348 0000 01fc b370 0800 5500 0034 1234 0000 4006 5223 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85df 0000 0101 080a 0000 03e8 0000 "
		"07d0",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800",
	},
	{
		"ip header of 4 words", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 66: bad-
		 * hlen 16 */
		"0000 01fc b348 0000 01fc b370 0800 4400 0034 1234 0000 4006 5223 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85df 0000 0101 080a 0000 03e8 0000 "
		"07d0",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800",
	},
	{
		"ip total length below its header", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 66: bad-len
		 * 10 */
		"0000 01fc b348 0000 01fc b370 0800 4500 000a 1234 0000 4006 524d 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6 85ff 0000 0101 080a 0000 03e8 0000 "
		"07d0",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800",
	},
	{
		"ip total length beyond the frame", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 66:
		 * truncated-ip - 1448 bytes missing! (tos 0x0, ttl 64, id 4660, offset 0, flags
		 * [none], proto TCP (6), length 1500) 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.],
		 * seq 1000001:1001449, ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000],
		 * length 1448 */
		"0000 01fc b348 0000 01fc b370 0800 4500 05dc 1234 0000 4006 4c7b 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6 8037 0000 0101 080a 0000 03e8 0000 "
		"07d0",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800",
	},
	{
		"udp with total length 0", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 47: bad-len
		 * 0 */
		"0000 01fc b348 0000 01fc b370 0800 4500 0000 1234 0000 4011 524c 0a00 015a 0a00 "
		"0114 14e9 0035 000d 846d 7175 6572 79",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800",
	},
	{
		"IPv6 length beyond the frame", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 86:
		 * truncated-ip6 - 1468 bytes missing!(flowlabel 0xabcde, hlim 64, next-header TCP
		 * (6) payload length: 1500) 2001:db8::90.40000 > 2001:db8::20.27017: Flags [P.], seq
		 * 1000001:1001469, ack 2000002, win 502, options [nop,nop,TS val 1000 ecr 2000],
		 * length 1468 */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 05dc 0640 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 9c40 6989 000f 4241 001e "
		"8482 8018 01f6 402b 0000 0101 080a 0000 03e8 0000 07d0",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd",
	},
	{
		"IPv6 extension header beyond the packet", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv6 (0x86dd), length 62:
		 * (flowlabel 0xabcde, hlim 64, next-header unknown (60) payload length: 8)
		 * 2001:db8::90 > 2001:db8::20: [|dstopt] */
		"0000 01fc b348 0000 01fc b370 86dd 600a bcde 0008 3c40 2001 0db8 0000 0000 0000 "
		"0000 0000 0090 2001 0db8 0000 0000 0000 0000 0000 0020 0640 0000 0000 0000",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=86dd "
		"src=2001:db8::90 dst=2001:db8::20 proto=60 ttl=64 tos=0 ipid=0 label=703710",
	},
	{
		"tcp header of 4 words", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 54: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 40)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: tcp 4 [bad hdr length 16 - too short, < 20] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0028 1234 0000 4006 522f 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 4018 01f6 daae 0000",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660",
	},
	{
		"tcp header beyond the segment", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 54: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 40)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.] [bad hdr length 40 - too long, > 20] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0028 1234 0000 4006 522f 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 a018 01f6 7aae 0000",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660",
	},
	{
		"tcp options broken", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 66: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 52)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], cksum 0x0000 (incorrect -> 0x8f96),
		 * ack 2000002, win 502, options [TS val 1 ecr 2,[bad opt]] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0034 1234 0000 4006 5223 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6 0000 0000 080a 0000 0001 0000 0002 "
		"02ff",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 seq=1000001 "
		"ack=2000002 flags=18 win=502 tsval=1 tsecr=2 opt=bad len=0 cap=0",
	},
	{
		"tcp cut in its options", 1, 71,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 71: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 57)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: Flags [P.], seq 1000001:1000006, ack 2000002,
		 * win 502, options [nop,nop,TS [|tcp]> */
		"0000 01fc b348 0000 01fc b370 0800 4500 0039 1234 0000 4006 521e 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6 4208 0000 0101 080a 0000",
		"tcp to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660 ports=40000,27017 seq=1000001 "
		"ack=2000002 flags=18 win=502 opt=cut len=5 cap=0",
	},
	{
		"tcp cut in its header", 1, 71,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 71: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto TCP (6), length 57)
		 * 10.0.1.90.40000 > 10.0.1.20.27017: [|tcp] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0039 1234 0000 4006 521e 0a00 015a 0a00 "
		"0114 9c40 6989 000f 4241 001e 8482 8018 01f6 4208",
		"truncated to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=6 ttl=64 tos=0 ipid=4660",
	},
	{
		"arp of infiniband lengths, cut short on the wire", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype ARP (0x0806), length 42: [|arp] */
		"0000 01fc b348 0000 01fc b370 0806 0020 0800 1404 0001 0000 0000 0000 0000 0000 "
		"0000 0000 0000 0000 0000",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0806",
	},
	{
		"icmp of 4 bytes", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 38: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto ICMP (1), length 24) 10.0.1.90
		 * > 10.0.1.20: [|icmp] */
		"0000 01fc b348 0000 01fc b370 0800 4500 0018 1234 0000 4001 5244 0a00 015a 0a00 "
		"0114 0800 0000",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=1 ttl=64 tos=0 ipid=4660",
	},
	{
		"vrrp of 6 bytes", 1, 0,
		/* 00:00:01:fc:b3:70 > 00:00:01:fc:b3:48, ethertype IPv4 (0x0800), length 40: (tos
		 * 0x0, ttl 64, id 4660, offset 0, flags [none], proto VRRP (112), length 26)
		 * 10.0.1.90 > 10.0.1.20: VRRPv2, Advertisement, (ttl 64), vrid 1, prio 1, authtype
		 * simple, intvl 1s, length 6 [|vrrp] */
		"0000 01fc b348 0000 01fc b370 0800 4500 001a 1234 0000 4070 51d3 0a00 015a 0a00 "
		"0114 2101 0101 0101",
		"malformed to=00:00:01:fc:b3:48 from=00:00:01:fc:b3:70 type=0800 src=10.0.1.90 "
		"dst=10.0.1.20 proto=112 ttl=64 tos=0 ipid=4660",
	},
#include "packet_cases_wrapped.h"
};

#define PACKET_CASES (sizeof(packet_cases) / sizeof(packet_cases[0]))
