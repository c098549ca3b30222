#!/usr/bin/env python3
"""Writes fixtures/corpus/{packet,arp,vrrp}/ from the frames of the unit test of packet.

Usage: corpus_decode.py FOLDER (fixtures/corpus). The same bytes every time. What else lies in those
folders a fuzzer found.
"""
import os
import re
import struct
import sys

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit", "packet_cases.h")
STRING = r'"((?:[^"\\]|\\.)*)"'
ETHERNET = 1
ETHERNET_HDR_LEN = 14


def packet_cases():
    """(name, link type, wire length, bytes, expected text) of the table in packet_cases.h."""
    with open(CASES, encoding="utf-8") as f:
        table = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    for entry in re.findall(r"^\t\{\n(.*?)^\t\},", table, flags=re.S | re.M):
        name, link, wire, rest = re.match(
            r"\s*" + STRING + r", (\d+), (\d+),(.*)", entry, flags=re.S).groups()
        data, text = rest.split('",', 1)
        data = "".join(re.findall(STRING, data + '"'))
        text = "".join(re.findall(STRING, text))
        yield name, int(link), int(wire), bytes.fromhex(data), text


def write(folder, name, data):
    os.makedirs(folder, exist_ok=True)
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    with open(os.path.join(folder, stem), "wb") as f:
        f.write(data)


def main():
    corpus = sys.argv[1]
    for name, link, wire, data, text in packet_cases():
        cut = min(max(wire - len(data), 0), 0xffff)
        write(os.path.join(corpus, "packet"), name, struct.pack("<HH", link, cut) + data)
        if link == ETHERNET and re.match("(arp|nd) ", text):
            write(os.path.join(corpus, "arp"), name, data)
        if link == ETHERNET and re.match("(vrrp|carp) ", text):
            write(os.path.join(corpus, "vrrp"), name, b"\0" + data[ETHERNET_HDR_LEN:])


if __name__ == "__main__":
    main()
