/** Machines with disks on the real host, for tests: a home with an image, and a way into each guest. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { homeAt } from '#base/home'
import { openLog } from '#base/log'
import type { DiskSpec, MachineDisk, MachineSeen, MachineSpec } from '#engine/port'
import { openDisks } from '#engine/disk/disks'
import { buildImage } from '#engine/disk/image'
import { loopsBelow } from '#engine/disk/loop'
import { mountsBelow } from '#engine/disk/mount'
import { run } from '#engine/disk/run'
import { startDaemon } from '#engine/incus/daemon'
import { openGuard, type Guard } from '#engine/incus/guard'
import { openMachines } from '#engine/incus/machines'
import { incusDir } from '#engine/incus/place'
import { until } from '#engine/incus/process'
import { resetDaemon } from '#engine/incus/reset'

/** A home given by the caller keeps its image, which takes a minute to build; what a test makes in it goes. */
const given = process.env['ENCLUME_TEST_HOME']

/**
 * Runs a command when told to, and says what it said. One that Incus lost (src/engine/incus/exec.ts) is not told: it is not begun twice, nor
 * without its listener. A shell whose command goes on in the background does not wait for it.
 */
const WHEN_TOLD = `read -r go && [ "$go" = go ] || exit 75
said=$(mktemp -d /dev/.said-XXXXXX); "$@" > "$said/out" 2> "$said/err" < /dev/null; code=$?
cat "$said/out"; cat "$said/err" >&2; rm -r "$said"; exit $code`

export async function openBench() {
  const home = homeAt({ dir: given ?? '/var/lib/enclume-test-incus', slot: 6 })
  mkdirSync(join(home.dir, 'log'), { recursive: true })
  const log = openLog(line => writeFileSync(join(home.dir, 'log', 'test.log'), line, { flag: 'a' }))
  const client = await startDaemon(home, log, { poolGiB: 20 })
  await buildImage(home, client, 'debian-12', log)
  const disks = openDisks(home, client, log)
  // One for all: a machine that is to stop must be known to who holds them.
  let guard = openGuard(home, client, log)
  const machines = openMachines(home, client, log, {
    leaving: id => guard.leaving(id), back: id => guard.back(id), freeGiB: () => guard.freeGiB(), watch: () => guard.watch(),
    close: () => guard.close(),
  })
  const made = { machines: new Set<string>(), disks: new Set<string>() }

  /** Runs a command in a guest as its root, under its filter of system calls as all that runs there. */
  async function inside(machine: string, ...command: string[]): Promise<string> {
    for (let tries = 0; ; tries++) {
      try {
        const args = ['exec', machine, '--', 'sh', '-c', WHEN_TOLD, 'sh', ...command]
        return await run('incus', args, { env: { ...process.env, INCUS_DIR: incusDir(home) }, input: 'go\n' })
      } catch (error) {
        if (!/Failed to retrieve PID/.test((error as Error).message) || tries === 10) throw error
      }
    }
  }
  const bench = {
    home, log, client, disks, machines, inside, made: made.disks,
    /** A guard that looks, in the place of the one before. */
    guarded(): Guard {
      guard = openGuard(home, client, log)
      guard.watch()
      return guard
    },
    shell: (machine: string, script: string) => inside(machine, 'sh', '-euc', script),
    async disk(id: string, sizeGiB: number, from?: DiskSpec['from']) {
      made.disks.add(id)
      await disks.create({ id, sizeGiB, ...(from && { from }) })
    },
    /** One that runs, with a root disk of its own; it has no network. */
    async machine(id: string, data: MachineDisk[] = []): Promise<MachineSpec> {
      const spec: MachineSpec = { id, cpus: 1, memoryMiB: 512, rootDisk: `${id}-root`, ports: [], disks: data }
      await bench.disk(spec.rootDisk, 8, { image: 'debian-12' })
      made.machines.add(id)
      await machines.create(spec)
      await bench.start(id)
      return spec
    },
    async start(id: string) {
      await machines.start(id)
      await bench.booted(id)
    },
    async booted(id: string) {
      const up = () => inside(id, 'systemctl', 'is-active', 'local-fs.target').then(() => true, () => false)
      assert.ok(await until(up, 60_000), String(await machines.console(id)))
    },
    async seen(id: string): Promise<MachineSeen> {
      const seen = await machines.observe(id)
      assert.ok(typeof seen === 'object', `seen: ${seen}`)
      return seen
    },
    async close() {
      for (const id of made.machines) await machines.delete(id)
      for (const id of made.disks) await disks.delete(id)
      if (given !== undefined) return
      await resetDaemon(home, log)
      assert.deepEqual([mountsBelow(home.dir), mountsBelow(home.run), loopsBelow(home.dir)], [[], [], []])
      rmSync(home.dir, { recursive: true })
      rmSync(home.run, { recursive: true })
    },
  }
  return bench
}

export const ebs = (disk: string, device: string, more: Partial<MachineDisk> = {}): MachineDisk =>
  ({ disk, device, serial: disk.replace('-', ''), model: 'Amazon Elastic Block Store', ...more })
