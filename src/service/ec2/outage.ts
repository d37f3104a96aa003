/** Acts while the engine is away: they have not failed, and are asked again, so that an outage alone makes no record surrender. */
import { Unsettled, type Driver } from '#loop/driver'
import type { Context } from '#service/ec2/context'
import type { Row } from '#store/store'

type Acts<R extends Row, Seen> = Driver<R, Seen>['acts']

export function through<R extends Row, Seen>({ engine }: Pick<Context, 'engine'>, acts: Acts<R, Seen>): Acts<R, Seen> {
  const one = (act: Acts<R, Seen>[string]): Acts<R, Seen>[string] => row => act(row).catch(async (error: unknown) => {
    throw await engine.disks.observe(row.id) === 'unknown' ? new Unsettled('the engine is away', { cause: error }) : error
  })
  return Object.fromEntries(Object.entries(acts).map(([name, act]) => [name, one(act)]))
}
