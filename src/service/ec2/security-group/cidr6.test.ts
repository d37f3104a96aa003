import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalCidr6 } from '#service/ec2/security-group/cidr6'

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
