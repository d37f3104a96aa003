/**
 * How soon packets obey in a VPC of a thousand interfaces: from the answer of AuthorizeSecurityGroupIngress until a connection passes that
 * could not before. The whole control plane with its records on the disk, in this process, over the engine's real networks; machines alone
 * are the fake engine's. Against the same among ten interfaces, in the same run.
 */
import { join } from 'node:path'
import { silent } from '#base/log'
import { openCloud } from '#cloud'
import { openFake } from '#engine/fake'
import { monotonicMs } from '#engine/net/guest.suite'
import { openLab, type Guest } from '#engine/net/lab.suite'
import type { InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { openSqlite } from '#store/sqlite'

const [FEW, MANY, ROUNDS, WARM] = [10, 1000, Number(process.argv[2] ?? 31), 5]
const MOST_MS = 5
const ACCOUNT = '111122223333'
const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!

const lab = await openLab()
const store = openSqlite(join(lab.home.dir, 'bench.db'))
const cloud = await openCloud({
  home: lab.home, engine: { ...openFake(), networks: lab.networks }, store, log: silent, clock: () => new Date(), authorise: async () => {},
})
async function ec2(operation: string, input: object): Promise<any> {
  const principal = { account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, userId: ACCOUNT, root: true }
  const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'bench' }
  return cloud.dispatch({ service: 'ec2', operation, input, caller })
}

let port = 20_000
/** How long after its answer a rule holds. What ended before the answer came counts as nothing. */
async function change(GroupId: string, from: Guest, host: string): Promise<number> {
  port++
  const passed = from.ask({ do: 'passes', host, port, waitMs: 10_000 })
  // The guest has begun to try.
  await from.ask({ do: 'heard' })
  await ec2('AuthorizeSecurityGroupIngress', { GroupId, IpProtocol: 'tcp', FromPort: port, ToPort: port, CidrIp: '0.0.0.0/0' })
  const answered = monotonicMs()
  const at = await passed
  if (typeof at !== 'number') throw new Error(`port ${port}: ${String(at)}`)
  await cloud.loop.idle()
  await ec2('RevokeSecurityGroupIngress', { GroupId, IpProtocol: 'tcp', FromPort: port, ToPort: port, CidrIp: '0.0.0.0/0' })
  await cloud.loop.idle()
  return Math.max(0, at - answered)
}

try {
  await lab.networks.up()
  const VpcId = (await ec2('CreateVpc', { CidrBlock: '10.0.0.0/16' })).Vpc.VpcId as string
  const SubnetId = (await ec2('CreateSubnet', { VpcId, CidrBlock: '10.0.0.0/20' })).Subnet.SubnetId as string
  const group = async (GroupName: string) => (await ec2('CreateSecurityGroup', { VpcId, GroupName, Description: 'bench' })).GroupId as string
  const [clients, servers] = [await group('clients'), await group('servers')]
  const make = async (from: number, to: number) => {
    for (let n = from; n < to; n++) await ec2('CreateNetworkInterface', { SubnetId, Groups: [n === 0 ? clients : servers] })
    await cloud.loop.idle()
  }
  const guest = async (name: string, Group: string) => {
    const [row] = (await store.list<InterfaceRow>({ kind: 'network-interface' })).filter(each => each.spec.groups.includes(Group))
    const address = row!.spec.addresses[0]!.private
    return { address, guest: await lab.guest(name, { index: row!.spec.index, address: `${address}/20`, gateway: '10.0.0.1' }) }
  }
  await make(0, FEW)
  const [client, server] = [await guest('client', clients), await guest('server', servers)]
  const measured = async (count: number) => {
    const took: number[] = []
    for (let n = 0; n < ROUNDS + WARM; n++) took.push(await change(servers, client.guest, server.address))
    const result = median(took.slice(WARM))
    const worst = Math.max(...took.slice(WARM))
    const isMet = result <= MOST_MS
    console.log(`a rule holds among ${String(count).padEnd(5)} interfaces   ${result.toFixed(1)} ms after its answer, at worst ${worst.toFixed(1)}${
      isMet ? '' : '   MISSED'}`)
    if (!isMet) process.exitCode = 1
  }
  await measured(FEW)
  await make(FEW, MANY)
  await measured(MANY)
} finally {
  await cloud.close()
  await lab.close()
  await store.close()
}
