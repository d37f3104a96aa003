import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalCidr6, formatIp6, overlaps6, parseCidr6, parseIp6 } from '#base/cidr6'
import { coreAddress6, homeAt, hostAddress6, ipv6Block, IPV6_BLOCKS, ipv6Range } from '#base/home'

test('blocks get one text each: short, in small letters, without host bits', () => {
  const blocks = [
    '::/0', '2001:DB8::1/32', '2001:db8:0:0:1:0:0:1/128', '1:0:2:3:4:5:6:7/128', 'ffff:ffff::/17', '0:0:0:0:0:0:0:1/128', 'fe80::1:2/10',
  ]
  assert.deepEqual(blocks.map(canonicalCidr6),
    ['::/0', '2001:db8::/32', '2001:db8::1:0:0:1/128', '1:0:2:3:4:5:6:7/128', 'ffff:8000::/17', '::1/128', 'fe80::/10'])
})

test('what is no block has none', () => {
  const wrong = [
    '', '::', '::/129', '1::2::3/64', '1:2:3/64', '1:2:3:4:5:6:7:8:9/64', 'g::/8', '10.0.0.0/8', '::ffff:10.0.0.1/128',
    '1:2:3:4:5:6:7::8/64', ':::/0',
  ]
  assert.deepEqual(wrong.map(canonicalCidr6), wrong.map(() => undefined))
})

test('addresses are numbers and back, and blocks know their host bits', () => {
  assert.deepEqual(['::', '1::', '3FFF:0ec2::7', 'x'].map(text => parseIp6(text)), [0n, 1n << 112n, (0x3fff0ec2n << 96n) + 7n, undefined])
  assert.equal(formatIp6(parseIp6('1:0:0:2:0:0:0:3')!), '1:0:0:2::3')
  assert.deepEqual([parseCidr6('1::/16')?.exact, parseCidr6('1::1/16')?.exact], [true, false])
})

test('each slot has a range of its own, in which blocks and the host do not meet', () => {
  const ranges = Array.from({ length: 8 }, (_, slot) => ipv6Range({ slot }))
  assert.ok(ranges.every((a, i) => ranges.every((b, j) => i === j || !overlaps6(a, b))))
  const home = homeAt({ dir: '/nowhere', slot: 1 })
  assert.deepEqual([ipv6Block(home, 1), ipv6Block(home, 256), ipv6Block(home, IPV6_BLOCKS), hostAddress6(home), coreAddress6(home)],
    ['3fff:ec2:1000:100::/56', '3fff:ec2:1001::/56', '3fff:ec2:1fff:ff00::/56', '3fff:ec2:1000::1', '3fff:ec2:1000::2'])
})
