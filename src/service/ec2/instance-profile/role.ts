/**
 * The credentials that an instance's metadata offers: its role's own, for some hours, renewed well before they end.
 *
 * Invariants: they are of the role that the profile has now; what they allow is asked of its policies at each call, so that a change
 * acts at once. None are offered of a role that does not trust EC2.
 */
import type { Clock } from '#base/clock'
import { assumedPrincipal, trusts } from '#identity/assume'
import type { Identity } from '#identity/identity'
import { profiles, roles } from '#identity/records'
import type { Delivery } from '#kit/caller'
import type { RoleCredentials } from '#service/ec2/imds/metadata'
import type { Metadata } from '#service/ec2/imds/metadata'
import type { InstanceRow } from '#service/ec2/instance/instance'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import type { Reader } from '#store/store'

const HOUR_S = 3600
/** EC2 User Guide, "Retrieve security credentials": new ones are there at least five minutes before the old ones expire. */
const LASTS_S = 6 * HOUR_S
const RENEWED_MS = HOUR_S * 1000
const MOST_KEPT = 4096

/** `delivery` says by which version of the metadata service the credentials go out, which policies may ask (ec2:RoleDelivery). */
export type RoleOf = (reader: Reader, row: InstanceRow, delivery: Delivery) => Promise<Metadata['role']>

export function roleReader(identity: Identity, clock: Clock): RoleOf {
  const kept = new Map<string, RoleCredentials>()

  function credentials(key: string, make: () => RoleCredentials): RoleCredentials {
    const [known, now] = [kept.get(key), clock().getTime()]
    // Those of a clock that was put back since would last longer than they may.
    if (known && Date.parse(known.lastUpdated) <= now && Date.parse(known.expiration) - now > RENEWED_MS) return known
    if (kept.size >= MOST_KEPT) kept.clear()
    const made = make()
    kept.set(key, made)
    return made
  }

  return async (reader, row, delivery) => {
    const { profile } = row.spec
    const current = profile && await profiles.get(reader, profile.id)
    const role = current?.spec.role === undefined ? undefined : await roles.get(reader, current.spec.role)
    if (!profile || !role) return undefined
    const seconds = (date: Date | string): string => new Date(date).toISOString().replace(/\.\d+Z$/, 'Z')
    const base = { name: role.spec.name, profileArn: profile.arn, profileId: profile.id }
    if (!trusts(role, 'ec2.amazonaws.com')) return { ...base, lastUpdated: seconds(clock()), untrusted: true }
    const primary = await networkInterface.find(reader, row.spec.interfaces[0]!)
    const given = credentials(`${row.id} ${role.id} ${delivery}`, () => {
      const source = {
        instance: `arn:aws:ec2:${row.region}:${row.account}:instance/${row.id}`, vpc: row.spec.vpc,
        address: primary?.spec.addresses[0]!.private ?? '', delivery,
      }
      const made = identity.issue(assumedPrincipal(role, row.id), { kind: 'instance', name: row.id, source, lastsS: LASTS_S })
      return {
        accessKeyId: made.accessKeyId, secretAccessKey: made.secretAccessKey, token: made.sessionToken, lastUpdated: seconds(clock()),
        expiration: seconds(made.expiration),
      }
    })
    return { ...base, lastUpdated: given.lastUpdated, credentials: given }
  }
}
