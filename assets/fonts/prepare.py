#!/usr/bin/env python3
"""Makes the two Inter files of this folder from the released ones: prepare.py IN.otf OUT.otf

Two changes to the character map:
* code points of the private use area are left out: Phosphor's icons live there, and a glyph of
  the first font of a family wins;
* the figures 0 to 9 lead to the tabular ones (what the feature `tnum` would choose), so that a
  number that counts does not make its line jump.

And the substitutions are left out: with them `8x8` in the name of a pod is shown as `8×8`.
"""
import struct
import sys


def tables(data):
    for at in range(struct.unpack(">H", data[4:6])[0]):
        tag, _, offset, length = struct.unpack(">4sIII", data[12 + 16 * at : 28 + 16 * at])
        yield tag, data[offset : offset + length]


def characters(cmap):
    """The mapping of the subtable for all of Unicode (format 12)."""
    found = {}
    for at in range(struct.unpack(">H", cmap[2:4])[0]):
        _, _, offset = struct.unpack(">HHI", cmap[4 + 8 * at : 12 + 8 * at])
        if struct.unpack(">H", cmap[offset : offset + 2])[0] != 12:
            continue
        groups = struct.unpack(">I", cmap[offset + 12 : offset + 16])[0]
        for group in range(groups):
            start = offset + 16 + 12 * group
            first, last, glyph = struct.unpack(">III", cmap[start : start + 12])
            for code in range(first, last + 1):
                found[code] = glyph + code - first
    return found


def coverage(table, at):
    form, count = struct.unpack(">HH", table[at : at + 4])
    if form == 1:
        return list(struct.unpack(f">{count}H", table[at + 4 : at + 4 + 2 * count]))
    glyphs = []
    for part in range(count):
        first, last, _ = struct.unpack(">HHH", table[at + 4 + 6 * part : at + 10 + 6 * part])
        glyphs.extend(range(first, last + 1))
    return glyphs


def tabular(gsub):
    """What `tnum` substitutes: single substitutions, glyph by glyph."""
    features, lookups = struct.unpack(">HH", gsub[6:10])
    wanted = set()
    for at in range(struct.unpack(">H", gsub[features : features + 2])[0]):
        tag, offset = struct.unpack(">4sH", gsub[features + 2 + 6 * at : features + 8 + 6 * at])
        if tag == b"tnum":
            start = features + offset
            count = struct.unpack(">H", gsub[start + 2 : start + 4])[0]
            wanted.update(struct.unpack(f">{count}H", gsub[start + 4 : start + 4 + 2 * count]))
    found = {}
    for index in wanted:
        at = lookups + struct.unpack(">H", gsub[lookups + 2 + 2 * index : lookups + 4 + 2 * index])[0]
        kind, _, count = struct.unpack(">HHH", gsub[at : at + 6])
        for offset in struct.unpack(f">{count}H", gsub[at + 6 : at + 6 + 2 * count]):
            part = at + offset
            real = kind
            if kind == 7:
                _, real, further = struct.unpack(">HHI", gsub[part : part + 8])
                part += further
            if real != 1:
                continue
            form, covered = struct.unpack(">HH", gsub[part : part + 4])
            for place, glyph in enumerate(coverage(gsub, part + covered)):
                if form == 1:
                    found[glyph] = glyph + struct.unpack(">h", gsub[part + 4 : part + 6])[0] & 0xFFFF
                else:
                    spot = part + 6 + 2 * place
                    found[glyph] = struct.unpack(">H", gsub[spot : spot + 2])[0]
    return found


def build_cmap(found):
    groups = []
    for code, glyph in sorted(found.items()):
        if groups and code == groups[-1][1] + 1 and glyph == groups[-1][2] + code - groups[-1][0]:
            groups[-1][1] = code
        else:
            groups.append([code, code, glyph])
    body = struct.pack(">HHIII", 12, 0, 16 + 12 * len(groups), 0, len(groups))
    body += b"".join(struct.pack(">III", *group) for group in groups)
    return struct.pack(">HHHHIHHI", 0, 2, 0, 4, 20, 3, 10, 20) + body


def checksum(data):
    data += b"\0" * (-len(data) % 4)
    return sum(struct.unpack(f">{len(data) // 4}I", data)) & 0xFFFFFFFF


def main(source, target):
    data = open(source, "rb").read()
    parts = dict(tables(data))
    found = characters(parts[b"cmap"])
    figures = tabular(parts.pop(b"GSUB"))
    for code in range(ord("0"), ord("9") + 1):
        found[code] = figures.get(found[code], found[code])
    parts[b"cmap"] = build_cmap({c: g for c, g in found.items() if not 0xE000 <= c <= 0xF8FF})
    head = bytearray(parts[b"head"])
    head[8:12] = bytes(4)
    parts[b"head"] = bytes(head)
    offset = 12 + 16 * len(parts)
    directory, body = b"", b""
    for tag in sorted(parts):
        table = parts[tag]
        directory += struct.pack(">4sIII", tag, checksum(table), offset + len(body), len(table))
        body += table + b"\0" * (-len(table) % 4)
    count = len(parts)
    power = count.bit_length() - 1
    header = data[:4] + struct.pack(
        ">HHHH", count, 16 << power, power, 16 * count - (16 << power)
    )
    whole = bytearray(header + directory + body)
    at = 12 + 16 * len(parts) + sum(
        len(parts[tag]) + (-len(parts[tag]) % 4) for tag in sorted(parts) if tag < b"head"
    )
    whole[at + 8 : at + 12] = struct.pack(">I", (0xB1B0AFBA - checksum(bytes(whole))) & 0xFFFFFFFF)
    open(target, "wb").write(whole)


main(*sys.argv[1:3])
