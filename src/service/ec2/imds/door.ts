/**
 * The metadata service's door: from an interface's fabric address to what its instance may know about itself.
 *
 * Invariant: the address says who asks (the network makes it true), so nothing in a request is ever believed about that.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '#base/clock'
import { METADATA_PORT, serviceAddress, type Home } from '#base/home'
import type { Context } from '#service/ec2/context'
import { openImds, type Imds } from '#service/ec2/imds/server'
import type { Metadata, MetadataInterface } from '#service/ec2/imds/metadata'
import { createSigner, openSigner, type Signer, type SignerFiles } from '#service/ec2/imds/signer'
import { dataVolumes } from '#service/ec2/instance/belongings'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import { roleReader, type RoleOf } from '#service/ec2/instance-profile/role'
import { find, view } from '#service/ec2/instance-type/instance-type'
import { keyPairByName } from '#service/ec2/key-pair/key-pair'
import { ipName, publicName } from '#service/ec2/network-interface/names'
import { interfaceAt } from '#service/ec2/network-interface/fabric'
import { networkInterface, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { zoneId } from '#service/ec2/region/region'
import { securityGroup } from '#service/ec2/security-group/security-group'
import { subnet } from '#service/ec2/subnet/subnet'
import { guestDevice } from '#service/ec2/volume/device'
import { attachmentTo } from '#service/ec2/volume/volume'
import { blocks6, vpc } from '#service/ec2/vpc/vpc'
import type { Reader, Row } from '#store/store'

/** What the home keeps for this service: the identity documents' signer, and the secret of session tokens. */
type Kept = SignerFiles & { tokenSecret: string }

function openKept(dir: string, now: Date): { signer: Signer; secret: Buffer } {
  const file = join(dir, 'metadata-keys.json')
  if (!existsSync(file)) {
    const kept: Kept = { ...createSigner(now), tokenSecret: randomBytes(32).toString('base64') }
    writeFileSync(`${file}.new`, JSON.stringify(kept), { mode: 0o600, flush: true })
    renameSync(`${file}.new`, file)
  }
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept
  return { signer: openSigner(kept), secret: Buffer.from(kept.tokenSecret, 'base64') }
}

/** Opens the service at the address that instances' requests are translated to. */
export async function openImdsDoor(context: Context): Promise<Imds> {
  const { home, store, clock, log, identity } = context
  const { signer, secret } = openKept(home.dir, clock())
  const roleOf = roleReader(identity, clock)
  const counts = context.tally.withoutToken = new Map<string, number>()
  return openImds({
    host: serviceAddress(home), port: METADATA_PORT, secret, signer, clock, log,
    withoutToken: id => counts.set(id, (counts.get(id) ?? 0) + 1),
    lookup: (address, delivery) => lookup({ reader: store, home, roleOf: (reader, row) => roleOf(reader, row, delivery), clock }, address),
  })
}

type Looking = { reader: Reader; home: Home; roleOf(reader: Reader, row: InstanceRow): ReturnType<RoleOf>; clock: Clock }

/** The instance behind a fabric address. */
export async function lookup({ reader, home, roleOf, clock }: Looking, address: string): Promise<Metadata | undefined> {
  const owner = (await interfaceAt(reader, home, address))?.spec.attachment?.instance
  const row = owner === undefined ? undefined : await instance.find(reader, owner)
  return row && row.status.state !== 'terminated' ? metadataOf(reader, row, { role: await roleOf(reader, row), now: clock() }) : undefined
}

async function interfaceOf(reader: Reader, row: InterfaceRow): Promise<MetadataInterface> {
  const { spec, region } = row
  const [net, sub, groups] = await Promise.all([
    vpc.find(reader, spec.vpc), subnet.find(reader, spec.subnet), Promise.all(spec.groups.map(id => securityGroup.find(reader, id))),
  ])
  return {
    interfaceId: row.id, mac: spec.mac, deviceNumber: spec.attachment?.deviceIndex ?? 0, ownerId: row.account,
    subnetId: spec.subnet, subnetCidr: sub?.spec.cidr ?? '', vpcId: spec.vpc, vpcCidrs: net?.spec.cidrs.map(c => c.cidr) ?? [],
    ipv6s: spec.addresses6 ?? [], subnetCidrs6: sub?.spec.cidr6 ? [sub.spec.cidr6.cidr] : [], vpcCidrs6: net ? blocks6(net).map(b => b.cidr) : [],
    securityGroups: groups.filter(g => g !== undefined).map(g => ({ id: g.id, name: g.spec.name })),
    localHostname: ipName(region, spec.addresses[0]!.private), privateIps: spec.addresses.map(a => a.private),
    publicIps: spec.addresses.flatMap(a => (a.public
      ? [{ ip: a.public.address, privateIp: a.private, hostname: net?.spec.dnsHostnames ? publicName(region, a.public.address) : undefined }]
      : [])),
  }
}

/** EBS volumes are among them since the start that found them attached (EC2 User Guide, "Instance metadata categories": ebsN). */
async function blockDevices(reader: Reader, row: InstanceRow): Promise<Record<string, string>> {
  const { rootDevice, launchTime } = row.spec
  const attachments = (await dataVolumes(reader, row)).map(own => attachmentTo(own, row.id)!).filter(({ time }) => time <= launchTime)
  return {
    ami: guestDevice(rootDevice), root: rootDevice,
    ...Object.fromEntries(attachments.map(({ device }, i) => [`ebs${i + 1}`, guestDevice(device)])),
  }
}

type OfferedKey = Row<{ instance: string; user: string; key: string; expires: string }, object>

/** Keys that EC2 Instance Connect's service keeps for an instance, by user. */
async function connectKeys(reader: Reader, id: string, now: Date): Promise<Record<string, string[]>> {
  const offered: Record<string, string[]> = {}
  for (const { spec } of await reader.list<OfferedKey>({ kind: 'instance-connect-key' })) {
    if (spec.instance === id && spec.expires > now.toISOString()) (offered[spec.user] ??= []).push(spec.key)
  }
  return offered
}

type Moment = { role: Metadata['role']; now: Date }

async function metadataOf(reader: Reader, row: InstanceRow, { role, now }: Moment): Promise<Metadata | undefined> {
  const { spec, region } = row
  const rows = (await Promise.all(spec.interfaces.map(id => networkInterface.find(reader, id)))).filter(r => r !== undefined)
  const [primary, ...others] = await Promise.all(rows.map(r => interfaceOf(reader, r)))
  if (!primary) return undefined
  const type = find(spec.type)
  const key = spec.keyName === undefined ? undefined : await keyPairByName(reader, row, spec.keyName)
  return {
    instanceId: row.id, accountId: row.account, region, zone: spec.zone, zoneId: zoneId(spec.zone), partition: 'aws', domain: 'amazonaws.com',
    imageId: spec.image, instanceType: spec.type, architecture: spec.architecture, hypervisor: type && view(type).Hypervisor,
    launchIndex: spec.launchIndex, reservationId: spec.reservation, lifecycle: 'on-demand', pendingTime: new Date(spec.launchTime),
    hostname: spec.privateDnsName, interfaces: [primary, ...others],
    blockDevices: await blockDevices(reader, row),
    keys: key ? [{ name: spec.keyName!, openSsh: key.spec.publicKey }] : [],
    connectKeys: await connectKeys(reader, row.id, now),
    userData: spec.userData === undefined ? undefined : Buffer.from(spec.userData, 'base64'),
    detailedMonitoring: spec.detailedMonitoring, tags: spec.metadata.tags === 'enabled' ? row.tags : undefined,
    ...(role && { role }), options: { endpointEnabled: spec.metadata.endpoint === 'enabled', tokensRequired: spec.metadata.tokens === 'required' },
  }
}
