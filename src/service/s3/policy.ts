/**
 * Bucket policies, and what blocking public access makes of them.
 *
 * Invariant: a policy that is kept has compiled, and speaks of its own bucket alone; a public one is not taken where
 * BlockPublicPolicy is on, and lets nobody of another account in where RestrictPublicBuckets is (S3 User Guide,
 * "Blocking public access").
 */
import type * as Sdk from '@aws-sdk/client-s3'
import type { Access } from '#kit/action'
import { ApiError } from '#kit/error'
import { Malformed, policyOf } from '#kit/policy/document'
import { change } from '#service/s3/bucket'
import { conditionKeys } from '#service/s3/condition-keys'
import type { S3 } from '#service/s3/context'
import type { Handlers } from '#service/s3/handlers'

const LARGEST = 20 * 1024
type Statement = {
  Effect?: string; Principal?: unknown; Resource?: string | string[]; NotResource?: string | string[]; Condition?: Record<string, object>
}

/** Conditions on these keep a policy from being public, whatever its principals (S3 User Guide, 'The meaning of "public"'). */
const NARROWING = new Set([
  'aws:sourceip', 'aws:sourcearn', 'aws:sourcevpc', 'aws:sourcevpce', 'aws:sourceowner', 'aws:sourceaccount', 'aws:userid', 'aws:principalorgid',
  'aws:principalaccount', 'aws:principalarn', 's3:dataaccesspointarn', 's3:dataaccesspointaccount', 's3:x-amz-server-side-encryption-aws-kms-key-id',
])

const statementsOf = (text: string): Statement[] => [(JSON.parse(text) as { Statement: Statement | Statement[] }).Statement].flat()
const anybody = (principal: unknown): boolean =>
  principal === '*' || [(principal as { AWS?: unknown } | undefined)?.AWS].flat().includes('*')
const everything = (value: unknown): boolean => [value].flat().some(text => /^(\*|0\.0\.0\.0\/0|::\/0)$/.test(String(text)))
const narrowed = ({ Condition = {} }: Statement): boolean =>
  Object.entries(Condition).some(([operator, keys]) => !/^not|not(equals|like|ipaddress)|ifexists$/i.test(operator)
    && Object.entries(keys).some(([key, value]) => NARROWING.has(key.toLowerCase()) && !everything(value)))
const opens = (statement: Statement): boolean => statement.Effect === 'Allow' && anybody(statement.Principal) && !narrowed(statement)

export const isPublic = (text: string): boolean => statementsOf(text).some(opens)

/** A public policy as it counts in a restricted bucket: only for the owner's account. */
function restricted(text: string, account: string): string {
  const document = JSON.parse(text) as { Statement: Statement | Statement[] }
  const Statement = [document.Statement].flat().map(statement => (opens(statement)
    ? { ...statement, Condition: { ...statement.Condition, StringEquals: { ...statement.Condition?.StringEquals, 'aws:PrincipalAccount': account } } }
    : statement))
  return JSON.stringify({ ...document, Statement })
}

const malformed = (why: string): ApiError => new ApiError('MalformedPolicy', why)

function checkPolicy(text: string, bucket: string): void {
  if (Buffer.byteLength(text) > LARGEST) throw malformed('Policies must be less than 20480 bytes')
  try {
    policyOf(text, { kind: 'resource', name: bucket })
  } catch (error) {
    if (error instanceof Malformed || error instanceof SyntaxError) throw malformed(error.message)
    throw error
  }
  const arn = `arn:aws:s3:::${bucket}`
  const strange = statementsOf(text).flatMap(({ Resource = [], NotResource = [] }) => [Resource, NotResource].flat())
    .find(resource => resource !== arn && !resource.startsWith(`${arn}/`) && resource !== `${arn}*`)
  if (strange !== undefined) throw malformed('Policy has invalid resource')
}

export const bucketPolicies = (s3: S3) => {
  async function read(bucket: string): Promise<string> {
    const { policy } = (await s3.bucket(bucket)).bucket.settings
    if (policy === undefined) throw new ApiError('NoSuchBucketPolicy', 'The bucket policy does not exist', 404, { BucketName: bucket })
    return policy
  }
  return {
    async GetBucketPolicy({ input }) { return { Policy: await read(input.Bucket!) } },
    async GetBucketPolicyStatus({ input }) { return { PolicyStatus: { IsPublic: isPublic(await read(input.Bucket!)) } } },
    async PutBucketPolicy({ input }) {
      const policy = input.Policy!
      const { bucket } = await s3.bucket(input.Bucket!)
      checkPolicy(policy, bucket.name)
      if (bucket.settings.publicAccess?.BlockPublicPolicy && isPublic(policy)) {
        throw new ApiError('AccessDenied', 'User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the '
          + 'BlockPublicPolicy setting in S3 Block Public Access.', 403)
      }
      await change(s3, bucket.name, settings => ({ ...settings, policy }))
      return {}
    },
    async DeleteBucketPolicy({ input }) {
      await change(s3, input.Bucket!, settings => ({ ...settings, policy: undefined }))
      return {}
    },
  } satisfies Handlers<typeof Sdk>
}

/** What the authoriser asks: whose a bucket is and what its policy says. */
export const access = (s3: S3): Access => ({
  async policies(_reader, arn) {
    const name = /^arn:aws:s3:::([^/*]+)/.exec(arn)?.[1]
    const bucket = name === undefined ? undefined : (await s3.ready()).tables.bucket(name)
    if (!bucket) return undefined
    const { policy, publicAccess } = bucket.settings
    if (policy === undefined) return { account: bucket.account, documents: [] }
    return { account: bucket.account, documents: [publicAccess?.RestrictPublicBuckets ? restricted(policy, bucket.account) : policy] }
  },
  keys: conditionKeys(s3),
  denied: message => new ApiError('AccessDenied', message, 403),
})
