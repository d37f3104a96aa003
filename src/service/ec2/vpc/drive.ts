/**
 * The driver of VPCs: their networks on the host follow their records.
 *
 * Invariants: what was applied is remembered only by this process, so that after a restart every network is made sure of
 * once; it is remembered only after the engine has said that packets obey.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Home } from '#base/home'
import type { NetworkSpec } from '#engine/port'
import type { Driver, Loop } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import type { EgressOnlyGatewayRow } from '#service/ec2/egress-only-gateway/egress-only-gateway'
import type { FlowLogRow } from '#service/ec2/flow-log/flow-log'
import type { DhcpOptionsRow } from '#service/ec2/dhcp-options/dhcp-options'
import type { InternetGatewayRow } from '#service/ec2/internet-gateway/internet-gateway'
import type { NetworkAclRow } from '#service/ec2/network-acl/network-acl'
import type { NatGatewayRow } from '#service/ec2/nat-gateway/nat-gateway'
import { networkInterface, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import type { RouteTableRow } from '#service/ec2/route-table/route-table'
import type { SecurityGroupRow } from '#service/ec2/security-group/security-group'
import type { SubnetRow } from '#service/ec2/subnet/subnet'
import { managedLists } from '#service/ec2/prefix-list/managed'
import { blocksOf } from '#service/ec2/prefix-list/prefix-list'
import type { VpcEndpointRow } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import { compile, recompile, type Compiled, type PeerRecords, type Records } from '#service/ec2/vpc/compile'
import { plan, type Seen } from '#service/ec2/vpc/plan'
import { remembered } from '#service/ec2/vpc/remembered'
import type { VpcRow } from '#service/ec2/vpc/vpc'
import { peersOf } from '#service/ec2/vpc-peering/peering'
import type { Reader, Row } from '#store/store'

/** A VPC's network as its records want it. */
export const networkOf = async (reader: Reader, home: Home, vpc: VpcRow): Promise<NetworkSpec> => compile(await recordsOf(reader, home, vpc))

async function recordsOf(reader: Reader, home: Home, vpc: VpcRow): Promise<Records> {
  const { account, region } = vpc
  const inVpc = async <R extends Row<{ vpc?: string }>>(kind: string): Promise<R[]> =>
    (await reader.list<R>({ kind, account, region })).filter(row => row.spec.vpc === vpc.id)
  return {
    vpc,
    interfaces: await inVpc<InterfaceRow>('network-interface'),
    subnets: await inVpc<SubnetRow>('subnet'),
    routeTables: await inVpc<RouteTableRow>('route-table'),
    gateways: await inVpc<InternetGatewayRow>('internet-gateway'),
    egressGateways: await inVpc<EgressOnlyGatewayRow>('egress-only-internet-gateway'),
    acls: await inVpc<NetworkAclRow>('network-acl'),
    groups: await inVpc<SecurityGroupRow>('security-group'),
    dhcp: await reader.get<DhcpOptionsRow>('dhcp-options', vpc.spec.dhcpOptions),
    nats: await inVpc<NatGatewayRow>('natgateway'),
    peers: await peerRecords(reader, vpc),
    flowLogs: await inVpc<FlowLogRow>('vpc-flow-log'),
    endpoints: await inVpc<VpcEndpointRow>('vpc-endpoint'),
    prefixLists: await blocksOf(reader, vpc, managedLists(home, region)),
  }
}

async function peerRecords(reader: Reader, { id }: VpcRow): Promise<PeerRecords[]> {
  const found = await Promise.all((await peersOf(reader, id)).map(async peer => {
    const { account, region, vpc, remoteDns } = peer.other
    const row = await reader.get<VpcRow>('vpc', vpc)
    if (row?.spec.desired !== 'present') return []
    const within = async <R extends Row<{ vpc: string }>>(kind: string): Promise<R[]> =>
      (await reader.list<R>({ kind, account, region })).filter(own => own.spec.vpc === vpc)
    const interfaces = await within<InterfaceRow>('network-interface')
    return [{ id: peer.id, vpc: row, interfaces, endpoints: await within<VpcEndpointRow>('vpc-endpoint'), remoteDns }]
  }))
  return found.flat()
}

export function vpcDriver(
  { store, engine, home, loop }: Pick<Context, 'store' | 'engine' | 'home'> & { loop(): Pick<Loop, 'wake'> },
): Driver<VpcRow, Seen> {
  const applied = new Map<string, NetworkSpec>()
  const compiled = new Map<string, Compiled>()
  const wanted = remembered(store, async (reader, row) => {
    const records = await recordsOf(reader, home, row)
    const spec = recompile(records, compiled.get(row.id))
    compiled.set(row.id, { records, spec })
    return spec
  })

  /** Machines whose ports have got new devices see to having them. */
  async function wakeOwners(ports: string[]): Promise<void> {
    for (const id of ports) {
      const owner = (await networkInterface.find(store, id))?.spec.attachment?.instance
      if (owner !== undefined) loop().wake('instance', owner)
    }
  }

  return {
    kind: 'vpc',
    async observe(row) {
      const spec = await wanted(row)
      const last = applied.get(row.id)
      const populated = spec.ports.length > 0
      // What was applied here and is not what is wanted now needs no look: that comes after the act, when packets obey already.
      if (row.spec.desired === 'present' && last && !isDeepStrictEqual(last, spec)) return { network: 'stale', populated }
      const found = await engine.networks.observe(row.id)
      if (found === 'unknown') return 'unknown'
      const there = new Set(found === 'absent' ? [] : found.ports)
      const isWhole = spec.ports.every(port => there.has(port.id))
      if (found === 'absent') return { network: 'absent', populated }
      return { network: last && isWhole && !found.unserved ? 'current' : 'stale', populated }
    },
    plan,
    acts: {
      async apply(row) {
        const spec = await wanted(row)
        applied.delete(row.id)
        const made = await engine.networks.apply(spec)
        applied.set(row.id, spec)
        await wakeOwners(made)
      },
      async delete(row) {
        applied.delete(row.id)
        compiled.delete(row.id)
        await engine.networks.delete(row.id)
      },
    },
    writes: { remove: (tx, row) => tx.remove(row) },
  }
}

/** Deletes the networks that no VPC owns: what is left when a record went before its network. */
export async function sweepNetworks({ store, engine, log }: Pick<Context, 'store' | 'engine' | 'log'>): Promise<void> {
  const found = await engine.networks.list()
  if (found === 'unknown') return
  // Listed before the records are read: a VPC made in between has a record, and one that is not listed is left alone.
  const owned = new Set((await store.list({ kind: 'vpc' })).map(row => row.id))
  for (const id of found.filter(network => !owned.has(network))) {
    log.warn('vpc.sweep', { network: id })
    await engine.networks.delete(id)
  }
}
