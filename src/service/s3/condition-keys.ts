/**
 * S3's own condition keys (Service Authorization Reference, "Condition keys for Amazon S3"): what an object and the request's
 * tags say, and how the request came. Those that are parameters by another name follow from the request alone.
 *
 * Invariant: an action gets only keys that it knows, and a key without a value is absent.
 */
import type { Caller } from '#kit/caller'
import type { Access } from '#kit/action'
import { factsOf } from '#identity/access/facts'
import type { S3 } from '#service/s3/context'
import { tagsOfHeader } from '#service/s3/object'

type Input = { Tagging?: string | { TagSet?: { Key?: string; Value?: string }[] } }

const EXISTING = 's3:ExistingObjectTag/'
const REQUESTED = 's3:RequestObjectTag/'
/** What makes no object yet, though it is asked as PutObject (S3 User Guide, "Enforce conditional writes on Amazon S3 buckets"). */
const STEPS = new Set(['CreateMultipartUpload', 'UploadPart', 'UploadPartCopy'])

/** How it was signed (API Reference, "Amazon S3 Signature Version 4 Authentication Specific Policy Keys"). */
const ofProof = ({ proof = {} }: Caller): Record<string, string | undefined> => ({
  's3:authType': proof.type, 's3:signatureversion': proof.version, 's3:signatureAge': proof.ageMs?.toString(),
  's3:x-amz-content-sha256': proof.payloadHash, 's3:TlsVersion': proof.tls,
})

/** The tags that a request gives an object; malformed ones are the action's to refuse. */
function requested({ Tagging }: Input): Record<string, string> {
  if (typeof Tagging === 'object') return Object.fromEntries((Tagging.TagSet ?? []).map(({ Key = '', Value = '' }) => [Key, Value]))
  try {
    return tagsOfHeader(Tagging)
  } catch {
    return Object.fromEntries(new URLSearchParams(Tagging))
  }
}

export const conditionKeys = (s3: S3): NonNullable<Access['keys']> => async ({ operation, action, resource, input, caller, given }) => {
  const known = new Set(factsOf('s3').actions.get(action.slice('s3:'.length).toLowerCase())?.conditionKeys)
  const [, name, key] = /^arn:aws:s3:::([^/]+)(?:\/(.*))?$/s.exec(resource) ?? []
  const { tables } = await s3.ready()
  const single = { ...ofProof(caller), 's3:ResourceAccount': name === undefined ? undefined : tables.bucket(name)?.account,
    's3:ObjectCreationOperation': String(!STEPS.has(operation)) }
  const found: Record<string, string[]> = {}
  for (const [one, value] of Object.entries(single)) if (value !== undefined && known.has(one)) found[one] = [value]
  if (known.has(`${EXISTING}<key>`) && name !== undefined && key !== undefined) {
    const version = given.get('s3:versionid')?.[0]
    const object = version === undefined ? tables.latest(name, key) : tables.version(name, key, version)
    for (const [tag, value] of Object.entries(object?.info.tags ?? {})) found[EXISTING + tag] = [value]
  }
  if (known.has(`${REQUESTED}<key>`)) {
    const tags = requested(input as Input)
    for (const [tag, value] of Object.entries(tags)) found[REQUESTED + tag] = [value]
    if (Object.keys(tags).length > 0) found['s3:RequestObjectTagKeys'] = Object.keys(tags)
  }
  return found
}
