/** The picture that the API makes of an MFA device's seed. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { qrCode } from '#service/iam/qr-code'
import { readQr } from './authenticator.ts'

test('what is written is what is read', () => {
  const ends = ['phone@123456789012?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', `${'x'.repeat(128)}?secret=${'A'.repeat(64)}`]
  const uris = ends.map(end => `otpauth://totp/${end}`)
  assert.deepEqual(uris.map(uri => readQr(qrCode(uri))), uris)
})

test('the picture is a PNG, its checks among it', () => {
  const told = execFileSync('/usr/bin/python3', ['-c', `
import struct, sys, zlib
png = sys.stdin.buffer.read()
assert png[:8] == b"\\x89PNG\\r\\n\\x1a\\n"
at, kinds = 8, []
while at < len(png):
    size, kind = struct.unpack(">I4s", png[at:at + 8])
    data, = png[at + 8:at + 8 + size],
    assert struct.unpack(">I", png[at + 8 + size:at + 12 + size])[0] == zlib.crc32(kind + data)
    kinds.append(kind.decode())
    at += 12 + size
print(*kinds)`], { input: qrCode('x'), encoding: 'utf8' })
  assert.equal(told.trim(), 'IHDR IDAT IEND')
})
