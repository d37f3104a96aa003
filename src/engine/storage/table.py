"""Partition tables, MBR and GPT, as the kernel reads them (block/partitions/msdos.c and efi.c in Linux say what it accepts).

Invariant: whatever a guest wrote, this ends soon, reads a bounded part of the disk and answers partitions that lie within it. Pure.
"""
import struct
import sys
import zlib
from typing import NamedTuple

SECTOR = 512
EXTENDED = (0x05, 0x0F, 0x85)
PROTECTIVE = 0xEE
# The chain of an extended partition may lead in a circle.
MOST_LINKS = 100
MOST_ENTRIES = 128


class Part(NamedTuple):
    """Its number, and where it lies, in sectors."""
    number: int
    start: int
    length: int


def read_table(read, sectors):
    """The partitions of a disk of so many sectors. `read(sector, count)`: its bytes, fewer at the end."""
    first = read(0, 1)
    if len(first) < SECTOR or first[510:512] != b'\x55\xaa':
        return []
    entries = [struct.unpack_from('<B3xB3xII', first, 446 + 16 * slot) for slot in range(4)]
    if any(flag not in (0, 0x80) for flag, *_ in entries):
        return []  # A boot sector of a file system.
    found = gpt(read, sectors) if any(kind == PROTECTIVE for _, kind, *_ in entries) else None
    return [part for part in map(lambda part: within(part, sectors), mbr(read, entries) if found is None else found) if part]


def within(part, sectors):
    """What of it is on the disk; None for what begins beyond its end or holds nothing."""
    length = min(part.length, sectors - part.start)
    return Part(part.number, part.start, length) if part.start > 0 and length > 0 else None


def mbr(read, entries):
    parts = []
    for slot, (_, kind, start, length) in enumerate(entries, 1):
        if length and kind in EXTENDED:
            # Room for a boot block and no more, so that nobody makes a file system over those inside.
            parts += [Part(slot, start, min(length, 2)), *logical(read, start)]
        elif length:
            parts.append(Part(slot, start, length))
    return parts


def logical(read, base):
    """A chain of tables: in each one partition, and where the next table is, counted from the first."""
    parts, at = [], base
    for number in range(5, 5 + MOST_LINKS):
        block = read(at, 1)
        if len(block) < SECTOR or block[510:512] != b'\x55\xaa':
            break
        entries = [struct.unpack_from('<4xB3xII', block, 446 + 16 * slot) for slot in range(4)]
        data = next((entry for entry in entries if entry[2] and entry[0] not in EXTENDED), None)
        if data:
            parts.append(Part(number, at + data[1], data[2]))
        following = next((entry for entry in entries if entry[2] and entry[0] in EXTENDED), None)
        if not following:
            break
        at = base + following[1]
    return parts


def gpt(read, sectors):
    """None where there is none that is whole: then the MBR counts."""
    header = read(1, 1)
    if len(header) < SECTOR or header[:8] != b'EFI PART':
        return None
    size, crc = struct.unpack_from('<II', header, 12)
    if not 92 <= size <= SECTOR or zlib.crc32(header[:16] + bytes(4) + header[20:size]) != crc:
        return None
    here, _, first, last = struct.unpack_from('<4Q', header, 24)
    at, count, entry_size, entries_crc = struct.unpack_from('<QIII', header, 72)
    if here != 1 or entry_size != 128 or not 1 <= count <= MOST_ENTRIES or first > last or last >= sectors or at >= sectors:
        return None
    entries = read(at, -(-count * entry_size // SECTOR))[:count * entry_size]
    if len(entries) < count * entry_size or zlib.crc32(entries) != entries_crc:
        return None
    parts = []
    for number in range(1, count + 1):
        kind, start, end = struct.unpack_from('<16s16x2Q', entries, (number - 1) * entry_size)
        if any(kind) and start <= end:
            parts.append(Part(number, start, end - start + 1))
    return parts


def main(path):
    """Prints the partitions of a disk's file, a line each."""
    with open(path, 'rb') as disk:
        def read(sector, count):
            disk.seek(sector * SECTOR)
            return disk.read(count * SECTOR)
        for part in read_table(read, disk.seek(0, 2) // SECTOR):
            print(*part)


if __name__ == '__main__':
    main(sys.argv[1])
