/**
 * The device a machine may open, as the older control groups hold it: the machine's group, and those that its guest's systemd makes below it.
 *
 * Invariant: a group is told before the groups in it are looked for. A group copies its parent's rules when it is made: who comes after the look
 * has the rule by its parent, and who was there before is found.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A group may go at any moment; the kernel says ENODEV of one whose files are still open. */
const GONE = ['ENOENT', 'ENODEV', 'ENOTDIR']

function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** `number`: of a loop device. What is denied to a group is denied to those below it; what is allowed again is not allowed to them by that. */
export function permitBelow(group: string, number: number, allowed: boolean): void {
  unlessGone(() => { writeFileSync(join(group, `devices.${allowed ? 'allow' : 'deny'}`), `b 7:${number} rwm`, { flag: 'r+' }) })
  if (!allowed) return
  const below = unlessGone(() => readdirSync(group, { withFileTypes: true })) ?? []
  for (const entry of below) if (entry.isDirectory()) permitBelow(join(group, entry.name), number, allowed)
}
