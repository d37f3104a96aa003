/**
 * The sweep for disks that nobody owns.
 *
 * Invariant: a disk must be seen so in two runs: what is being made or removed just then is never touched.
 */
import { isResourceId } from '#base/id'
import type { Context } from '#service/ec2/context'
import { isEphemeral, isLiveEphemeral } from '#service/ec2/instance/ephemeral'
import { snapshot } from '#service/ec2/snapshot/snapshot'
import { volume } from '#service/ec2/volume/volume'
import type { Reader } from '#store/store'

/** Whether a disk has an owner; undefined for one that is no disk of ours. */
async function owned(reader: Reader, disk: string): Promise<boolean | undefined> {
  for (const resource of [volume, snapshot]) if (isResourceId(resource.prefix, disk)) return await resource.find(reader, disk) !== undefined
  return isEphemeral(disk) ? isLiveEphemeral(reader, disk) : undefined
}

/** Answers the ids deleted. */
export function diskSweeper({ engine, store, log }: Pick<Context, 'engine' | 'store' | 'log'>): () => Promise<string[]> {
  let suspects = new Set<string>()
  return async () => {
    const disks = await engine.disks.list()
    if (disks === 'unknown') return []
    const orphans = new Set<string>()
    const deleted: string[] = []
    for (const id of disks) {
      if (await owned(store, id) !== false) continue
      if (!suspects.has(id)) { orphans.add(id); continue }
      try {
        await engine.disks.delete(id)
        deleted.push(id)
        log.warn('volume.orphan', { id })
      } catch (error) {
        orphans.add(id)
        log.error('volume.orphan', { id, error })
      }
    }
    suspects = orphans
    return deleted
  }
}
