import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashPassword, isPassword } from '#base/password'

test('a password is known again by its hash alone, and no other is', async () => {
  const kept = await hashPassword('correct horse')
  assert.deepEqual([await isPassword('correct horse', kept), await isPassword('correct horse ', kept)], [true, false])
  assert.ok(!JSON.stringify(kept).includes('correct'))
})

test('the same password is never kept twice alike', async () => {
  const [one, other] = await Promise.all([hashPassword('same'), hashPassword('same')])
  assert.notEqual(one.hash, other.hash)
})

test('the same letters typed in another Unicode form are the same password', async () => {
  assert.ok(await isPassword('cafe\u0301', await hashPassword('caf\u00e9')))
})
