/**
 * The tree that IMDS serves: paths to bodies, and listings as AWS lists them. Pure.
 *
 * All versions show the newest categories (AWS hides from an older version what came later). Names are from the EC2 User Guide,
 * "Instance metadata categories". Left out, as there is nothing behind them: identity-credentials, product-codes,
 * kernel-id, ramdisk-id.
 */
import { createHash } from 'node:crypto'
import type { Metadata, MetadataInterface } from '#service/ec2/imds/metadata'
import { signDocument, type Signer } from '#service/ec2/imds/signer'

/** A leaf, one that costs work and is made when asked for, or a directory. */
type Node = string | Uint8Array | (() => string) | Directory
type Directory = { children: Record<string, Node>; listing?: string }
/** `tag`: of the listings of interfaces, what changes whenever anything below does. AWS has none: it spares our guests' asking (decision 0038). */
export type Found = { body: string | Uint8Array; contentType: 'text/plain' | 'application/octet-stream'; tag?: string }

/** EC2 User Guide, "Get the available versions of the instance metadata". */
export const VERSIONS = [
  '1.0', '2007-01-19', '2007-03-01', '2007-08-29', '2007-10-10', '2007-12-15', '2008-02-01', '2008-09-01', '2009-04-04', '2011-01-01',
  '2011-05-01', '2012-01-12', '2014-02-25', '2014-11-05', '2015-10-20', '2016-04-19', '2016-06-30', '2016-09-02', '2018-03-28',
  '2018-08-17', '2018-09-24', '2019-10-01', '2020-10-27', '2021-01-03', '2021-03-23', '2021-07-15', '2022-07-09', '2022-09-24',
  '2024-04-11', 'latest',
]

/** A directory of what is there: undefined children are left out. */
function dir(children: Record<string, Node | undefined>, listing?: string): Directory {
  const present = Object.entries(children).filter((entry): entry is [string, Node] => entry[1] !== undefined)
  return { children: Object.fromEntries(present), listing }
}
const isDirectory = (node: Node): node is Directory => typeof node === 'object' && !(node instanceof Uint8Array)
const lines = (items: string[]): string | undefined => (items.length > 0 ? items.join('\n') : undefined)
/** AWS's JSON: two spaces, and one before each colon. Keys here hold no quotes. */
const json = (value: object): string => JSON.stringify(value, null, 2).replace(/^( *"\w+"):/gm, '$1 :')
/** ISO 8601 to the second, as everywhere in metadata. */
const seconds = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z')

/** Directory entries end in a slash, but not at the top, where AWS lists plain names. */
function list(directory: Directory, depth: number): string {
  const names = Object.entries(directory.children).map(([name, node]) => (depth > 1 && isDirectory(node) ? `${name}/` : name))
  return directory.listing ?? names.sort().join('\n')
}

function networkInterface(nic: MetadataInterface): Directory {
  const [publicIp] = nic.publicIps
  return dir({
    'device-number': String(nic.deviceNumber), 'interface-id': nic.interfaceId, mac: nic.mac, 'owner-id': nic.ownerId,
    'ipv4-associations': publicIp && dir(Object.fromEntries(nic.publicIps.map(({ ip, privateIp }) => [ip, privateIp]))),
    ipv6s: lines(nic.ipv6s ?? []),
    'local-hostname': nic.localHostname, 'local-ipv4s': lines(nic.privateIps),
    'public-hostname': publicIp?.hostname, 'public-ipv4s': lines(nic.publicIps.map(({ ip }) => ip)),
    'security-group-ids': lines(nic.securityGroups.map(group => group.id)),
    'security-groups': lines(nic.securityGroups.map(group => group.name)),
    'subnet-id': nic.subnetId, 'subnet-ipv4-cidr-block': nic.subnetCidr,
    'subnet-ipv6-cidr-blocks': lines(nic.subnetCidrs6 ?? []),
    'vpc-id': nic.vpcId, 'vpc-ipv4-cidr-block': nic.vpcCidrs[0], 'vpc-ipv4-cidr-blocks': lines(nic.vpcCidrs),
    'vpc-ipv6-cidr-blocks': lines(nic.vpcCidrs6 ?? []),
  })
}

function iam({ role }: Metadata): Directory | undefined {
  if (!role) return undefined
  const { name, profileArn, profileId, lastUpdated, credentials: c, untrusted } = role
  const refused = untrusted ? json({
    Code: 'AssumeRoleUnauthorizedAccess', Message: `EC2 cannot assume the role ${name}. Its trust policy does not allow ec2.amazonaws.com.`,
    LastUpdated: lastUpdated,
  }) : undefined
  return dir({
    info: json({ Code: 'Success', LastUpdated: lastUpdated, InstanceProfileArn: profileArn, InstanceProfileId: profileId }),
    'security-credentials': dir({
      [name]: refused ?? (c && json({
        Code: 'Success', LastUpdated: c.lastUpdated, Type: 'AWS-HMAC',
        AccessKeyId: c.accessKeyId, SecretAccessKey: c.secretAccessKey, Token: c.token, Expiration: c.expiration,
      })),
    }),
  })
}

function publicKeys({ keys }: Metadata): Directory | undefined {
  if (keys.length === 0) return undefined
  const children = keys.map(({ openSsh }, i) => [i, dir({ 'openssh-key': `${openSsh}\n` })])
  return dir(Object.fromEntries(children), keys.map(({ name }, i) => `${i}=${name}`).join('\n'))
}

/** What EC2 Instance Connect offers now, by user. AWS signs each key besides; here the network alone says who answers. */
function activeKeys({ connectKeys }: Metadata): Directory | undefined {
  const users = Object.entries(connectKeys ?? {}).map(([user, keys]) => [user, `${keys.join('\n')}\n`])
  return users.length > 0 ? dir({ 'active-keys': dir(Object.fromEntries(users)) }) : undefined
}

function spot({ spot: s }: Metadata): Directory | undefined {
  return s && dir({ 'instance-action': s.instanceAction && JSON.stringify(s.instanceAction), 'termination-time': s.terminationTime })
}

function metaData(m: Metadata): Directory {
  const [primary] = m.interfaces
  const [publicIp] = primary.publicIps
  return dir({
    'ami-id': m.imageId, 'ami-launch-index': String(m.launchIndex), 'ami-manifest-path': '(unknown)',
    'block-device-mapping': dir(m.blockDevices),
    events: dir({ maintenance: dir({ history: '[]', scheduled: '[]' }) }),
    hostname: m.hostname,
    iam: iam(m),
    'instance-action': 'none', 'instance-id': m.instanceId, 'instance-life-cycle': m.lifecycle, 'instance-type': m.instanceType,
    ipv6: primary.ipv6s?.[0],
    'local-hostname': m.hostname, 'local-ipv4': primary.privateIps[0], mac: primary.mac,
    'managed-ssh-keys': activeKeys(m),
    // AWS has answered an empty document since vhostmd went away.
    metrics: dir({ vhostmd: '<?xml version="1.0" encoding="UTF-8"?>' }),
    network: dir({ interfaces: dir({ macs: dir(Object.fromEntries(m.interfaces.map(nic => [nic.mac, networkInterface(nic)]))) }) }),
    placement: dir({ 'availability-zone': m.zone, 'availability-zone-id': m.zoneId, 'group-name': m.placementGroup, region: m.region }),
    profile: 'default-hvm',
    'public-hostname': publicIp?.hostname, 'public-ipv4': publicIp?.ip,
    'public-keys': publicKeys(m),
    'reservation-id': m.reservationId, 'security-groups': lines(primary.securityGroups.map(group => group.name)),
    services: dir({ domain: m.domain, partition: m.partition }),
    spot: spot(m),
    system: m.hypervisor,
    tags: m.tags && dir({ instance: dir(m.tags) }),
  })
}

/** The instance identity document (EC2 User Guide, "Instance identity documents"). */
export const identityDocument = (m: Metadata): string => json({
  accountId: m.accountId, architecture: m.architecture, availabilityZone: m.zone,
  billingProducts: null, devpayProductCodes: null, marketplaceProductCodes: null,
  imageId: m.imageId, instanceId: m.instanceId, instanceType: m.instanceType, kernelId: null,
  pendingTime: seconds(m.pendingTime), privateIp: m.interfaces[0].privateIps[0], ramdiskId: null, region: m.region, version: '2017-09-30',
})

function dynamic(m: Metadata, signer: Signer): Directory {
  const document = identityDocument(m)
  // Signed as of the document's own time, so that the same document always has the same signatures.
  const sign = () => signDocument(document, signer, m.pendingTime)
  return dir({
    fws: dir({ 'instance-monitoring': m.detailedMonitoring ? 'enabled' : 'disabled' }),
    'instance-identity': dir({ document, pkcs7: () => sign().pkcs7, rsa2048: () => sign().rsa2048, signature: () => sign().signature }),
  })
}

/** A path's names, or undefined where it is no path. A query is ignored, and so are doubled and closing slashes. */
function namesOf(path: string): string[] | undefined {
  try {
    return path.split('?', 1)[0]!.split('/').filter(name => name !== '').map(decodeURIComponent)
  } catch {
    return undefined // A stray percent sign.
  }
}

/** What is at a path of the form '/latest/meta-data/…', with or without a closing slash; undefined where AWS answers 404. */
export function lookup(m: Metadata, path: string, signer: Signer): Found | undefined {
  const names = namesOf(path)
  if (!names) return undefined
  const [version, ...rest] = names
  if (version === undefined) return { body: VERSIONS.join('\n'), contentType: 'text/plain' }
  if (!VERSIONS.includes(version)) return undefined
  const root = dir({ dynamic: dynamic(m, signer), 'meta-data': metaData(m), 'user-data': m.userData })
  let node: Node | undefined = root
  for (const name of rest) {
    node = isDirectory(node) && Object.hasOwn(node.children, name) ? node.children[name] : undefined
    if (node === undefined) return undefined
  }
  if (node instanceof Uint8Array) return { body: node, contentType: 'application/octet-stream' }
  if (typeof node === 'function') return { body: node(), contentType: 'text/plain' }
  if (!isDirectory(node)) return { body: node, contentType: 'text/plain' }
  const tag = rest[1] === 'network' && createHash('sha256').update(JSON.stringify(node)).digest('base64url').slice(0, 16)
  return { body: list(node, names.length), contentType: 'text/plain', ...(tag && { tag }) }
}
