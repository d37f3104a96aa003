/** A server with a client of S3's, a bucket, and what S3's tests are written with. */
import type { TestContext } from 'node:test'
import * as iam from '@aws-sdk/client-iam'
import * as sdk from '@aws-sdk/client-s3'
import { keys, openServer, type TestOptions } from './server.ts'

export type S3Bench = Awaited<ReturnType<typeof openS3Bench>>

export async function openS3Bench(t: TestContext, options: Partial<TestOptions> = {}) {
  const server = await openServer(options)
  const clients: sdk.S3Client[] = []
  const client = (config: sdk.S3ClientConfig = {}): sdk.S3Client => {
    const made = new sdk.S3Client({ endpoint: server.url, region: 'us-east-1', credentials: keys, forcePathStyle: true, maxAttempts: 1, ...config })
    clients.push(made)
    return made
  }
  t.after(async () => {
    for (const one of clients) one.destroy()
    await server.close()
  })
  const s3 = client()
  const Bucket = 'a-bucket'
  await s3.send(new sdk.CreateBucketCommand({ Bucket }))
  return {
    server, s3, client, Bucket,
    put: (Key: string, Body: string | Uint8Array, more: Partial<sdk.PutObjectCommandInput> = {}) =>
      s3.send(new sdk.PutObjectCommand({ Bucket, Key, Body, ...more })),
    get: (Key: string, more: Partial<sdk.GetObjectCommandInput> = {}) => s3.send(new sdk.GetObjectCommand({ Bucket, Key, ...more })),
    text: async (Key: string, more: Partial<sdk.GetObjectCommandInput> = {}) =>
      (await s3.send(new sdk.GetObjectCommand({ Bucket, Key, ...more }))).Body!.transformToString(),
    enable: (Status: 'Enabled' | 'Suspended' = 'Enabled') =>
      s3.send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } })),
  }
}

/** The error's name, or 'success'. */
export const outcome = (sent: Promise<unknown>): Promise<string> => sent.then(() => 'success', (error: Error) => error.name)

/** A client of a new user's that has this policy. */
export async function userOf({ server, client }: S3Bench, t: TestContext, policy: string): Promise<sdk.S3Client> {
  const admin = new iam.IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
  t.after(() => admin.destroy())
  const UserName = `u${Math.floor(performance.now() * 1000)}`
  await admin.send(new iam.CreateUserCommand({ UserName }))
  await admin.send(new iam.PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: policy }))
  const { AccessKey } = await admin.send(new iam.CreateAccessKeyCommand({ UserName }))
  return client({ credentials: { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! } })
}
