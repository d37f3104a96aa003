/** `enclume image`: the images that machines can be made from. */
import { silent } from '#base/log'
import type { Args } from '#launch/args'
import { getHome, homeDirOf } from '#launch/config'
import { Failure, misuse } from '#launch/failure'
import type { Host } from '#launch/host'
import { withLock } from '#launch/lock'
import { progressLog } from '#launch/progress'
import type { Ui } from '#launch/ui'

export async function image(args: Args, ui: Ui, host: Host): Promise<number> {
  const [verb, name, ...more] = args.operands
  if (verb === 'list' && name === undefined) return list(args, host)
  if (verb === 'add' && name !== undefined && !more.length) return add(name, args, ui, host)
  if (verb !== 'build' || name === undefined || more.length) throw misuse('image takes: list, build NAME, or add NAME')
  const known = await host.imageNames()
  if (!known.includes(name)) throw new Failure(`there is no recipe '${name}'; there are ${known.join(', ')}`)
  const dir = homeDirOf(args)
  await withLock(dir, {}, async () => {
    const home = getHome(dir)
    await ui.step(`image ${name}`, say => host.buildImage(home, name, progressLog(home, say)))
  })
  return 0
}

async function add(name: string, args: Args, ui: Ui, host: Host): Promise<number> {
  const dir = homeDirOf(args)
  const { server } = args.options
  await withLock(dir, {}, async () => {
    const home = getHome(dir)
    if (!(await host.daemonStatus(home)).running) throw new Failure('the engine does not answer. Start it: ./enclume up')
    const added = await ui.step(`image ${name}`, say =>
      host.importImage(home, { name, ...(typeof server === 'string' && { server }) }, progressLog(home, say)))
    console.log(added)
  })
  return 0
}

async function list(args: Args, host: Host): Promise<number> {
  const seen = await host.images(getHome(homeDirOf(args)), silent)
  if (seen === 'unknown') throw new Failure('the engine does not answer. Start it: ./enclume up')
  for (const { name, sizeGiB, user, description } of seen)
    console.log([name.padEnd(20), `${sizeGiB} GiB`.padStart(7), user.padEnd(10), description].join('  '))
  return 0
}
