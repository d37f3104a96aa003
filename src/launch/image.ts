/** `enclume image`: the images that machines can be made from. */
import type { Args } from '#launch/args'
import { getHome, homeDirOf } from '#launch/config'
import { misuse } from '#launch/failure'
import type { Host } from '#launch/host'
import { withLock } from '#launch/lock'
import { progressLog } from '#launch/progress'
import type { Ui } from '#launch/ui'

export async function image(args: Args, ui: Ui, host: Host): Promise<number> {
  const [verb, name, ...more] = args.operands
  const acts: Record<string, (home: ReturnType<typeof getHome>) => Promise<void>> = {
    build: home => ui.step(`image ${name}`, say => host.buildImage(home, name!, progressLog(home, say))),
    add: home => ui.step(`image ${name}`, say => host.importImage(home, name!, progressLog(home, say))),
  }
  if (verb === 'list' && name === undefined) {
    console.log(host.images.join('\n'))
    return 0
  }
  const act = Object.hasOwn(acts, verb ?? '') ? acts[verb!] : undefined
  if (!act || name === undefined || more.length) throw misuse('image takes: list, build NAME, or add ALIAS')
  const dir = homeDirOf(args)
  await withLock(dir, {}, () => act(getHome(dir)))
  return 0
}
