/** What the conformance tests share: a server with a client of the SDK's, launches, waiting, and the whole store as text. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import * as sdk from '@aws-sdk/client-ec2'
import { openServer, type TestServer } from './server.ts'

export type Bench = Awaited<ReturnType<typeof openBench>>

/** Every kind of record that a call may write. */
const kinds = [
  'instance', 'volume', 'network-interface', 'security-group', 'key-pair', 'vpc', 'subnet', 'route-table', 'internet-gateway', 'network-acl',
  'dhcp-options', 'image', 'snapshot', 'public-access',
  'replace-root-volume-task', 'import-snapshot-task', 'image-task', 'export-image-task', 'import-image-task',
  'metadata-defaults', 'elastic-ip', 'natgateway', 'vpc-peering-connection', 'egress-only-internet-gateway',
  'launch-template', 'launch-template-version',
]

/** For assert.rejects: the error's code, and with a second argument its words. */
export const code = (wanted: string, words?: RegExp) => (error: unknown) => {
  assert.equal((error as Error).name, wanted, (error as Error).message)
  if (words) assert.match((error as Error).message, words)
  return true
}

/** Ids and generations of every record, as text. */
export async function stateOf({ cloud, store }: Pick<TestServer, 'cloud' | 'store'>): Promise<string> {
  await cloud.loop.idle()
  const rows = (await Promise.all(kinds.map(kind => store.list({ kind })))).flat()
  return rows.map(row => `${row.kind} ${row.region} ${row.id} ${row.generation}`).sort().join('\n')
}

/** A server on the fake engine, a client, and the short forms that tests are written in. */
export async function openBench(options: Parameters<typeof openServer>[0] = {}) {
  const server = await openServer(options)
  const ec2 = server.ec2()
  const images = await ec2.send(new sdk.DescribeImagesCommand({ Owners: ['amazon'], Filters: [{ Name: 'name', Values: ['debian-12-ec2'] }] }))
  const image = images.Images![0]!
  const defaultVpc = (await ec2.send(new sdk.DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] }))).Vpcs![0]!

  const run = async (more: Partial<sdk.RunInstancesCommandInput> = {}): Promise<string[]> => {
    const input = { ImageId: image.ImageId, InstanceType: 't3.micro' as const, MinCount: 1, MaxCount: 1, ...more }
    return (await ec2.send(new sdk.RunInstancesCommand(input))).Instances!.map(i => i.InstanceId!)
  }
  const one = async (id: string): Promise<sdk.Instance> =>
    (await ec2.send(new sdk.DescribeInstancesCommand({ InstanceIds: [id] }))).Reservations![0]!.Instances![0]!
  const until = async (id: string, state: string): Promise<sdk.Instance> => {
    const deadline = Date.now() + 15_000
    for (;;) {
      const found = await one(id)
      if (found.State!.Name === state) return found
      assert.ok(Date.now() < deadline, `${id} is ${found.State!.Name}, not ${state}: ${found.StateReason?.Message}`)
      await server.cloud.loop.idle()
      await pause(5)
    }
  }
  return {
    server, ec2, image, imageId: image.ImageId!, vpcId: defaultVpc.VpcId!, run, one, until,
    /** One running instance. */
    launch: async (more: Partial<sdk.RunInstancesCommandInput> = {}) => until((await run(more))[0]!, 'running'),
    async terminate(...ids: string[]) {
      await ec2.send(new sdk.TerminateInstancesCommand({ InstanceIds: ids }))
      for (const id of ids) await until(id, 'terminated')
      await server.cloud.loop.idle()
    },
    /** Calls with each input, wants each error, and wants the store as it was. */
    async refuses(Command: new (input: any) => any, cases: [input: object, code: string, words?: RegExp][]) {
      const before = await stateOf(server)
      for (const [input, wanted, words] of cases) {
        await assert.rejects(ec2.send(new Command(input)), code(wanted, words), `${Command.name} ${JSON.stringify(input)}`)
      }
      assert.equal(await stateOf(server), before)
    },
    close: () => server.close(),
  }
}
