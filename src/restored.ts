/**
 * The first start on restored data: the host has the disks, and none of the machines that ran on them.
 *
 * Invariant: a mark of the launcher's says so, and goes only when the records do too; done twice it is the same.
 */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { instance } from '#service/ec2/instance/instance'
import type { Store } from '#store/store'

export const RESTORED = 'restored'

/** Has every machine made again from its disk; what ran is started, as after `down`. Answers how many there are. */
export async function admitRestored(dir: string, store: Store): Promise<number> {
  const mark = join(dir, RESTORED)
  if (!existsSync(mark)) return 0
  const count = await store.transact(async tx => {
    const rows = (await instance.everywhere(tx)).filter(row => row.spec.desired !== 'terminated' && row.status.created)
    for (const row of rows) {
      await instance.update(tx, row, { status: { created: false, suspended: row.spec.desired === 'running' } }, 'restored')
    }
    return rows.length
  })
  rmSync(mark)
  return count
}
