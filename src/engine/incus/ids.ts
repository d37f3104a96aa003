/**
 * The ranges of user ids that machines' processes have on the host, which Incus chooses (docs/decisions/0099-user-ids.md).
 *
 * Invariant: no two machines that one process made have the same, and one that has another's all the same starts once, at most, with them.
 */
import type { Log } from '#base/log'
import { turns } from '#base/turns'
import type { Client } from '#engine/incus/client'

/** Where Incus notes the first one of a machine, and how many each has. */
const FIRST = 'volatile.idmap.base'
const EACH = 65_536

type Instance = { name: string; config: Record<string, string> }

export function openIds(client: Client, log: Log) {
  const inTurn = turns<'one'>()
  return {
    /**
     * Makes a machine. Incus chooses while it does so, and two that are made at the same time can get the same range (lxc/incus pull request
     * 3999), or before 6.0.4 one that root may not give away (issue 1483): they are made one after the other.
     */
    making: <T>(make: () => Promise<T>): Promise<T> => inTurn('one', make),
    /** Gives a machine that is off and has another's ids some of its own: Incus chooses anew when their number is named. Whether it did. */
    async separate({ name, config }: Instance): Promise<boolean> {
      const all = await client.get<Instance[]>('/1.0/instances?recursion=1')
      if (!all.some(other => other.name !== name && other.config[FIRST] === config[FIRST])) return false
      log.warn('machine.shared-ids', { machine: name })
      const path = `/1.0/instances/${encodeURIComponent(name)}`
      await inTurn('one', () => client.act('PATCH', path, { config: { 'security.idmap.size': String(EACH) } }))
      return true
    },
  }
}
