import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkSpec } from '#engine/port'
import { remembered } from '#service/ec2/vpc/remembered'
import type { VpcRow } from '#service/ec2/vpc/vpc'
import type { Reader, Row } from '#store/store'
import { openSqlite } from '#store/sqlite'

const row = (kind: string, id: string, generation = 0): Row =>
  ({ kind, id, account: '1', region: 'r', generation, created: '', spec: {}, status: {}, tags: {} })

test('a network is read again only after a record of a kind that it was read from was written', async () => {
  const store = openSqlite(':memory:')
  let reads = 0
  const read = async (reader: Reader, { id }: VpcRow): Promise<NetworkSpec> => {
    reads++
    return { id, cidrs: (await reader.list({ kind: 'subnet' })).map(subnet => subnet.id) } as unknown as NetworkSpec
  }
  const wanted = remembered(store, read)
  const vpc = row('vpc', 'vpc-1') as VpcRow
  const first = await wanted(vpc)
  assert.equal(await wanted(vpc), first)
  await store.transact(tx => tx.put(row('instance', 'i-1'), 'created'))
  assert.equal(await wanted(vpc), first)
  await store.transact(tx => tx.put(row('subnet', 'subnet-1'), 'created'))
  const second = await wanted(vpc)
  assert.deepEqual([second.cidrs, first.cidrs], [['subnet-1'], []])
  await store.transact(tx => tx.put(row('vpc', 'vpc-1'), 'changed'))
  await wanted(vpc)
  assert.equal(reads, 3)
  await store.close()
})

test('what was read while a record was written is given once and not remembered', async () => {
  const store = openSqlite(':memory:')
  let reads = 0
  const wanted = remembered(store, async (reader, { id }) => {
    await reader.list({ kind: 'subnet' })
    if (reads++ === 0) await store.transact(tx => tx.put(row('subnet', 'subnet-1'), 'created'))
    return { id } as NetworkSpec
  })
  for (let time = 0; time < 3; time++) await wanted(row('vpc', 'vpc-1') as VpcRow)
  assert.equal(reads, 2)
  await store.close()
})
