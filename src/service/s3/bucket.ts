/** Buckets: made, listed, deleted; their versioning, tags and the settings that are the same for all. */
import { hash } from 'node:crypto'
import { isIP } from 'node:net'
import type * as Sdk from '@aws-sdk/client-s3'
import { ApiError } from '#kit/error'
import { getBucket, type S3 } from '#service/s3/context'
import { malformedXml, notImplemented, refuse } from '#service/s3/errors'
import type { Handlers } from '#service/s3/handlers'
import { checkAcl, readTagSet, tagSet } from '#service/s3/object'
import type { Settings } from '#service/s3/settings'
import type { Bucket } from '#service/s3/tables'

const MOST_BUCKETS = 10_000
const MOST_TAGS = 50
/** Buckets are made closed (S3 User Guide, "Blocking public access": on for all new buckets since 2023). */
const BLOCKED = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true }

/** The name that S3 has for an account as an owner: 64 hexadecimal digits. */
export const canonicalId = (account: string): string => hash('sha256', `canonical user ${account}`, 'hex')

/** S3 User Guide, "Bucket naming rules". */
export function checkBucketName(name: string): void {
  const good = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..') && isIP(name) === 0
    && !/^(xn--|sthree-|amzn-s3-demo-)/.test(name) && !/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name)
  if (!good) throw new ApiError('InvalidBucketName', 'The specified bucket is not valid.', 400, { BucketName: name })
}

/** Where a new bucket is: as its constraint says, which outside of us-east-1 must be the region that is asked. */
function regionOf(constraint: string | undefined, region: string): string {
  const asked = constraint === 'EU' ? 'eu-west-1' : constraint
  if (asked !== undefined && !/^[a-z]{2,4}(-[a-z]+)+-\d$/.test(asked)) {
    throw new ApiError('InvalidLocationConstraint', 'The specified location-constraint is not valid', 400, { LocationConstraint: asked })
  }
  if (region === 'us-east-1') return asked ?? region
  if (asked === region) return region
  throw new ApiError('IllegalLocationConstraintException',
    `The ${asked ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`)
}

/** What a bucket's settings are changed to, in one transaction. */
export async function change(s3: S3, name: string, edit: (settings: Settings) => Settings): Promise<void> {
  const { tables } = await s3.ready()
  await tables.transact(() => {
    const bucket = getBucket(tables, name)
    tables.putBucket({ ...bucket, settings: edit(bucket.settings) })
  })
}

const owner = ({ account }: Bucket): Sdk.Owner => ({ ID: canonicalId(account) })
const fullControl = (bucket: Bucket) => ({
  Owner: owner(bucket),
  Grants: [{ Grantee: { ID: canonicalId(bucket.account), Type: 'CanonicalUser' as const }, Permission: 'FULL_CONTROL' as const }],
})

export const buckets = (s3: S3) => ({
  async CreateBucket({ input, account, region, now }) {
    refuse('CreateBucket', { ...input, ObjectLockEnabledForBucket: input.ObjectLockEnabledForBucket || undefined },
      ['ObjectLockEnabledForBucket', 'BucketNamespace'])
    checkAcl(input)
    const { Location, Bucket: directory, LocationConstraint, Tags } = input.CreateBucketConfiguration ?? {}
    if (Location ?? directory) throw notImplemented('directory buckets')
    if (input.ObjectOwnership !== undefined && input.ObjectOwnership !== 'BucketOwnerEnforced') {
      throw notImplemented(`the object ownership ${input.ObjectOwnership}`)
    }
    const name = input.Bucket!
    checkBucketName(name)
    const tags = Tags ? readTagSet(Tags, MOST_TAGS) : undefined
    const { tables } = await s3.ready()
    const place = regionOf(LocationConstraint, region)
    await tables.transact(() => {
      const before = tables.bucket(name)
      if (before && before.account !== account) {
        throw new ApiError('BucketAlreadyExists', 'The requested bucket name is not available. The bucket namespace is shared by all '
          + 'users of the system. Please select a different name and try again.', 409, { BucketName: name })
      }
      // In us-east-1 S3 takes a second creation for the first (API Reference, CreateBucket).
      if (before && (before.region !== 'us-east-1' || place !== before.region)) {
        throw new ApiError('BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded and you already own it.', 409,
          { BucketName: name })
      }
      if (before) return
      if (tables.buckets().filter(bucket => bucket.account === account).length >= MOST_BUCKETS) {
        throw new ApiError('TooManyBuckets', 'You have attempted to create more buckets than allowed', 400)
      }
      tables.putBucket({ name, account, region: place, created: now.toISOString(), settings: { tags, publicAccess: BLOCKED } })
    })
    return { Location: `/${name}`, BucketArn: `arn:aws:s3:::${name}` }
  },

  async DeleteBucket({ input }) {
    const { bucket, tables, files } = await s3.bucket(input.Bucket!)
    const freed = await tables.transact(() => {
      getBucket(tables, bucket.name)
      if (tables.holds(bucket.name)) {
        throw new ApiError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409, { BucketName: bucket.name })
      }
      const freed = tables.uploads(bucket.name).flatMap(upload => tables.removeUpload(upload.id))
      tables.removeBucket(bucket.name)
      return freed
    })
    await files.removeAll(freed)
    return {}
  },

  async HeadBucket({ input }) {
    const { bucket } = await s3.bucket(input.Bucket!)
    return { BucketRegion: bucket.region, BucketArn: `arn:aws:s3:::${bucket.name}`, AccessPointAlias: false }
  },

  async ListBuckets({ input, account }) {
    const { tables } = await s3.ready()
    const { MaxBuckets = MOST_BUCKETS } = input
    if (!Number.isInteger(MaxBuckets) || MaxBuckets < 1 || MaxBuckets > MOST_BUCKETS) {
      throw new ApiError('InvalidArgument', `The value of max-buckets must be from 1 to ${MOST_BUCKETS}.`) // API Reference, ListBuckets.
    }
    const after = Buffer.from(input.ContinuationToken ?? '', 'base64url').toString()
    const own = tables.buckets().filter(bucket => bucket.account === account && bucket.name > after && bucket.name.startsWith(input.Prefix ?? '')
      && (input.BucketRegion === undefined || bucket.region === input.BucketRegion))
    const listed = own.slice(0, MaxBuckets)
    return {
      Owner: { ID: canonicalId(account) }, Prefix: input.Prefix,
      Buckets: listed.map(({ name, created, region }) => ({
        Name: name, CreationDate: new Date(created), BucketRegion: region, BucketArn: `arn:aws:s3:::${name}`,
      })),
      ContinuationToken: listed.length < own.length ? Buffer.from(listed.at(-1)!.name).toString('base64url') : undefined,
    }
  },

  async GetBucketLocation({ input }) {
    const { bucket } = await s3.bucket(input.Bucket!)
    return { LocationConstraint: bucket.region === 'us-east-1' ? undefined : bucket.region as Sdk.BucketLocationConstraint }
  },

  async GetBucketVersioning({ input }) {
    return { Status: (await s3.bucket(input.Bucket!)).bucket.settings.versioning }
  },
  async PutBucketVersioning({ input }) {
    refuse('PutBucketVersioning', input, ['MFA'])
    const { Status, MFADelete } = input.VersioningConfiguration!
    if (MFADelete !== undefined && MFADelete !== 'Disabled') throw notImplemented('MFADelete of PutBucketVersioning')
    if (Status !== 'Enabled' && Status !== 'Suspended') throw malformedXml()
    await change(s3, input.Bucket!, settings => ({ ...settings, versioning: Status }))
    return {}
  },

  async GetBucketTagging({ input }) {
    const { tags = {} } = (await s3.bucket(input.Bucket!)).bucket.settings
    if (Object.keys(tags).length === 0) throw new ApiError('NoSuchTagSet', 'The TagSet does not exist', 404, { BucketName: input.Bucket })
    return { TagSet: tagSet(tags) }
  },
  async PutBucketTagging({ input }) {
    const tags = readTagSet(input.Tagging!.TagSet, MOST_TAGS)
    await change(s3, input.Bucket!, settings => ({ ...settings, tags }))
    return {}
  },
  async DeleteBucketTagging({ input }) {
    await change(s3, input.Bucket!, settings => ({ ...settings, tags: undefined }))
    return {}
  },

  async GetBucketAcl({ input }) { return fullControl((await s3.bucket(input.Bucket!)).bucket) },
  async PutBucketAcl({ input }) {
    await s3.bucket(input.Bucket!)
    checkAcl(input)
    if (input.AccessControlPolicy) throw new ApiError('AccessControlListNotSupported', 'The bucket does not allow ACLs')
    return {}
  },

  // What nobody can change here, as a bucket of S3's is that nobody changed.
  async GetBucketRequestPayment({ input }) { await s3.bucket(input.Bucket!); return { Payer: 'BucketOwner' } },
  async GetBucketAccelerateConfiguration({ input }) { await s3.bucket(input.Bucket!); return {} },
  async GetBucketLogging({ input }) { await s3.bucket(input.Bucket!); return {} },
  async GetBucketNotificationConfiguration({ input }) { await s3.bucket(input.Bucket!); return {} },
  async GetBucketReplication({ input }) {
    await s3.bucket(input.Bucket!)
    throw new ApiError('ReplicationConfigurationNotFoundError', 'The replication configuration was not found', 404, { BucketName: input.Bucket })
  },
  async GetObjectLockConfiguration({ input }) {
    await s3.bucket(input.Bucket!)
    throw new ApiError('ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket', 404,
      { BucketName: input.Bucket })
  },
} satisfies Handlers<typeof Sdk>)

export const aclOf = fullControl
