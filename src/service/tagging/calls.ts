/** The operations by which each service's resources are tagged. */
import { arnParts } from '#base/arn'
import type { Dispatch } from '#kit/action'
import type { Caller } from '#kit/caller'
import { ApiError } from '#kit/error'

type Tags = Record<string, string>
export type TagCalls = { add(tags: Tags): Promise<void>; remove(keys: string[]): Promise<void> }

const pairs = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))

export function tagCalls(dispatch: Dispatch, caller: Caller, arn: string): TagCalls {
  const { service, region, account, type, id } = arnParts(arn)
  const call = async (operation: string, input: object): Promise<any> => dispatch({ service, operation, input, caller })
  if (service === 's3' && type === '' && id !== '') return ofBucket(call, id)
  if (account !== caller.principal.account || region !== caller.region) {
    throw new ApiError('InvalidParameterException', `${arn} is not a resource of this account and Region.`)
  }
  if (service === 'ec2') {
    return {
      async add(tags) { await call('CreateTags', { Resources: [id], Tags: pairs(tags) }) },
      async remove(keys) { await call('DeleteTags', { Resources: [id], Tags: keys.map(Key => ({ Key })) }) },
    }
  }
  if (service === 'ssm' && type === 'parameter') {
    // An ARN has one slash before the name, whether the name has one or not.
    const named = { ResourceType: 'Parameter', ResourceId: id.includes('/') ? `/${id}` : id }
    return {
      async add(tags) { await call('AddTagsToResource', { ...named, Tags: pairs(tags) }) },
      async remove(keys) { await call('RemoveTagsFromResource', { ...named, TagKeys: keys }) },
    }
  }
  throw new ApiError('InvalidParameterException', `Enclume does not tag ${arn} here.`)
}

/** A bucket's tags are only ever replaced as a whole. */
function ofBucket(call: (operation: string, input: object) => Promise<any>, Bucket: string): TagCalls {
  const edit = async (change: (tags: Map<string, string>) => void): Promise<void> => {
    const found = await call('GetBucketTagging', { Bucket }).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'NoSuchTagSet') return { TagSet: [] }
      throw error
    }) as { TagSet: { Key: string; Value: string }[] }
    const tags = new Map(found.TagSet.map(({ Key, Value }) => [Key, Value]))
    change(tags)
    await call('PutBucketTagging', { Bucket, Tagging: { TagSet: pairs(Object.fromEntries(tags)) } })
  }
  return {
    add: more => edit(tags => { for (const [key, value] of Object.entries(more)) tags.set(key, value) }),
    remove: keys => edit(tags => { for (const key of keys) tags.delete(key) }),
  }
}
