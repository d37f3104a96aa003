/**
 * Keeps a guest that is to be switched off from making processes: those of a fork bomb would be made faster than the kernel ends them.
 *
 * Invariant: only for a guest whose end has been decided; its next start has a control group of its own.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unifiedCgroups } from '#engine/incus/host'
import { CGROUPS, payloadGroup } from '#engine/incus/throttle'

/** `pid`: the guest's init. One that is gone has no group, and nothing to be kept from. */
export function stopForking(pid: number): void {
  const group = payloadGroup(pid, 'pids')
  if (group === undefined) return
  try {
    writeFileSync(join(CGROUPS, unifiedCgroups() ? '' : 'pids', group, 'pids.max'), '1')
  } catch (error) {
    if (!['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
