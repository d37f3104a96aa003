/** How things are tagged that are not EC2's: each service has calls of its own for it. */
import { call, listAll, orNone } from '../api/call'
import type { Call, Item, Tag, Tagging } from './kinds'

/** What a thing of IAM's is named by, in the calls about its tags. */
const IAM = {
  User: item => ({ UserName: item.UserName }),
  Role: item => ({ RoleName: item.RoleName }),
  Policy: item => ({ PolicyArn: item.Arn }),
  InstanceProfile: item => ({ InstanceProfileName: item.InstanceProfileName }),
  OpenIDConnectProvider: item => ({ OpenIDConnectProviderArn: item.Arn }),
} satisfies Record<string, (item: Item) => object>

const some = (list: readonly unknown[], one: Call): Call[] => (list.length > 0 ? [one] : [])

export const iamTags = (kind: keyof typeof IAM, editable?: (item: Item) => boolean): Tagging => ({
  editable,
  load: item => listAll('iam', `List${kind}Tags`, 'Tags', IAM[kind](item)),
  calls: (item, { gone, set }) => [
    ...some(gone, { operation: `Untag${kind}`, input: { ...IAM[kind](item), TagKeys: gone } }),
    ...some(set, { operation: `Tag${kind}`, input: { ...IAM[kind](item), Tags: set } }),
  ],
})

const parameter = (item: Item) => ({ ResourceType: 'Parameter', ResourceId: item.Name })
export const parameterTags: Tagging = {
  load: async item => ((await call('ssm', 'ListTagsForResource', parameter(item))).TagList ?? []) as Tag[],
  calls: (item, { gone, set }) => [
    ...some(gone, { operation: 'RemoveTagsFromResource', input: { ...parameter(item), TagKeys: gone } }),
    ...some(set, { operation: 'AddTagsToResource', input: { ...parameter(item), Tags: set } }),
  ],
}

/** All of a bucket's tags are put at once. */
export const bucketTags: Tagging = {
  load: async ({ Name }) => ((await orNone('NoSuchTagSet', call('s3', 'GetBucketTagging', { Bucket: Name }))).TagSet ?? []) as Tag[],
  calls({ Name }, { gone, set, all }) {
    if (gone.length + set.length === 0) return []
    if (all.length === 0) return [{ operation: 'DeleteBucketTagging', input: { Bucket: Name } }]
    return [{ operation: 'PutBucketTagging', input: { Bucket: Name, Tagging: { TagSet: all } } }]
  },
}
