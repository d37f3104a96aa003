/**
 * Disks' limits given to the machines that have them.
 *
 * Invariant: what is kept with a disk is what its machines' control groups have, from each boot on and after each change.
 */
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { DiskLimits } from '#engine/port'
import { diskVolume, volumePath, type Volume } from '#engine/disk/layout'
import type { Client } from '#engine/incus/client'
import { heldIn, placeOf, rangeOf, rootOf, type Config } from '#engine/incus/attachment'
import { applyLimits, LIMITS } from '#engine/incus/throttle'

type Instance = { name: string; config: Config }

export function openLimits(home: Home, client: Client) {
  /** `only`: one disk of it, else all. */
  async function give({ name, config }: Instance, only?: string): Promise<void> {
    const place = placeOf(config)
    if (place === undefined) return
    const root = rootOf(config)
    const all = [...(root === undefined ? [] : [{ disk: root, number: rangeOf(home.slot, place).first }]), ...heldIn(config)]
    const disks = all.filter(({ disk }) => only === undefined || disk === only)
    const [{ pid }, ...volumes] = await Promise.all([
      client.get<{ pid: number }>(`/1.0/instances/${encodeURIComponent(name)}/state`),
      ...disks.map(({ disk }) => client.find<Volume>(volumePath(client, diskVolume(disk)))),
    ])
    // A limit that was never set is not taken away: the loop device is new, or has none.
    for (const [i, { number }] of disks.entries()) {
      const kept = volumes[i]?.config[LIMITS]
      if (kept === undefined && only === undefined) continue
      applyLimits({ pid, number, limits: kept ? (JSON.parse(kept) as DiskLimits) : undefined })
    }
  }
  return {
    give,
    /** For whoever must not fail with it: a failure is logged, and the next boot or change tries again. */
    async again(id: string, log: Log): Promise<void> {
      try {
        const instance = await client.find<Instance>(`/1.0/instances/${encodeURIComponent(id)}`)
        if (instance) await give(instance)
      } catch (error) {
        log.error('disk limits not given', { machine: id, error })
      }
    },
  }
}
