/** The record behind a resource that a call names: its whole ARN, its tags, and what it says to condition keys. */
import type { Place } from '#kit/action'
import { RECORD_KEYS } from '#identity/access/data/remainder'
import { devices, groups, policies, profiles, roles, users } from '#identity/records'
import type { Reader, Row } from '#store/store'

export type Located = { arn?: string; tags: Record<string, string>; keys: Record<string, unknown>; account: string }

const byName = { user: users, group: groups, role: roles, policy: policies, 'instance-profile': profiles, mfa: devices }

/** IAM's ARNs have the path, which requests don't say; a name that nobody has yet gets the path that it is asked for. */
async function inIam(reader: Reader, place: Place, { type, id, path }: { type: keyof typeof byName; id: string; path: string }): Promise<Located> {
  const entity = byName[type]
  const name = id.slice(id.lastIndexOf('/') + 1)
  const row = await entity.byName(reader, place.account, name)
  if (!row) return { tags: {}, keys: {}, account: place.account,
    ...(!id.startsWith('arn:') && { arn: entity.arn({ account: place.account, spec: { name, path } }) }) }
  // An ARN with another path, or of another account, is none of these.
  if (id.startsWith('arn:') && id !== entity.arn(row)) return { tags: {}, keys: {}, account: place.account }
  const boundary = (row.spec as { boundary?: string }).boundary
  return { arn: entity.arn(row), tags: row.tags, keys: boundary === undefined ? {} : { 'iam:PermissionsBoundary': boundary }, account: row.account }
}

export async function locate(reader: Reader, place: Place, { prefix, type, id,
  input }: { prefix: string; type: string; id: string; input: object }): Promise<Located | undefined> {
  if (prefix === 'iam' || (prefix === 'sts' && type === 'role')) {
    const path = (input as { Path?: string }).Path ?? '/'
    return type in byName ? inIam(reader, place, { type: type as keyof typeof byName, id, path }) : undefined
  }
  if (prefix === 'cloudwatch') {
    const name = id.startsWith('arn:') ? id.split(':').slice(6).join(':') : id
    const row = type === 'alarm' ? await reader.get<Row>('alarm', `${place.account}/${place.region}/${name}`) : undefined
    return row && { tags: row.tags, keys: {}, account: row.account }
  }
  if (prefix !== 'ec2' && prefix !== 'ebs') return undefined
  const key = type === 'key-pair' ? await reader.holder(`key-name/${place.account}/${place.region}`, id) : id
  const row = key === undefined ? undefined : await reader.get<Row<Record<string, unknown>>>(type, key)
  if (!row || row.region !== place.region) return undefined
  return { tags: row.tags, keys: RECORD_KEYS[type]?.(row.spec, row) ?? {}, account: row.account }
}
