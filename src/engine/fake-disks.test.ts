import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openFake } from '#engine/fake'
import { BLOCK_BYTES, type MachineDisk, type MachineSpec } from '#engine/port'

const block = (fill: number) => new Uint8Array(BLOCK_BYTES).fill(fill)
const all = { first: 0, limit: 100 }
const data = (disk: string, more: Partial<MachineDisk> = {}): MachineDisk => ({ disk, device: 'xvdf', serial: disk, model: 'test', ...more })
const spec = (id: string): MachineSpec => ({ id, cpus: 1, memoryMiB: 512, rootDisk: `root-${id}`, ports: [] })

async function engine(...machines: string[]) {
  const fake = openFake()
  for (const id of machines) {
    await fake.disks.create({ id: `root-${id}`, sizeGiB: 1 })
    await fake.machines.create(spec(id))
    await fake.machines.start(id)
  }
  await fake.disks.create({ id: 'data', sizeGiB: 2 })
  return fake
}
const disksOf = async (fake: Awaited<ReturnType<typeof engine>>, id: string) => {
  const seen = await fake.machines.observe(id)
  return typeof seen === 'object' ? seen.disks : seen
}

test('a copy keeps the blocks of its moment, and tells what has changed since', async () => {
  const { disks } = await engine()
  await disks.writeBlock('data', 3, block(1))
  await disks.create({ id: 'copy', sizeGiB: 2, from: { disk: 'data' } })
  await disks.writeBlock('data', 3, block(2))
  await disks.writeBlock('data', 5, block(5))
  assert.deepEqual([await disks.readBlock('copy', 3), await disks.readBlock('copy', 5)], [block(1), undefined])
  assert.deepEqual([await disks.blocks('data', all), await disks.changed('data', 'copy', all)], [[3, 5], [3, 5]])
  assert.deepEqual(await disks.usage('copy'), { bytes: BLOCK_BYTES })
})

test('a disk belongs to one machine, unless all share it, and is neither written nor deleted meanwhile', async () => {
  const fake = await engine('a', 'b')
  await fake.machines.attachDisk('a', data('data'))
  await fake.machines.attachDisk('a', data('data'))
  await assert.rejects(fake.machines.attachDisk('b', data('data')), /is a's/)
  await assert.rejects(fake.disks.writeBlock('data', 0, block(1)), /in use/)
  await assert.rejects(fake.disks.delete('data'), /in use/)
  await fake.machines.detachDisk('a', 'data', { force: false })
  for (const id of ['a', 'b']) await fake.machines.attachDisk(id, data('data', { shared: true }))
  assert.deepEqual([await fake.disks.observe('data'), await fake.disks.users('data')], [{ sizeGiB: 2 }, ['a', 'b']])
})

test('a disk that its guest has mounted is busy until it lets go, or is forced, or goes down', async () => {
  const fake = await engine('a')
  const endings = [
    () => fake.guest.umount('a', 'data'), () => fake.machines.detachDisk('a', 'data', { force: true }), () => fake.machines.kill('a'),
  ]
  for (const end of endings) {
    await fake.machines.attachDisk('a', data('data'))
    fake.guest.mount('a', 'data')
    await fake.machines.detachDisk('a', 'data', { force: false })
    assert.deepEqual(await disksOf(fake, 'a'), [{ disk: 'data', busy: true }])
    await end()
    assert.deepEqual(await disksOf(fake, 'a'), [])
  }
})

test('a machine that is off gets another root, and none starts without one; disks only grow', async () => {
  const fake = await engine('a')
  await assert.rejects(fake.machines.setRoot('a', 'data'), /is on/)
  await fake.machines.kill('a')
  await fake.machines.setRoot('a', undefined)
  await assert.rejects(fake.machines.start('a'), /no root disk/)
  await fake.machines.setRoot('a', 'data')
  await fake.machines.start('a')
  await fake.disks.grow('data', 3)
  await assert.rejects(fake.disks.grow('data', 2), /can't shrink/)
  assert.deepEqual([await fake.disks.observe('data'), await fake.disks.users('data')], [{ sizeGiB: 3 }, ['a']])
})
