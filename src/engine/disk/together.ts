/**
 * Copies of several disks as of one moment.
 *
 * Invariants: all that runs in the disks' machines rests from before the first copy begins until the last one is done, so that what was
 * synced to one disk after another is so in the copies too. The first copy that says it is ready says so of all: whoever dies before that
 * begins all anew, and after it only says so of the others.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { DiskSpec } from '#engine/port'
import { discard } from '#engine/disk/disks'
import { stilled, thawAll } from '#engine/disk/freeze'
import { diskVolume, isReady, markReady, volumePath, type Volume } from '#engine/disk/layout'
import { mountsBelow } from '#engine/disk/mount'
import type { Client } from '#engine/incus/client'
import { unifiedCgroups } from '#engine/incus/host'
import { haversOf, type Instance } from '#engine/incus/machine-disks'
import { monitorTitle } from '#engine/incus/place'
import { children, processes } from '#engine/incus/process'
import { CGROUPS, payloadGroup } from '#engine/incus/throttle'

/** In the configuration of a copy whose companions are all whole. */
const TOGETHER = 'user.together'
/** One at a time: each of the copies is asked for by whoever waits for it. */
let last: Promise<unknown> = Promise.resolve()

type On = { home: Home; client: Client; log: Log }

/** `copy` makes one of them, which is not ready then. */
export function together(on: On, specs: DiskSpec[], copy: (spec: DiskSpec) => Promise<void>): Promise<void> {
  const next = last.then(() => make(on, specs, copy))
  last = next.catch(() => {})
  return next
}

async function make({ home, client, log }: On, specs: DiskSpec[], copy: (spec: DiskSpec) => Promise<void>): Promise<void> {
  const find = (id: string) => client.find<Volume>(volumePath(client, diskVolume(id)))
  const there = await Promise.all(specs.map(({ id }) => find(id)))
  if (there.every(volume => volume && isReady(volume))) return
  if (!there.some(volume => volume?.config[TOGETHER])) {
    for (const volume of there) if (volume) await discard(home, client, volume.name)
    const started = performance.now()
    const groups = await groupsOf(home, client, specs)
    await stilled(groups, async () => { for (const spec of specs) await copy(spec) })
    log.info('disks made', { disks: specs.map(({ id }) => id), still: groups.length, ms: Math.round(performance.now() - started) })
  }
  for (const { id } of specs) await markReady(client, diskVolume(id), { [TOGETHER]: 'true' })
}

/** The control groups of the machines that run with what is to be copied. */
async function groupsOf(home: Home, client: Client, specs: DiskSpec[]): Promise<string[]> {
  const instances = await client.get<Instance[]>('/1.0/instances?recursion=1')
  const sources = specs.flatMap(({ from }) => (from && 'disk' in from ? from.disk : []))
  const running = [...new Set(sources.flatMap(disk => haversOf(home, instances, disk)))].filter(({ status }) => status !== 'Stopped')
  const states = await Promise.all(running.map(({ name }) => client.get<{ pid: number }>(`/1.0/instances/${encodeURIComponent(name)}/state`)))
  return states.flatMap(({ pid }) => freezer(pid))
}

/** Of the machine whose init this is; none if it is gone. */
function freezer(pid: number): string[] {
  const group = payloadGroup(pid, 'freezer')
  const dir = group && join(CGROUPS, unifiedCgroups() ? '' : 'freezer', group)
  return dir && existsSync(dir) ? [dir] : []
}

/** Thaws what an earlier process left frozen when it was killed together with its child: for the start of one that alone may freeze. */
export async function thawLeft(home: Home): Promise<void> {
  const inits = processes(monitorTitle(home)).flatMap(children)
  const points = mountsBelow(join(home.run, 'root')).filter(point => point.endsWith('/fs'))
  await thawAll({ points, groups: inits.flatMap(freezer) })
}
