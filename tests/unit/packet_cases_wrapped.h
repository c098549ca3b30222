/*
 * Frames behind what may stand between the link and IP, and in tunnels: entries of packet_cases[].
 * Made by tests/decode/wrap.py from a recorded SYN; what tshark sees stands above each.
 */
	{
		"erspan", 1, 0,
		/* tshark: eth:ethertype:ip:gre:erspan:eth:ethertype:ip:tcp */
		"0200 0000 0002 0200 0000 000a 0800 4500 0062 004d 0000 3c2f 6958 0a63 0001 "
		"0a63 0002 0000 88be 5277 a1a6 5a71 f6f0 3378 cb30 0800 4500 003c 681c 4000 "
		"4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 16cb "
		"0000 0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 tunnel=erspan/1 "
		"id=0 osrc=10.99.0.1 odst=10.99.0.2 src=10.77.1.1 dst=10.77.1.2 proto=6 "
		"ttl=64 tos=0 ipid=26652 df ports=49430,9 seq=525039003 ack=0 flags=02 "
		"win=64240 mss=1460 wscale=10 sackok tsval=3705750491 tsecr=0 sum=wrong "
		"len=0 cap=0",
	},
	{
		"erspan 2", 1, 0,
		/* tshark: eth:ethertype:ip:gre:erspan:eth:ethertype:ip:tcp */
		"0200 0000 0002 0200 0000 000a 0800 4500 006e 004d 0000 3c2f 694c 0a63 0001 "
		"0a63 0002 1000 88be 0000 0001 100c 084d 0000 0005 5277 a1a6 5a71 f6f0 3378 "
		"cb30 0800 4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b "
		"759b 0000 0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 "
		"0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 tunnel=erspan/1 "
		"id=77 osrc=10.99.0.1 odst=10.99.0.2 src=10.77.1.1 dst=10.77.1.2 proto=6 "
		"ttl=64 tos=0 ipid=26652 df ports=49430,9 seq=525039003 ack=0 flags=02 "
		"win=64240 mss=1460 wscale=10 sackok tsval=3705750491 tsecr=0 sum=wrong "
		"len=0 cap=0",
	},
	{
		"erspan 3", 1, 0,
		/* tshark: eth:ethertype:ip:gre:erspan:eth:ethertype:ip:tcp */
		"0200 0000 0002 0200 0000 000a 0800 4500 0072 004d 0000 3c2f 6948 0a63 0001 "
		"0a63 0002 1000 22eb 0000 0001 200c 084e 0000 0001 0000 0006 5277 a1a6 5a71 "
		"f6f0 3378 cb30 0800 4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 "
		"0009 1f4b 759b 0000 0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db "
		"0000 0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 tunnel=erspan/1 "
		"id=78 osrc=10.99.0.1 odst=10.99.0.2 src=10.77.1.1 dst=10.77.1.2 proto=6 "
		"ttl=64 tos=0 ipid=26652 df ports=49430,9 seq=525039003 ack=0 flags=02 "
		"win=64240 mss=1460 wscale=10 sackok tsval=3705750491 tsecr=0 sum=wrong "
		"len=0 cap=0",
	},
	{
		"erspan 3 sub", 1, 0,
		/* tshark: eth:ethertype:ip:gre:erspan:eth:ethertype:ip:tcp */
		"0200 0000 0002 0200 0000 000a 0800 4500 007a 004d 0000 3c2f 6940 0a63 0001 "
		"0a63 0002 1000 22eb 0000 0001 200c 084e 0000 0001 0000 0007 0c00 0000 0000 "
		"0009 5277 a1a6 5a71 f6f0 3378 cb30 0800 4500 003c 681c 4000 4006 bc03 0a4d "
		"0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 16cb 0000 0204 05b4 "
		"0402 080a dce1 43db 0000 0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 tunnel=erspan/1 "
		"id=78 osrc=10.99.0.1 odst=10.99.0.2 src=10.77.1.1 dst=10.77.1.2 proto=6 "
		"ttl=64 tos=0 ipid=26652 df ports=49430,9 seq=525039003 ack=0 flags=02 "
		"win=64240 mss=1460 wscale=10 sackok tsval=3705750491 tsecr=0 sum=wrong "
		"len=0 cap=0",
	},
	{
		"mpls", 1, 0,
		/* tshark: eth:ethertype:mpls:ip:tcp */
		"0200 0000 0002 0200 0000 000a 8847 0006 4140 4500 003c 681c 4000 4006 bc03 "
		"0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 16cb 0000 0204 "
		"05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=8847 src=10.77.1.1 "
		"dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df ports=49430,9 "
		"seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 sackok "
		"tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"mpls stack", 1, 0,
		/* tshark: eth:ethertype:mpls:ip:tcp */
		"0200 0000 0002 0200 0000 000a 8847 0006 403f 000c 8140 4500 003c 681c 4000 "
		"4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 16cb "
		"0000 0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=8847 src=10.77.1.1 "
		"dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df ports=49430,9 "
		"seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 sackok "
		"tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"pppoe", 1, 0,
		/* tshark: eth:ethertype:pppoes:ppp:ip:tcp */
		"0200 0000 0002 0200 0000 000a 8864 1100 0011 003e 0021 4500 003c 681c 4000 "
		"4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 16cb "
		"0000 0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=8864 src=10.77.1.1 "
		"dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df ports=49430,9 "
		"seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 sackok "
		"tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"ppp ether", 51, 0,
		/* tshark: pppoes:ppp:ip:tcp */
		"1100 0011 003e 0021 4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 "
		"0009 1f4b 759b 0000 0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db "
		"0000 0000 0103 030a",
		"tcp src=10.77.1.1 dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df "
		"ports=49430,9 seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 "
		"sackok tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"ppp", 9, 0,
		/* tshark: ppp:ip:tcp */
		"ff03 0021 4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b "
		"759b 0000 0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 "
		"0103 030a",
		"tcp src=10.77.1.1 dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df "
		"ports=49430,9 seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 "
		"sackok tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"ppp bare", 9, 0,
		/* tshark: ppp:ip:tcp */
		"0021 4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b "
		"0000 0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 0103 "
		"030a",
		"tcp src=10.77.1.1 dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df "
		"ports=49430,9 seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 "
		"sackok tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"ppp short", 9, 0,
		/* tshark: ppp:ip:tcp */
		"ff03 2145 0000 3c68 1c40 0040 06bc 030a 4d01 010a 4d01 02c1 1600 091f 4b75 "
		"9b00 0000 00a0 02fa f016 cb00 0002 0405 b404 0208 0adc e143 db00 0000 0001 "
		"0303 0a",
		"tcp src=10.77.1.1 dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df "
		"ports=49430,9 seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 "
		"sackok tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"ppp hdlc", 50, 0,
		/* tshark: ppp:ip:tcp */
		"ff03 0021 4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b "
		"759b 0000 0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 "
		"0103 030a",
		"tcp src=10.77.1.1 dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df "
		"ports=49430,9 seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 "
		"sackok tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"ppp with direction", 204, 0,
		/* tshark: ppp:ip:tcp */
		"01ff 0300 2145 0000 3c68 1c40 0040 06bc 030a 4d01 010a 4d01 02c1 1600 091f "
		"4b75 9b00 0000 00a0 02fa f016 cb00 0002 0405 b404 0208 0adc e143 db00 0000 "
		"0001 0303 0a",
		"tcp dir=out src=10.77.1.1 dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df "
		"ports=49430,9 seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 "
		"sackok tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"cisco hdlc", 104, 0,
		/* tshark: chdlc:ip:tcp */
		"0f00 0800 4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b "
		"759b 0000 0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 "
		"0103 030a",
		"tcp type=0800 src=10.77.1.1 dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 "
		"df ports=49430,9 seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 "
		"sackok tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"gtpu", 1, 0,
		/* tshark: eth:ethertype:ip:udp:gtp:ip:tcp */
		"0200 0000 0002 0200 0000 000a 0800 4500 0060 004d 0000 3c11 6978 0a63 0001 "
		"0a63 0002 c3cb 0868 004c 0000 30ff 003c 0000 1234 4500 003c 681c 4000 4006 "
		"bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 16cb 0000 "
		"0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 tunnel=gtpu/1 "
		"id=4660 osrc=10.99.0.1 odst=10.99.0.2 src=10.77.1.1 dst=10.77.1.2 proto=6 "
		"ttl=64 tos=0 ipid=26652 df ports=49430,9 seq=525039003 ack=0 flags=02 "
		"win=64240 mss=1460 wscale=10 sackok tsval=3705750491 tsecr=0 sum=wrong "
		"len=0 cap=0",
	},
	{
		"gtpu sequence", 1, 0,
		/* tshark: eth:ethertype:ip:udp:gtp:ip:tcp */
		"0200 0000 0002 0200 0000 000a 0800 4500 0064 004d 0000 3c11 6974 0a63 0001 "
		"0a63 0002 c3cb 0868 0050 0000 32ff 0040 0000 1234 0009 0000 4500 003c 681c "
		"4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 "
		"16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 tunnel=gtpu/1 "
		"id=4660 osrc=10.99.0.1 odst=10.99.0.2 src=10.77.1.1 dst=10.77.1.2 proto=6 "
		"ttl=64 tos=0 ipid=26652 df ports=49430,9 seq=525039003 ack=0 flags=02 "
		"win=64240 mss=1460 wscale=10 sackok tsval=3705750491 tsecr=0 sum=wrong "
		"len=0 cap=0",
	},
	{
		"gtpu extension", 1, 0,
		/* tshark: eth:ethertype:ip:udp:gtp:ip:tcp */
		"0200 0000 0002 0200 0000 000a 0800 4500 0068 004d 0000 3c11 6970 0a63 0001 "
		"0a63 0002 c3cb 0868 0054 0000 34ff 0044 0000 1234 0000 0085 0100 0900 4500 "
		"003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 "
		"a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 tunnel=gtpu/1 "
		"id=4660 osrc=10.99.0.1 odst=10.99.0.2 src=10.77.1.1 dst=10.77.1.2 proto=6 "
		"ttl=64 tos=0 ipid=26652 df ports=49430,9 seq=525039003 ack=0 flags=02 "
		"win=64240 mss=1460 wscale=10 sackok tsval=3705750491 tsecr=0 sum=wrong "
		"len=0 cap=0",
	},
	{
		"tzsp", 1, 0,
		/* tshark: eth:ethertype:ip:udp:tzsp:eth:ethertype:ip:tcp */
		"0200 0000 0002 0200 0000 000a 0800 4500 006f 004d 0000 3c11 6969 0a63 0001 "
		"0a63 0002 c3cb 9090 005b 0000 0100 0001 000a 012a 0152 77a1 a65a 71f6 f033 "
		"78cb 3008 0045 0000 3c68 1c40 0040 06bc 030a 4d01 010a 4d01 02c1 1600 091f "
		"4b75 9b00 0000 00a0 02fa f016 cb00 0002 0405 b404 0208 0adc e143 db00 0000 "
		"0001 0303 0a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 tunnel=tzsp/1 "
		"id=0 osrc=10.99.0.1 odst=10.99.0.2 src=10.77.1.1 dst=10.77.1.2 proto=6 "
		"ttl=64 tos=0 ipid=26652 df ports=49430,9 seq=525039003 ack=0 flags=02 "
		"win=64240 mss=1460 wscale=10 sackok tsval=3705750491 tsecr=0 sum=wrong "
		"len=0 cap=0",
	},
	{
		"macsec", 1, 0,
		/* tshark: eth:ethertype:macsec:ethertype:ip:tcp */
		"0200 0000 0002 0200 0000 000a 88e5 2000 0000 0007 0200 0000 000a 0001 0800 "
		"4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 "
		"0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 src=10.77.1.1 "
		"dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df ports=49430,9 "
		"seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 sackok "
		"tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"mpls over something else", 1, 0,
		/* tshark: eth:ethertype:mpls:data */
		"0200 0000 0002 0200 0000 000a 8847 0006 4140 5500 003c 681c 4000 4006 bc03 "
		"0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 16cb 0000 0204 "
		"05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"other_ethertype to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=8847",
	},
	{
		"mpls pseudowire with a control word", 1, 0,
		/* tshark: eth:ethertype:mpls:pwethheuristic:pwethcw:eth:ethertype:ip:tcp */
		"0200 0000 0002 0200 0000 000a 8847 0006 4140 0000 0000 5277 a1a6 5a71 f6f0 "
		"3378 cb30 0800 4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 "
		"1f4b 759b 0000 0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 "
		"0000 0103 030a",
		"tcp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 src=10.77.1.1 "
		"dst=10.77.1.2 proto=6 ttl=64 tos=0 ipid=26652 df ports=49430,9 "
		"seq=525039003 ack=0 flags=02 win=64240 mss=1460 wscale=10 sackok "
		"tsval=3705750491 tsecr=0 sum=wrong len=0 cap=0",
	},
	{
		"pppoe discovery", 1, 0,
		/* tshark: eth:ethertype:pppoes:ppp:ip:tcp */
		"0200 0000 0002 0200 0000 000a 8864 1109 0011 003e 0021 4500 003c 681c 4000 "
		"4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 16cb "
		"0000 0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"malformed to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=8864",
	},
	{
		"pppoe with a length beyond the frame", 1, 0,
		/* tshark: eth:ethertype:pppoes:ppp:ip:tcp */
		"0200 0000 0002 0200 0000 000a 8864 1100 0011 7fff 0021 4500 003c 681c 4000 "
		"4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 16cb "
		"0000 0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"malformed to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=8864",
	},
	{
		"ppp with its link control protocol", 9, 0,
		/* tshark: ppp:lcp */
		"ff03 c021 4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b "
		"759b 0000 0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 "
		"0103 030a",
		"other_ethertype",
	},
	{
		"macsec encrypted", 1, 0,
		/* tshark: eth:ethertype:macsec:data */
		"0200 0000 0002 0200 0000 000a 88e5 2c00 0000 0007 0200 0000 000a 0001 0800 "
		"4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 "
		"0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"other_ethertype to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=88e5",
	},
	{
		"erspan of another version", 1, 0,
		/* tshark: eth:ethertype:ip:gre:erspan */
		"0200 0000 0002 0200 0000 000a 0800 4500 006e 004d 0000 3c2f 694c 0a63 0001 "
		"0a63 0002 1000 88be 0000 0001 700c 084d 0000 0005 5277 a1a6 5a71 f6f0 3378 "
		"cb30 0800 4500 003c 681c 4000 4006 bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b "
		"759b 0000 0000 a002 faf0 16cb 0000 0204 05b4 0402 080a dce1 43db 0000 0000 "
		"0103 030a",
		"ip_other to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 src=10.99.0.1 "
		"dst=10.99.0.2 proto=47 ttl=60 tos=0 ipid=77 len=90 cap=90",
	},
	{
		"gtp-u echo request", 1, 0,
		/* tshark: eth:ethertype:ip:udp:gtp */
		"0200 0000 0002 0200 0000 000a 0800 4500 0060 004d 0000 3c11 6978 0a63 0001 "
		"0a63 0002 c3cb 0868 004c 0000 3001 003c 0000 1234 4500 003c 681c 4000 4006 "
		"bc03 0a4d 0101 0a4d 0102 c116 0009 1f4b 759b 0000 0000 a002 faf0 16cb 0000 "
		"0204 05b4 0402 080a dce1 43db 0000 0000 0103 030a",
		"udp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 src=10.99.0.1 "
		"dst=10.99.0.2 proto=17 ttl=60 tos=0 ipid=77 ports=50123,2152 len=68 cap=68",
	},
	{
		"tzsp of 802.11 frames", 1, 0,
		/* tshark: eth:ethertype:ip:udp:tzsp:wlan:data */
		"0200 0000 0002 0200 0000 000a 0800 4500 006f 004d 0000 3c11 6969 0a63 0001 "
		"0a63 0002 c3cb 9090 005b 0000 0100 0012 000a 012a 0152 77a1 a65a 71f6 f033 "
		"78cb 3008 0045 0000 3c68 1c40 0040 06bc 030a 4d01 010a 4d01 02c1 1600 091f "
		"4b75 9b00 0000 00a0 02fa f016 cb00 0002 0405 b404 0208 0adc e143 db00 0000 "
		"0001 0303 0a",
		"udp to=02:00:00:00:00:02 from=02:00:00:00:00:0a type=0800 src=10.99.0.1 "
		"dst=10.99.0.2 proto=17 ttl=60 tos=0 ipid=77 ports=50123,37008 len=83 cap=83",
	},
