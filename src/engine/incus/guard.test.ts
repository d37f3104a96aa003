import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mustHold } from '#engine/incus/guard'
import { writingLines } from '#engine/incus/throttle'

const MIB = 2 ** 20
const room = (free: number, total: number) => ({ free: free * MIB, total: total * MIB })

test('writing is held below a gibibyte of room, and until there are two', () => {
  const [low, between, much] = [room(1023, 100_000), room(2047, 100_000), room(2048, 100_000)]
  assert.deepEqual([low, between, much].map(one => mustHold(false, [one])), [true, false, false])
  assert.deepEqual([low, between, much].map(one => mustHold(true, [one])), [true, true, false])
})

test('of a small pool it is a twentieth; the scarcer of pool and host decides', () => {
  assert.deepEqual([199, 201].map(free => mustHold(false, [room(free, 4000)])), [true, false])
  assert.equal(mustHold(false, [room(90_000, 100_000), room(1000, 100_000)]), true)
  assert.equal(mustHold(true, [room(90_000, 100_000), room(2100, 100_000)]), false)
})

test('of a disk that is held its writing alone is slow, in the words of either kind of control group', () => {
  const lines = (unified: boolean, bytesPerSecond?: number) =>
    writingLines({ unified, group: '/lxc.payload.m', number: 4097, bytesPerSecond })
      .map(({ file, line }) => `${file.replace('/sys/fs/cgroup/', '')} ${line}`)
  assert.deepEqual(lines(true, 4096), ['lxc.payload.m/io.max 7:4097 wbps=4096'])
  assert.deepEqual(lines(true), ['lxc.payload.m/io.max 7:4097 wbps=max'])
  const older = (value: number) => ['lxc.payload.m/', ''].map(group => `blkio/${group}blkio.throttle.write_bps_device 7:4097 ${value}`)
  assert.deepEqual([lines(false, 4096), lines(false)], [older(4096), older(0)])
})
