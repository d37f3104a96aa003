/** The console's door over a whole cloud: who signs in, with what its pages sign, and what its terminals may reach. */
import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import { hostAddress } from '#base/home'
import type { Cloud } from '#cloud'
import { openDoor, type ConsoleDoor } from '#console/door'
import { openReach } from '#console/reach'
import { targets } from '#console/targets'
import { assumedPrincipal, trusts } from '#identity/assume'
import { profiles, roles } from '#identity/records'
import { rootPrincipal, type RootKeys } from '#identity/root-keys'
import { consoleKeys, verifySignIn, type Change } from '#identity/sign-in'
import type { Principal } from '#kit/caller'
import { ApiError } from '#kit/error'
import { instance } from '#service/ec2/instance/instance'

export type PageOptions = {
  cloud: Cloud
  root: RootKeys
  wire: Pick<Server, 'emit'>
  /** The built console. */
  dir?: string
  version: string
  /** Where the API is for others than the page. */
  endpoint: string
  isRootPassword(password: string): Promise<boolean>
  runDir: string
}

/** IAM's own words on a new password that it does not take. */
function refusal(error: unknown): { refused: string } {
  if (error instanceof ApiError) return { refused: error.message }
  throw error
}

export function openPage({ cloud, root, wire, dir, version, endpoint, isRootPassword, runDir }: PageOptions): ConsoleDoor {
  const { store, identity, clock, log, home, engine } = cloud.context

  /** Whom an instance's own credentials are. */
  async function roleOf(id: string): Promise<Principal | undefined> {
    const profileId = (await instance.find(store, id))?.spec.profile?.id
    const profile = profileId === undefined ? undefined : await profiles.get(store, profileId)
    const role = profile?.spec.role === undefined ? undefined : await roles.get(store, profile.spec.role)
    return role && trusts(role, 'ec2.amazonaws.com') ? assumedPrincipal(role, id) : undefined
  }

  return openDoor({
    store, log, clock, wire, dir, watch: cloud.watch,
    async verify({ kind, account, user, password, mfa, newPassword }, origin) {
      if (kind === 'root') return await isRootPassword(password) ? { principal: rootPrincipal(root), name: 'root' } : undefined
      const change: Change = async (principal, input) => {
        const caller = { principal, ...origin, region: home.region, requestId: randomUUID() }
        await cloud.dispatch({ service: 'iam', operation: 'ChangePassword', input, caller })
      }
      return verifySignIn({ store, identity, change }, { account, user, password, mfa, newPassword, now: clock() }).catch(refusal)
    },
    async issue({ principal, mfa }) {
      const { expiration, ...keys } = consoleKeys(identity, principal, mfa)
      return { ...keys, expiration: expiration.toISOString() }
    },
    facts: () => ({
      region: home.region, engine: engine.name, version, endpoint, hostAddress: hostAddress(home), capacity: cloud.context.capacity(),
    }),
    terminals: { target: targets({ dispatch: cloud.dispatch, permit: cloud.permit, roleOf, machines: engine.machines, runDir }) },
    reach: openReach(cloud.dispatch),
  })
}
