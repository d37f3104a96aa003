/** The settings of a bucket that are documents of their own: CORS, lifecycle, website, encryption, ownership, public access. */
import type * as Sdk from '@aws-sdk/client-s3'
import { ApiError } from '#kit/error'
import { change } from '#service/s3/bucket'
import type { S3 } from '#service/s3/context'
import { invalidRequest, malformedXml, notImplemented } from '#service/s3/errors'
import type { Handlers } from '#service/s3/handlers'
import { checkRules } from '#service/s3/lifecycle'
import type { Settings } from '#service/s3/settings'

const METHODS = ['GET', 'PUT', 'HEAD', 'POST', 'DELETE']
const MOST_CORS = 100

/** A setting, or S3's error for one that was never made. */
async function setting<N extends keyof Settings>(s3: S3, bucket: string, name: N, error: [code: string, message: string]) {
  const found = (await s3.bucket(bucket)).bucket.settings[name]
  if (found === undefined) throw new ApiError(error[0], error[1], 404, { BucketName: bucket })
  return found as NonNullable<Settings[N]>
}

const without = (s3: S3, name: keyof Settings) => async ({ input }: { input: { Bucket?: string } }): Promise<object> => {
  await change(s3, input.Bucket!, settings => ({ ...settings, [name]: undefined }))
  return {}
}

function checkCors(rules: readonly Sdk.CORSRule[] = []): void {
  if (rules.length === 0 || rules.length > MOST_CORS) throw malformedXml()
  for (const { AllowedMethods = [], AllowedOrigins = [], AllowedHeaders = [], ExposeHeaders = [] } of rules) {
    if (AllowedMethods.length === 0 || AllowedOrigins.length === 0) throw malformedXml()
    const method = AllowedMethods.find(name => !METHODS.includes(name))
    if (method) throw invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`)
    const many = [...AllowedOrigins, ...AllowedHeaders].find(text => text.split('*').length > 2)
    if (many) throw invalidRequest(`AllowedOrigin "${many}" can not have more than one wildcard.`)
    const wild = ExposeHeaders.find(text => text.includes('*'))
    if (wild) throw invalidRequest(`ExposeHeader "${wild}" contains wildcard. We currently do not support wildcard for ExposeHeader.`)
  }
}

function checkWebsite({ IndexDocument, ErrorDocument, RedirectAllRequestsTo, RoutingRules }: Sdk.WebsiteConfiguration): void {
  if (RoutingRules?.length) throw notImplemented('RoutingRules of PutBucketWebsite')
  if (RedirectAllRequestsTo ? !RedirectAllRequestsTo.HostName || IndexDocument || ErrorDocument : !IndexDocument?.Suffix) throw malformedXml()
  if (IndexDocument?.Suffix?.includes('/')) {
    throw new ApiError('InvalidArgument', 'The IndexDocument Suffix is not well formed', 400)
  }
}

export const configs = (s3: S3) => ({
  async GetBucketCors({ input }) {
    return { CORSRules: await setting(s3, input.Bucket!, 'cors', ['NoSuchCORSConfiguration', 'The CORS configuration does not exist']) }
  },
  async PutBucketCors({ input }) {
    const cors = input.CORSConfiguration!.CORSRules
    checkCors(cors)
    await change(s3, input.Bucket!, settings => ({ ...settings, cors }))
    return {}
  },
  DeleteBucketCors: without(s3, 'cors'),

  async GetBucketLifecycleConfiguration({ input }) {
    const rules = await setting(s3, input.Bucket!, 'lifecycle', ['NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'])
    const dated = rules.map(({ Expiration, ...rule }) =>
      ({ ...rule, Expiration: Expiration?.Date ? { ...Expiration, Date: new Date(Expiration.Date) } : Expiration }))
    return { Rules: dated, TransitionDefaultMinimumObjectSize: 'all_storage_classes_128K' }
  },
  async PutBucketLifecycleConfiguration({ input }) {
    const lifecycle = checkRules(input.LifecycleConfiguration?.Rules)
    await change(s3, input.Bucket!, settings => ({ ...settings, lifecycle }))
    return { TransitionDefaultMinimumObjectSize: 'all_storage_classes_128K' }
  },
  DeleteBucketLifecycle: without(s3, 'lifecycle'),

  async GetBucketWebsite({ input }) {
    return setting(s3, input.Bucket!, 'website', ['NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration'])
  },
  async PutBucketWebsite({ input }) {
    const website = input.WebsiteConfiguration!
    checkWebsite(website)
    await change(s3, input.Bucket!, settings => ({ ...settings, website }))
    return {}
  },
  DeleteBucketWebsite: without(s3, 'website'),

  // All objects are encrypted with keys of the service's own, as S3 does since 2023; there is nothing else to choose.
  async GetBucketEncryption({ input }) {
    await s3.bucket(input.Bucket!)
    const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const }, BucketKeyEnabled: false }
    return { ServerSideEncryptionConfiguration: { Rules: [rule] } }
  },
  async PutBucketEncryption({ input }) {
    const rules = input.ServerSideEncryptionConfiguration!.Rules ?? []
    if (rules.length !== 1) throw malformedXml()
    const { ApplyServerSideEncryptionByDefault: asked, BucketKeyEnabled, BlockedEncryptionTypes } = rules[0]!
    if (asked && asked.SSEAlgorithm !== 'AES256') throw notImplemented(`the encryption ${asked.SSEAlgorithm}`)
    if (BucketKeyEnabled || BlockedEncryptionTypes) throw notImplemented('BucketKeyEnabled and BlockedEncryptionTypes of PutBucketEncryption')
    await s3.bucket(input.Bucket!)
    return {}
  },
  async DeleteBucketEncryption({ input }) { await s3.bucket(input.Bucket!); return {} },

  async GetBucketOwnershipControls({ input }) {
    await s3.bucket(input.Bucket!)
    // The only one there is, as of every bucket that was made since 2023.
    return { OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' as const }] } }
  },
  async PutBucketOwnershipControls({ input }) {
    const { Rules = [] } = input.OwnershipControls!
    if (Rules.length !== 1) throw malformedXml()
    if (Rules[0]!.ObjectOwnership !== 'BucketOwnerEnforced') throw notImplemented(`the object ownership ${Rules[0]!.ObjectOwnership}`)
    await s3.bucket(input.Bucket!)
    return {}
  },

  async GetPublicAccessBlock({ input }) {
    return {
      PublicAccessBlockConfiguration: await setting(s3, input.Bucket!, 'publicAccess',
        ['NoSuchPublicAccessBlockConfiguration', 'The public access block configuration was not found']),
    }
  },
  async PutPublicAccessBlock({ input }) {
    const asked = input.PublicAccessBlockConfiguration!
    const publicAccess = {
      BlockPublicAcls: asked.BlockPublicAcls ?? false, IgnorePublicAcls: asked.IgnorePublicAcls ?? false,
      BlockPublicPolicy: asked.BlockPublicPolicy ?? false, RestrictPublicBuckets: asked.RestrictPublicBuckets ?? false,
    }
    await change(s3, input.Bucket!, settings => ({ ...settings, publicAccess }))
    return {}
  },
  DeletePublicAccessBlock: without(s3, 'publicAccess'),
} satisfies Handlers<typeof Sdk>)
