import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { checksumOf, joinCrc, openChecksum, type Algorithm } from '#base/checksum'

const hex = (algorithm: Algorithm, bytes: Uint8Array) => Buffer.from(checksumOf(algorithm, bytes), 'base64').toString('hex')

test('the check values of the CRC catalogue come out', () => {
  const digits = Buffer.from('123456789')
  assert.deepEqual((['CRC32', 'CRC32C', 'CRC64NVME'] as const).map(name => hex(name, digits)), ['cbf43926', 'e3069283', 'ae8b14860a799888'])
  assert.equal(hex('SHA1', digits), 'f7c3bc1d808e04732adf679965ccc34ca7ae3441')
  assert.equal(checksumOf('CRC32', Buffer.alloc(0)), 'AAAAAA==')
})

test('pieces of any size give what the whole gives, and CRCs can be joined', () => {
  const whole = randomBytes(10_007)
  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
    const pieces = openChecksum(algorithm)
    for (let at = 0, size = 1; at < whole.length; at += size, size = (size * 3) % 101 + 1) pieces.update(whole.subarray(at, at + size))
    assert.equal(pieces.digest(), checksumOf(algorithm, whole))
    for (const cut of [0, 1, 4096, 10_006, 10_007]) {
      const [first, second] = [whole.subarray(0, cut), whole.subarray(cut)]
      assert.equal(joinCrc(algorithm, checksumOf(algorithm, first), checksumOf(algorithm, second), second.length), checksumOf(algorithm, whole))
    }
  }
})
