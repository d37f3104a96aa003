import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimLowest, claimNext } from '#service/ec2/vpc/numbers'
import { openSqlite } from '#store/sqlite'

test('the lowest free number is given, and none when all are taken', async () => {
  const given = await openSqlite(':memory:').transact(async tx => {
    const take = (owner: string) => claimLowest(tx, { scope: 's', owner, least: 5, most: 7 })
    const first = [await take('a'), await take('b'), await take('c'), await take('d')]
    await tx.release('s', '6')
    return [...first, await take('e')]
  })
  assert.deepEqual(given, [5, 6, 7, undefined, 6])
})

test('the next number comes round to a released one only after all others', async () => {
  const given = await openSqlite(':memory:').transact(async tx => {
    const take = (owner: string) => claimNext(tx, { scope: 's', owner, least: 1, most: 4 })
    const first = [await take('a'), await take('b')]
    await tx.release('s', '1')
    await tx.release('s', '2')
    return [...first, await take('c'), await take('d'), await take('e'), await take('f'), await take('g')]
  })
  assert.deepEqual(given, [1, 2, 3, 4, 1, 2, undefined])
})
