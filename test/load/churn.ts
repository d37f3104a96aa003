/**
 * Rounds of all that comes and goes, of every service, and what a control plane holds after each: when everything that was made is gone, so must
 * be all that it took. The clock of the control plane runs fast, so that what is kept for an hour or a week goes within the test.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { DescribeInstancesCommand, DescribeTagsCommand, EC2Client } from '@aws-sdk/client-ec2'
import * as s3 from '@aws-sdk/client-s3'
import { openSqlite } from '#store/sqlite'
import { wireServices } from '#service/index'
import { silent } from '#base/log'
import { openWire } from '#wire/server'
import { keys, openServer } from '../conformance/server.ts'

/** An hour passes in 0.18 s, a week in 30. */
const HASTE = 20_000
const PATIENCE_MS = 60_000
const principal = { account: keys.account, arn: `arn:aws:iam::${keys.account}:root`, userId: keys.account, root: true }
const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }

/** Everything in it is a count, but for the two in MiB. */
export type Held = {
  records: Record<string, number>; claims: number; tokens: number; machines: number; disks: number; ports: number
  descriptors: number; files: number; remembered: number; heapMiB: number; rssMiB: number
}
export type Churn = Awaited<ReturnType<typeof openChurn>>

export async function openChurn() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const dir = mkdtempSync(join(tmpdir(), 'enclume-churn-'))
  const file = join(dir, 'enclume.db')
  const began = Date.now()
  const clock = () => new Date(began + (Date.now() - began) * HASTE)
  const store = openSqlite(file, clock)
  // In files, as they are outside of tests: what is kept of calls and measured is no memory.
  const kept = { history: join(dir, 'history.db'), metrics: join(dir, 'metrics.db') }
  const server = await openServer({ store, dir, clock, pause: { first: 1, longest: 20 }, ...kept })
  const { cloud, engine } = server
  // Signatures are of the true time.
  const wire = openWire({
    services: wireServices(cloud.services), dispatch: cloud.dispatch, log: silent, clock: () => new Date(), health: () => ({ status: 'ok' }),
    credentials: cloud.identity.credentials,
  })
  const endpoint = `http://127.0.0.1:${(await wire.listen(0, '127.0.0.1')).port}`
  const call = async (operation: string, input: object = {}, service = 'ec2'): Promise<any> => cloud.dispatch({ service, operation, input, caller })
  const db = new DatabaseSync(file, { readOnly: true })
  const count = (sql: string): number => (db.prepare(`select count(*) as n from ${sql}`).get() as { n: number }).n

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + PATIENCE_MS; !await isSo();) {
      if (Date.now() > deadline) throw new Error(`it never came to ${what}`)
      await cloud.sweep()
      await cloud.loop.idle()
      await pause(5)
    }
  }
  const allAre = (state: string) => async (): Promise<boolean> => (await call('DescribeInstances')).Reservations
    .flatMap((one: any) => one.Instances).every((one: any) => one.State.Name === state)
  const none = async (operation: string, list: string, input: object = {}) => (await call(operation, input))[list].length === 0

  /** A round: instances with all that hangs on them, from their launch until nothing of them is left. */
  async function round(n: number): Promise<void> {
    const name = `churn-${n}`
    const { Images } = await call('DescribeImages', { Filters: [{ Name: 'name', Values: ['debian-12'] }] })
    const { GroupId } = await call('CreateSecurityGroup', { GroupName: name, Description: name })
    const rule = { IpProtocol: 'tcp', FromPort: n % 60_000, ToPort: 60_000, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }
    await call('AuthorizeSecurityGroupIngress', { GroupId, IpPermissions: [rule] })
    await call('CreateKeyPair', { KeyName: name })
    const { Instances } = await call('RunInstances', {
      ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: 4, MaxCount: 4, KeyName: name, SecurityGroupIds: [GroupId], ClientToken: name,
      BlockDeviceMappings: [{ DeviceName: '/dev/sdb', Ebs: { VolumeSize: 1, DeleteOnTermination: true } }],
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: name }] }],
    })
    const ids: string[] = Instances.map((one: any) => one.InstanceId)
    await until('running', allAre('running'))
    const { AllocationId } = await call('AllocateAddress')
    await call('AssociateAddress', { AllocationId, InstanceId: ids[0] })
    const { VolumeId } = await call('CreateVolume', { AvailabilityZone: Instances[0].Placement.AvailabilityZone, Size: 1 })
    await until('a volume', async () => (await call('DescribeVolumes', { VolumeIds: [VolumeId] })).Volumes[0].State === 'available')
    await call('AttachVolume', { VolumeId, InstanceId: ids[1], Device: '/dev/sdf' })
    const { ImageId } = await call('CreateImage', { InstanceId: ids[2], Name: name, NoReboot: true })
    await asked()
    await stored(name)
    await beside(name)
    await call('StopInstances', { InstanceIds: ids })
    await until('stopped', allAre('stopped'))
    await call('StartInstances', { InstanceIds: ids })
    await until('running again', allAre('running'))
    await until('an image', async () => (await call('DescribeImages', { ImageIds: [ImageId] })).Images[0].State === 'available')
    await call('DeregisterImage', { ImageId })
    await call('CreateReplaceRootVolumeTask', { InstanceId: ids[3], DeleteReplacedRootVolume: true })
    const tasks = async (): Promise<any[]> => (await call('DescribeReplaceRootVolumeTasks')).ReplaceRootVolumeTasks
    await until('another root', async () => (await tasks()).every(one => one.TaskState === 'succeeded'))
    for (const { SnapshotId } of (await call('DescribeSnapshots', { OwnerIds: ['self'] })).Snapshots) await call('DeleteSnapshot', { SnapshotId })
    await call('TerminateInstances', { InstanceIds: ids })
    await until('no instance', () => none('DescribeInstances', 'Reservations'))
    await call('DeleteVolume', { VolumeId })
    await call('ReleaseAddress', { AllocationId })
    await call('DeleteKeyPair', { KeyName: name })
    await call('DeleteSecurityGroup', { GroupId })
    await until('no task', async () => (await tasks()).length === 0)
    await until('no volume', () => none('DescribeVolumes', 'Volumes'))
    await until('no snapshot', () => none('DescribeSnapshots', 'Snapshots', { OwnerIds: ['self'] }))
  }

  /** Over the wire, by clients that come and go. */
  async function asked(): Promise<void> {
    const client = new EC2Client({ endpoint, region: 'us-east-1', credentials: keys })
    await Promise.all([client.send(new DescribeInstancesCommand({})), client.send(new DescribeTagsCommand({}))])
    client.destroy()
  }

  /** Objects: small ones stand in the tables, large ones and parts of them in files. */
  async function stored(Bucket: string): Promise<void> {
    const client = new s3.S3Client({ endpoint, region: 'us-east-1', credentials: keys, forcePathStyle: true })
    await client.send(new s3.CreateBucketCommand({ Bucket }))
    for (const [Key, size] of [['small', 100], ['large', 300_000], ['large', 400_000]] as const)
      await client.send(new s3.PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(size) }))
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key: 'parts' }))
    await client.send(new s3.UploadPartCommand({ Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: Buffer.alloc(300_000) }))
    await client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key: 'parts', UploadId }))
    for (const Key of ['small', 'large']) await client.send(new s3.DeleteObjectCommand({ Bucket, Key }))
    await client.send(new s3.DeleteBucketCommand({ Bucket }))
    client.destroy()
  }

  /** What the other services keep. */
  async function beside(name: string): Promise<void> {
    await call('CreateUser', { UserName: name }, 'iam')
    const { AccessKey: { AccessKeyId } } = await call('CreateAccessKey', { UserName: name }, 'iam')
    await call('PutParameter', { Name: name, Type: 'SecureString', Value: name }, 'ssm')
    await call('PutMetricAlarm', {
      AlarmName: name, Namespace: 'churn', MetricName: 'rounds', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
    }, 'monitoring')
    await call('DeleteAlarms', { AlarmNames: [name] }, 'monitoring')
    await call('DeleteParameter', { Name: name }, 'ssm')
    await call('DeleteAccessKey', { UserName: name, AccessKeyId }, 'iam')
    await call('DeleteUser', { UserName: name }, 'iam')
  }

  async function held(): Promise<Held> {
    await cloud.sweep()
    await cloud.loop.idle()
    collect()
    collect()
    const { heapUsed, rss } = process.memoryUsage()
    const kinds = db.prepare('select kind, count(*) as n from record group by kind').all() as { kind: string; n: number }[]
    return {
      records: Object.fromEntries(kinds.map(({ kind, n }) => [kind, n])), claims: count('claim'), tokens: count('token'),
      machines: engine.machinesById.size, disks: engine.disksById.size, ports: [...engine.networksById.values()].flatMap(one => one.ports).length,
      descriptors: readdirSync('/proc/self/fd').length, files: readdirSync(dir, { recursive: true }).length, remembered: cloud.loop.remembered,
      heapMiB: heapUsed / 2 ** 20, rssMiB: rss / 2 ** 20,
    }
  }

  return {
    round, held,
    async close(): Promise<void> {
      db.close()
      await wire.close()
      await server.close()
      await store.close()
      rmSync(dir, { recursive: true })
    },
  }
}
