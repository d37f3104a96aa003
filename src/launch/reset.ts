/**
 * `enclume reset`: the host as it was before the first `up`, packages apart.
 *
 * Invariant: the home's files are deleted last and only when nothing is mounted below them, so that a reset that fails can be run again.
 */
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { homeAt, type Home } from '#base/home'
import type { Args } from '#launch/args'
import { findConfig, homeDirOf } from '#launch/config'
import { Failure } from '#launch/failure'
import { stopAll } from '#launch/down'
import type { Host } from '#launch/host'
import { mountsBelow, sweepLeftovers } from '#launch/leftovers'
import { withLock } from '#launch/lock'
import { readSlots, releaseSlot } from '#launch/slots'
import type { Ui } from '#launch/ui'

export async function reset(args: Args, ui: Ui, host: Host): Promise<number> {
  const dir = homeDirOf(args)
  const slot = findConfig(dir)?.slot ?? [...readSlots()].find(([, owner]) => owner === dir)?.[0]
  if (slot === undefined) {
    // Nothing says that this directory is an Enclume's: it is not ours to delete.
    ui.line(`There is no Enclume in ${dir}.`)
    return 0
  }
  if (!args.options.yes) await confirm(dir)
  await withLock(dir, {}, () => resetHome(homeAt({ ...findConfig(dir), dir, slot }), ui, host))
  return 0
}

async function confirm(dir: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Failure(`this deletes all instances and volumes in ${dir}; say so with --yes`)
  const question = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await question.question(`Delete all instances, volumes and settings in ${dir}? Type yes: `)
  question.close()
  if (answer.trim() !== 'yes') throw new Failure('nothing was done')
}

/** The caller holds the home's lock. When a part cannot be stopped in its own way, the sweep ends it. */
export async function resetHome(home: Home, ui: Ui, host: Host): Promise<void> {
  await stopAll(home, ui, host).catch(async (error: unknown) => {
    ui.line(`  note: ${(error as Error).message.split('\n')[0]}`)
    await ui.step('leftovers', say => sweepLeftovers(home, say))
  })
  if (home.incus) await ui.step('project in Incus', () => host.leaveIncus(home))
  const mounted = mountsBelow([home.dir, home.run])
  if (mounted.length) throw new Failure(`still mounted, so nothing was deleted: ${mounted.join(' ')}`)
  await ui.step('files', async () => { for (const dir of [home.run, home.dir]) rmSync(dir, { recursive: true, force: true }) })
  await releaseSlot({ dir: home.dir })
}
