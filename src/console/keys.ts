/**
 * Access keys of a short life for signed-in pages, until the account's Security Token Service gives them.
 *
 * Invariant: they live in memory alone and for an hour at most; a server that starts anew knows none of the old, and the page asks for others.
 */
import { randomBytes, randomInt } from 'node:crypto'
import type { Clock } from '#base/clock'
import type { Principal } from '#kit/caller'
import type { Credentials } from '#console/door'

const LIFE_MS = 3_600_000
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

type Held = { secret: string; sessionToken: string; principal: Principal; until: number }
export type Keys = {
  issue(principal: Principal): Promise<Credentials>
  find(accessKeyId: string): Held | undefined
}

export function openKeys(clock: Clock): Keys {
  const held = new Map<string, Held>()
  const now = () => clock().getTime()
  return {
    async issue(principal) {
      for (const [id, { until }] of held) if (until <= now()) held.delete(id)
      const accessKeyId = `ASIA${Array.from({ length: 16 }, () => BASE32[randomInt(BASE32.length)]).join('')}`
      const found: Held = {
        secret: randomBytes(30).toString('base64'), sessionToken: randomBytes(96).toString('base64'), principal, until: now() + LIFE_MS,
      }
      held.set(accessKeyId, found)
      const { secret: secretAccessKey, sessionToken, until } = found
      return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(until).toISOString() }
    },
    find(accessKeyId) {
      const found = held.get(accessKeyId)
      return found && found.until > now() ? found : undefined
    },
  }
}
