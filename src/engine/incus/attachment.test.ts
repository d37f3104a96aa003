/** What a machine's configuration says of its disks, and what the guest and the kernel are told of them. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { MachineDisk } from '#engine/port'
import { firstLoop, MACHINES, PER_MACHINE } from '#engine/disk/loop'
import { freeNumber, heldIn, holding, rangeOf, without, type Devices } from '#engine/incus/attachment'
import { limitLines } from '#engine/incus/throttle'
import { writeView, type Shown } from '#engine/incus/view'

const disk = (id: string, device: string): MachineDisk => ({ disk: id, device, serial: id.replace('-', ''), model: 'Model' })

test('numbers of machines never meet, nor those of Enclumes side by side or of the host', () => {
  const last = firstLoop({ slot: 0, place: MACHINES - 1 }) + PER_MACHINE - 1
  assert.deepEqual([firstLoop({ slot: 0, place: 0 }), rangeOf(0, 1)], [4096, { first: 4160, last: 4223 }])
  assert.ok(last < firstLoop({ slot: 1, place: 0 }))
  assert.ok(firstLoop({ slot: 7, place: MACHINES - 1 }) + PER_MACHINE - 1 < 2 ** 20)
})

test('a disk is written into the configuration with its device, and both go together', () => {
  const one = { ...disk('vol-1', 'xvdf'), number: 4097 }
  const two = { ...disk('vol-2', 'nvme1n1'), number: 4098, readOnly: true as const }
  const config = { other: 'x', ...holding(two).config, ...holding(one).config }
  const devices: Devices = { root: {}, ...holding(one).devices, ...holding(two).devices }
  assert.deepEqual(heldIn(config), [one, two])
  assert.deepEqual(devices['disk-nvme1n1'], {
    type: 'unix-block', path: '/dev/nvme1n1', major: '7', minor: '4098', uid: '0', gid: '6', mode: '0440',
  })
  assert.deepEqual(without({ config, devices }, one), {
    config: { other: 'x', ...holding(two).config }, devices: { root: {}, ...holding(two).devices },
  })
})

test('the first number is the root\'s, and what still hangs on one keeps it', () => {
  assert.equal(freeNumber({ first: 10, last: 13 }, new Set([11])), 12)
  assert.throws(() => freeNumber({ first: 10, last: 11 }, new Set([11])), /no room/)
})

test('limits are for the machine and, with older control groups, for what is written later in the host\'s name', () => {
  const lines = (unified: boolean, limits?: { iops?: number; bytesPerSecond?: number }) =>
    limitLines({ unified, group: '/lxc.payload.m', number: 4097, limits }).map(({ file, line }) => `${file.replace('/sys/fs/cgroup/', '')} ${line}`)
  assert.deepEqual(lines(true, { iops: 100 }), ['lxc.payload.m/io.max 7:4097 rbps=max wbps=max riops=100 wiops=100'])
  assert.deepEqual(lines(true), ['lxc.payload.m/io.max 7:4097 rbps=max wbps=max riops=max wiops=max'])
  const older = (group: string, values: [number, number]) => ['read_bps', 'write_bps', 'read_iops', 'write_iops']
    .map((name, i) => `blkio/${group}blkio.throttle.${name}_device 7:4097 ${values[i >> 1]}`)
  assert.deepEqual(lines(false, { iops: 100, bytesPerSecond: 5 }), [...older('lxc.payload.m/', [5, 100]), ...older('', [5, 100])])
  assert.deepEqual(lines(false), [...older('lxc.payload.m/', [0, 0]), ...older('', [0, 0])])
})

test('what a guest is shown is what it has, and no more after a change', () => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-view-'))
  try {
    const number = (minor: number) => ({ major: 7, minor })
    const root: Shown = {
      name: 'xvda', number: { major: 202, minor: 0 }, sectors: 2048, model: 'M', serial: 'vol0',
      partitions: [{ index: 1, number: number(4096), start: 0, sectors: 2048 }],
    }
    const data: Shown = { name: 'xvdf', number: number(4097), sectors: 4096, model: 'M', serial: 'vol1' }
    writeView(dir, [root, data])
    assert.deepEqual([readdirSync(join(dir, 'class')).sort(), readdirSync(join(dir, 'dev')).sort()],
      [['xvda', 'xvda1', 'xvdf'], ['202:0', '7:4096', '7:4097']])
    assert.equal(readlinkSync(join(dir, 'dev/7:4096')), '../../block/xvda/xvda1')
    const read = (name: string) => readFileSync(join(dir, 'block/xvdf', name), 'utf8')
    assert.deepEqual(['size', 'device/model', 'device/serial'].map(read), ['4096\n', 'M\n', 'vol1\n'])
    writeView(dir, [root])
    assert.deepEqual([readdirSync(join(dir, 'block')), readdirSync(join(dir, 'class')).sort(), readdirSync(join(dir, 'dev')).sort()],
      [['xvda'], ['xvda', 'xvda1'], ['202:0', '7:4096']])
    const partitions = readFileSync(join(dir, 'partitions'), 'utf8')
    assert.equal(partitions, 'major minor  #blocks  name\n\n 202        0       1024 xvda\n   7     4096       1024 xvda1\n')
  } finally {
    rmSync(dir, { recursive: true })
  }
})
