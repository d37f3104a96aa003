/** What is read of partition tables, those that a tool writes and those that somebody writes who means harm. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '#engine/disk/run'

/** Prints with the reader at hand; `disk` makes one of `size` sectors from pieces at their sectors. */
async function python(script: string): Promise<string[]> {
  const text = await run('python3', ['-ISc', `import sys, struct, zlib, random
sys.dont_write_bytecode = True
sys.path.insert(0, ${JSON.stringify(import.meta.dirname)})
from table import *
def block(*entries):
    return bytes(446) + b''.join(struct.pack('<B3xB3xII', *entry) for entry in entries).ljust(64, b'\\0') + b'\\x55\\xaa'
def header(entries, size=1000, **other):
    words = dict(here=1, first=34, last=size - 34, at=2, count=128, each=128) | other
    make = lambda crc: struct.pack('<8sIIIIQQQQ16sQIII', b'EFI PART', 65536, 92, crc, 0, words['here'], size - 1, words['first'], words['last'],
        bytes(16), words['at'], words['count'], words['each'], zlib.crc32(entries))
    return make(zlib.crc32(make(0)))
def entries(*parts):
    return b''.join(struct.pack('<16s16sQQ80x', b'k' * 16 if kind else bytes(16), bytes(16), a, b) for kind, a, b in parts).ljust(128 * 128, b'\\0')
def parts(pieces, size=1000):
    reads.clear()
    def read(sector, count):
        reads.append(count)
        return b''.join(pieces.get(n, bytes(512)).ljust(512, b'\\0')[:512] for n in range(sector, min(sector + count, size)))
    return [tuple(part) for part in read_table(read, size)]
def spread(at, data): return {at + n: data[512 * n:512 * n + 512] for n in range(-(-len(data) // 512))}
reads = []
PMBR = block((0, 0xEE, 1, 999))
${script}`])
  return text.trim().split('\n')
}

test('primary and logical partitions of an MBR are read, those beyond the end are cut or left out', async () => {
  assert.deepEqual(await python(`
print(parts({0: block((0x80, 0x83, 10, 90), (0, 0x82, 100, 50), (0, 5, 200, 700), (0, 0x83, 950, 100)),
    200: block((0, 0x83, 2, 98), (0, 5, 100, 100)), 300: block((0, 0x83, 2, 50))}))
print(parts({0: block((0, 0x83, 1000, 5), (0, 0x83, 0, 5), (0, 0, 5, 5))}), parts({}), parts({0: bytes(510) + b'\\x55\\xaa'}))
print(parts({0: block((7, 0x83, 10, 90))}))`), [
    '[(1, 10, 90), (2, 100, 50), (3, 200, 2), (5, 202, 98), (6, 302, 50), (4, 950, 50)]',
    '[(3, 5, 5)] [] []', '[]',
  ])
})

test('a GPT is read where its sums are right, else the MBR counts', async () => {
  assert.deepEqual(await python(`
good = entries((1, 34, 99), (0, 100, 199), (1, 200, 299), (1, 400, 300), (1, 900, 5000))
def disk(head, body=good): return {0: PMBR, 1: head, **spread(2, body)}
print(parts(disk(header(good))))
for head in (header(good)[:-1] + b'x', header(good, here=2), header(good, each=256), header(good, count=0), header(good, count=129),
    header(good, count=2 ** 32 - 1), header(good, at=2 ** 63), header(good, last=1000), header(good, at=990), header(b'other'),
    b'EFI PART' + b'\\xff' * 504):
    print(parts(disk(head)), end=' ')
print(parts({0: block((0, 0x83, 10, 90)), 1: header(good), **spread(2, good)}))`), [
    '[(1, 34, 66), (3, 200, 100), (5, 900, 100)]',
    `${'[(1, 1, 999)] '.repeat(11)}[(1, 10, 90)]`,
  ])
})

test('tables that lead in a circle, or are noise, end soon and lie on the disk', async () => {
  const [ring, noise] = await python(`
ring = parts({0: block((0, 5, 10, 900)), 10: block((0, 0x83, 1, 1), (0, 5, 20, 1)), 30: block((0, 0x83, 1, 1), (0, 5, 0, 1))})
print(len(ring), len(reads) < 200)
random.seed(11); worst = most = 0
for turn in range(3000):
    size = random.choice((1, 2, 34, 1000)); edge = (0, 1, 2, 34, 100, 999, 1000, 2 ** 31, 2 ** 32 - 1)
    pick = lambda: random.choice(edge)
    body = entries(*((random.random() < 0.9, pick(), random.choice((pick(), 2 ** 64 - 1))) for _ in range(random.randrange(128))))
    head = header(body, **{k: pick() for k in ('here', 'first', 'last', 'at', 'count') if random.random() < 0.1})
    entry = lambda: (random.choice((0, 0, 0, 0x80, 9)), random.choice((0x83, 5, 0xEE, 0)), pick(), pick())
    pieces = {n: block(*(entry() for _ in range(4))) for n in (0, 1, 2, 34, 100)}
    if random.random() < 0.5: pieces |= {0: PMBR, 1: head, **spread(2, body)}
    if random.random() < 0.2: pieces[random.choice((0, 1, 2))] = random.randbytes(510) + b'\\x55\\xaa'
    for number, start, length in parts(pieces, size):
        assert 1 <= number <= 128 and 0 < start < size and 0 < length <= size - start, (number, start, length)
    worst, most = max(worst, sum(reads)), max(most, len(reads))
print(worst <= 600, most <= 500)`)
  assert.deepEqual([ring, noise], ['101 True', 'True True'])
})
