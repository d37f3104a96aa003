/** A pool without room, on the real host: what writes waits and is told of no error, what stops stops, and all goes on with room. */
import assert from 'node:assert/strict'
import { existsSync, rmSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { openBench } from '#engine/disk/volumes.suite'
import { run } from '#engine/disk/run'
import type { Guard } from '#engine/incus/guard'
import { volumeDir } from '#engine/incus/place'
import { until } from '#engine/incus/process'

const [WRITER, OTHER] = ['i-0000000000000000a', 'i-0000000000000000b']
let bench: Awaited<ReturnType<typeof openBench>>
let guard: Guard
const pool = () => dirname(dirname(volumeDir(bench.home, 'any')))
const ballast = () => join(pool(), 'ballast')
const isHeld = () => existsSync(join(bench.home.dir, 'writing-held'))

before(async () => {
  bench = await openBench()
  guard = bench.guarded()
  await bench.machine(WRITER)
  await bench.machine(OTHER)
})
after(async () => {
  rmSync(ballast(), { force: true })
  await until(() => !isHeld(), 60_000)
  await guard.close()
  await bench.close()
})

/** Blocks that are reserved and never written: the pool has no more for others, and the host has lost nothing. */
async function leave(mib: number): Promise<void> {
  const { bavail, bsize } = statfsSync(pool())
  await run('fallocate', ['--length', String(bavail * bsize - mib * 2 ** 20), ballast()])
}
const written = async (): Promise<number> => Number((await bench.shell(WRITER, 'cat /run/written')).trim() || 0)

/** It has stayed so over many looks. */
async function rests(): Promise<boolean> {
  let [last, same] = [-1, 0]
  return until(async () => {
    const now = await written()
    same = now === last ? same + 1 : 0
    last = now
    return same === 20
  }, 60_000, 100)
}

test('who writes to a full pool waits, is told of no error, and goes on when there is room', { timeout: 300_000 }, async () => {
  await bench.shell(WRITER, `cat > /root/write << 'END'
while :; do
  dd if=/dev/urandom of=/run/next bs=1M count=1 status=none
  dd if=/run/next of=/root/file-$n bs=1M conv=fsync status=none || exit 1
  (cd /run; echo "$(sha256sum < next | cut -c1-64)  /root/file-$n") >> /run/digests
  n=$((n + 1)); echo $n > /run/written
done
END
    echo 0 > /run/written; n=0 setsid nohup sh /root/write > /run/said 2>&1 & echo $! > /run/pid`)
  assert.ok(await until(async () => await written() > 3, 60_000))
  await leave(700)
  assert.ok(await until(isHeld, 60_000))
  assert.ok(await rests())
  assert.equal(await bench.shell(WRITER, 'cat /run/said'), '')
  // Who looks meanwhile is not the one who writes, and one that stops has nothing to wait for.
  await bench.shell(OTHER, 'dd if=/dev/zero of=/root/much bs=1M count=48 status=none')
  await bench.machines.stop(OTHER, { timeoutMs: 60_000 })
  const { power } = await bench.seen(OTHER)
  assert.equal(power, 'off')
  // A server that is killed meanwhile is followed by another.
  await guard.close()
  rmSync(ballast())
  await run('btrfs', ['filesystem', 'sync', pool()])
  assert.ok(isHeld())
  const before = await written()
  guard = bench.guarded()
  assert.ok(await until(() => !isHeld(), 60_000))
  assert.ok(await until(async () => await written() > before + 3, 60_000))
  await bench.shell(WRITER, 'kill $(cat /run/pid); sha256sum --check --quiet /run/digests; touch /root/writable')
  await bench.start(OTHER)
  await bench.shell(OTHER, 'touch /root/writable; [ "$(stat -c %s /root/much)" = 50331648 ]')
})
