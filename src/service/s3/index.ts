/** Amazon S3: buckets and objects, kept in tables and files of their own under the home. */
import type { Clock } from '#base/clock'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { Work } from '#kit/action'
import { ApiError } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import type { Service } from '#service/service'
import { buckets } from '#service/s3/bucket'
import { configs } from '#service/s3/config'
import { openS3, type S3 } from '#service/s3/context'
import { deletes } from '#service/s3/delete'
import { front } from '#service/s3/front'
import { expire } from '#service/s3/lifecycle'
import { lists } from '#service/s3/list'
import { uploads } from '#service/s3/multipart'
import { access, bucketPolicies } from '#service/s3/policy'
import { reads } from '#service/s3/read'
import { objectTags } from '#service/s3/tagging'
import { writes } from '#service/s3/write'

const sdk = await loadSdk('s3')

type Handler = (call: any) => Promise<any>

/** What holds for every action: the bucket must be whose the request says it is. */
const checked = (s3: S3, run: Handler): Work<any, any> => ({
  async work(call) {
    const { Bucket: name, ExpectedBucketOwner: owner } = call.input as { Bucket?: string; ExpectedBucketOwner?: string }
    if (owner !== undefined && name !== undefined && (await s3.ready()).tables.bucket(name)?.account !== owner) {
      throw new ApiError('AccessDenied', 'Access Denied', 403)
    }
    return run(call)
  },
})

export function s3(context: { home: Home; log: Log; clock: Clock }): Service {
  const s3 = openS3(context.home.dir)
  const handlers: Record<string, Handler> = {
    ...buckets(s3), ...configs(s3), ...writes(s3), ...reads(s3), ...deletes(s3), ...lists(s3), ...uploads(s3), ...objectTags(s3),
    ...bucketPolicies(s3),
  }
  return {
    sdk,
    definition: {
      id: 's3', operations: operationsOf(sdk), access: access(s3), missing: member => new ApiError('InvalidRequest',
        `Missing required parameter ${member}`),
      actions: Object.fromEntries(Object.entries(handlers).map(([name, run]) => [name, checked(s3, run)])),
    },
    drivers: [],
    async tagged(_reader, { account, region }) {
      if (!s3.there()) return []
      return (await s3.ready()).tables.buckets().filter(bucket => bucket.account === account && bucket.region === region)
        .map(({ name, settings }) => ({ arn: `arn:aws:s3:::${name}`, tags: settings.tags ?? {} }))
    },
    front: bucketOf => front(s3, bucketOf),
    async sweep() {
      if (!s3.there()) return
      const count = await expire(s3, context.clock())
      if (count > 0) context.log.info('s3.expired', { count })
    },
    watch: callback => s3.watch(() => callback(['bucket', 'object'])),
    close: () => s3.close(),
  }
}
