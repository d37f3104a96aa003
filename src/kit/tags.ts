/**
 * Tags as EC2 allows them: 50 a resource, keys of 1 to 128 characters not beginning with `aws:`, values of up to 256
 * (EC2 User Guide, "Tag restrictions").
 */
import { ApiError } from '#kit/error'

export type Tags = Record<string, string>
type Given = { Key?: string; Value?: string }

export const MAX_TAGS = 50

/** The tags of a request as a record; AWS's error for what is not allowed. */
export function readTags(given: readonly Given[]): Tags {
  const tags: Tags = Object.create(null)
  for (const { Key: key, Value: value = '' } of given) {
    if (key === undefined || key === '') throw new ApiError('InvalidParameterValue', 'Tag keys must be between 1 and 128 characters.')
    if (key.length > 128) throw new ApiError('InvalidParameterValue', `Tag key exceeds the maximum length of 128 characters`)
    if (value.length > 256) throw new ApiError('InvalidParameterValue', `Tag value exceeds the maximum length of 256 characters`)
    if (/^aws:/i.test(key)) throw new ApiError('InvalidParameterValue', `Tag keys starting with 'aws:' are reserved for internal use`)
    if (key in tags) throw new ApiError('InvalidParameterValue', `Duplicate tag key '${key}' specified.`)
    tags[key] = value
  }
  return limit({ ...tags })
}

/** A resource's own tags may not pass the limit either when some are added. */
export function limit(tags: Tags): Tags {
  const own = Object.keys(tags).filter(key => !key.startsWith('aws:'))
  if (own.length > MAX_TAGS) {
    throw new ApiError('TagLimitExceeded', `The maximum number of tags (${MAX_TAGS}) has been reached for this resource`)
  }
  return tags
}

/**
 * Reads a request's TagSpecifications. `of(type)` gives the tags for one resource type and remembers that they were asked
 * for; `rest` throws AWS's error for a type that the operation does not make.
 */
export function tagSpecifications(given: readonly { ResourceType?: string; Tags?: Given[] }[] = []) {
  const byType = new Map<string, Tags>()
  for (const { ResourceType: type, Tags: tags = [] } of given) {
    if (!type) throw new ApiError('InvalidParameterValue', 'Tag specification resource type must have a value')
    if (byType.has(type)) throw new ApiError('InvalidParameterValue', `Duplicate tag specification found for resource type '${type}'.`)
    byType.set(type, readTags(tags))
  }
  const used = new Set<string>()
  return {
    of(type: string): Tags { used.add(type); return byType.get(type) ?? {} },
    rest(): void {
      const other = [...byType.keys()].find(type => !used.has(type))
      if (other) throw new ApiError('InvalidParameterValue', `'${other}' is not a valid taggable resource type for this operation.`)
    },
  }
}
