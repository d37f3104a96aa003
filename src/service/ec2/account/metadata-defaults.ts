/**
 * What an account has set in a region for the metadata options of its new instances.
 *
 * Invariant: a member that is absent is no preference; RunInstances and the image decide it then.
 */
import type { Place } from '#kit/action'
import type { Reader, Row, Tx } from '#store/store'

export type MetadataDefaults = {
  httpTokens?: 'optional' | 'required'
  /** Hops, 1 to 64. */
  hopLimit?: number
  httpEndpoint?: 'enabled' | 'disabled'
  instanceTags?: 'enabled' | 'disabled'
  /** Whether an instance that allows IMDSv1 is refused. */
  tokensEnforced?: 'enabled' | 'disabled'
}
type DefaultsRow = Row<MetadataDefaults, Record<string, never>>

const KIND = 'metadata-defaults'
const idOf = ({ account, region }: Place): string => `${account}/${region}`

/** The account's defaults in the region; RunInstances honours each member that is there. */
export async function metadataDefaults(reader: Reader, place: Place): Promise<MetadataDefaults> {
  return (await reader.get<DefaultsRow>(KIND, idOf(place)))?.spec ?? {}
}

/** Replaces them. */
export async function putMetadataDefaults(tx: Tx, { account, region }: Place, now: Date, spec: MetadataDefaults): Promise<void> {
  const id = idOf({ account, region })
  const before = await tx.get<DefaultsRow>(KIND, id)
  const fresh: DefaultsRow = { kind: KIND, id, account, region, generation: 0, created: now.toISOString(), spec, status: {}, tags: {} }
  await tx.put(before ? { ...before, spec } : fresh, 'modified')
}
