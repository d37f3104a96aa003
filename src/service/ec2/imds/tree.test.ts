import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sample, signer } from '#service/ec2/imds/sample.suite'
import { lookup, VERSIONS } from '#service/ec2/imds/tree'

const metadata = sample()
const at = (path: string, m = metadata) => {
  const found = lookup(m, path, signer())
  return found && Buffer.from(found.body as string).toString('latin1')
}
const meta = (path: string, m = metadata) => at(`/latest/meta-data/${path}`, m)

test('the top lists versions, and each version its three parts', () => {
  assert.equal(at('/'), VERSIONS.join('\n'))
  assert.equal(at('/latest'), 'dynamic\nmeta-data\nuser-data')
  assert.equal(at('/2009-04-04/', sample({ userData: undefined })), 'dynamic\nmeta-data')
  assert.equal(at('/2021-03-23/meta-data/instance-id'), 'i-0123456789abcdef0')
  assert.deepEqual(['/2000-01-01/', '/newest/', '/latest/nothing', '/latest/api/token'].map(path => at(path)), Array(4).fill(undefined))
})

test('meta-data is listed as AWS lists it', () => {
  assert.equal(meta(''), [
    'ami-id', 'ami-launch-index', 'ami-manifest-path', 'block-device-mapping/', 'events/', 'hostname', 'instance-action', 'instance-id',
    'instance-life-cycle', 'instance-type', 'local-hostname', 'local-ipv4', 'mac', 'metrics/', 'network/', 'placement/', 'profile',
    'public-hostname', 'public-ipv4', 'public-keys/', 'reservation-id', 'security-groups', 'services/', 'system',
  ].join('\n'))
})

test('every leaf that a crawl by the listings finds has its value', () => {
  const leaves: Record<string, string> = {}
  // As cloud-init crawls: a name that ends in a slash is a directory, and "0=name" is the directory of one key.
  const crawl = (path: string): void => {
    for (const name of at(path)!.split('\n')) {
      if (name.endsWith('/')) crawl(path + name)
      else if (name.includes('=')) crawl(`${path}${name.split('=')[0]}/`)
      else leaves[path.slice('/latest/meta-data/'.length) + name] = at(path + name)!
    }
  }
  crawl('/latest/meta-data/')
  const first = 'network/interfaces/macs/0e:00:00:00:00:01/'
  const second = 'network/interfaces/macs/0e:00:00:00:00:02/'
  assert.deepEqual(leaves, {
    'ami-id': 'ami-0123456789abcdef0', 'ami-launch-index': '0', 'ami-manifest-path': '(unknown)',
    'block-device-mapping/ami': '/dev/xvda', 'block-device-mapping/root': '/dev/xvda',
    'events/maintenance/history': '[]', 'events/maintenance/scheduled': '[]', hostname: 'ip-172-31-0-4.ec2.internal',
    'instance-action': 'none', 'instance-id': 'i-0123456789abcdef0', 'instance-life-cycle': 'on-demand', 'instance-type': 't2.micro',
    'local-hostname': 'ip-172-31-0-4.ec2.internal', 'local-ipv4': '172.31.0.4', mac: '0e:00:00:00:00:01',
    'metrics/vhostmd': '<?xml version="1.0" encoding="UTF-8"?>',
    [`${first}device-number`]: '0', [`${first}interface-id`]: 'eni-1', [`${first}ipv4-associations/198.18.0.9`]: '172.31.0.4',
    [`${first}local-hostname`]: 'ip-172-31-0-4.ec2.internal', [`${first}local-ipv4s`]: '172.31.0.4\n172.31.0.5',
    [`${first}mac`]: '0e:00:00:00:00:01', [`${first}owner-id`]: '123456789012',
    [`${first}public-hostname`]: 'ec2-198-18-0-9.compute-1.amazonaws.com', [`${first}public-ipv4s`]: '198.18.0.9',
    [`${first}security-group-ids`]: 'sg-1\nsg-2', [`${first}security-groups`]: 'default\nweb', [`${first}subnet-id`]: 'subnet-1',
    [`${first}subnet-ipv4-cidr-block`]: '172.31.0.0/20', [`${first}vpc-id`]: 'vpc-1',
    [`${first}vpc-ipv4-cidr-block`]: '172.31.0.0/16', [`${first}vpc-ipv4-cidr-blocks`]: '172.31.0.0/16',
    [`${second}device-number`]: '1', [`${second}interface-id`]: 'eni-2', [`${second}local-hostname`]: 'ip-172-31-0-6.ec2.internal',
    [`${second}local-ipv4s`]: '172.31.0.6', [`${second}mac`]: '0e:00:00:00:00:02', [`${second}owner-id`]: '123456789012',
    [`${second}security-group-ids`]: 'sg-1', [`${second}security-groups`]: 'default', [`${second}subnet-id`]: 'subnet-1',
    [`${second}subnet-ipv4-cidr-block`]: '172.31.0.0/20', [`${second}vpc-id`]: 'vpc-1',
    [`${second}vpc-ipv4-cidr-block`]: '172.31.0.0/16', [`${second}vpc-ipv4-cidr-blocks`]: '172.31.0.0/16',
    'placement/availability-zone': 'us-east-1a', 'placement/availability-zone-id': 'use1-az1', 'placement/region': 'us-east-1',
    profile: 'default-hvm', 'public-hostname': 'ec2-198-18-0-9.compute-1.amazonaws.com', 'public-ipv4': '198.18.0.9',
    'public-keys/0/openssh-key': 'ssh-ed25519 AAAA votre-cle\n', 'reservation-id': 'r-0123456789abcdef0', 'security-groups': 'default\nweb',
    'services/domain': 'amazonaws.com', 'services/partition': 'aws', system: 'xen',
  })
})

test('what an instance does not have is neither listed nor found', () => {
  const [primary] = sample().interfaces
  const bare = sample({ keys: [], hypervisor: undefined, interfaces: [{ ...primary, publicIps: [] }] })
  const listed = meta('', bare)!.split('\n')
  const absent = ['public-ipv4', 'public-hostname', 'public-keys/', 'iam/', 'tags/', 'spot/', 'system']
  assert.deepEqual(absent.filter(name => listed.includes(name)), [])
  assert.deepEqual(absent.map(name => meta(name, bare)), absent.map(() => undefined))
  assert.equal(at('/latest/user-data', sample({ userData: undefined })), undefined)
})

test('keys are listed by number and name', () => {
  assert.equal(meta('public-keys/'), '0=votre-cle')
  assert.equal(meta('public-keys/0/'), 'openssh-key')
})

test('user data is given as it came, byte for byte', () => {
  assert.deepEqual(lookup(metadata, '/latest/user-data', signer()),
    { body: Buffer.from([0x23, 0x21, 0x0a, 0xff, 0x00]), contentType: 'application/octet-stream' })
})

test('a role is told with its credentials when there are any', () => {
  const role = { name: 'app', profileArn: 'arn:aws:iam::1:instance-profile/app', profileId: 'AIPA1', lastUpdated: '2026-01-02T03:04:05Z' }
  const without = sample({ role })
  assert.equal(meta('iam/', without), 'info\nsecurity-credentials/')
  assert.equal(meta('iam/security-credentials/', without), '')
  assert.equal(meta('iam/info', without), [
    '{', '  "Code" : "Success",', '  "LastUpdated" : "2026-01-02T03:04:05Z",',
    '  "InstanceProfileArn" : "arn:aws:iam::1:instance-profile/app",', '  "InstanceProfileId" : "AIPA1"', '}',
  ].join('\n'))
  const credentials = {
    accessKeyId: 'ASIA1', secretAccessKey: 's', token: 't', lastUpdated: '2026-01-02T03:04:05Z', expiration: '2026-01-02T09:04:05Z',
  }
  const given = sample({ role: { ...role, credentials } })
  assert.equal(meta('iam/security-credentials/', given), 'app')
  assert.deepEqual(JSON.parse(meta('iam/security-credentials/app', given)!), {
    Code: 'Success', LastUpdated: '2026-01-02T03:04:05Z', Type: 'AWS-HMAC', AccessKeyId: 'ASIA1', SecretAccessKey: 's', Token: 't',
    Expiration: '2026-01-02T09:04:05Z',
  })
})

test('tags are shown when they may be, whatever their names', () => {
  const tags = Object.fromEntries([['Name', 'web 1'], ['__proto__', 'p'], ['constructor', 'c'], ['é:+-=._@', 'x']])
  const tagged = sample({ tags })
  assert.equal(meta('tags/'), undefined)
  assert.equal(meta('tags/instance/', tagged), 'Name\n__proto__\nconstructor\né:+-=._@'.replace('é', Buffer.from('é').toString('latin1')))
  assert.deepEqual(['Name', '__proto__', 'constructor', '%C3%A9:+-=._@', 'toString'].map(tag => meta(`tags/instance/${tag}`, tagged)),
    ['web 1', 'p', 'c', 'x', undefined])
})

test('a spot instance learns of its end', () => {
  const spot = { instanceAction: { action: 'terminate', time: '2026-01-02T04:00:00Z' }, terminationTime: '2026-01-02T04:00:00Z' }
  assert.equal(meta('spot/', sample({ spot })), 'instance-action\ntermination-time')
  assert.equal(meta('spot/instance-action', sample({ spot })), '{"action":"terminate","time":"2026-01-02T04:00:00Z"}')
})

test('the identity document is AWS\'s, and has three signatures that stay the same', () => {
  assert.equal(at('/latest/dynamic/'), 'fws/\ninstance-identity/')
  assert.equal(at('/latest/dynamic/fws/instance-monitoring'), 'disabled')
  assert.equal(at('/latest/dynamic/instance-identity/'), 'document\npkcs7\nrsa2048\nsignature')
  assert.equal(at('/latest/dynamic/instance-identity/document'), [
    '{', '  "accountId" : "123456789012",', '  "architecture" : "x86_64",', '  "availabilityZone" : "us-east-1a",',
    '  "billingProducts" : null,', '  "devpayProductCodes" : null,', '  "marketplaceProductCodes" : null,',
    '  "imageId" : "ami-0123456789abcdef0",', '  "instanceId" : "i-0123456789abcdef0",', '  "instanceType" : "t2.micro",',
    '  "kernelId" : null,', '  "pendingTime" : "2026-01-02T03:04:05Z",', '  "privateIp" : "172.31.0.4",', '  "ramdiskId" : null,',
    '  "region" : "us-east-1",', '  "version" : "2017-09-30"', '}',
  ].join('\n'))
  for (const name of ['pkcs7', 'rsa2048', 'signature']) {
    const path = `/latest/dynamic/instance-identity/${name}`
    assert.match(at(path)!, /^([A-Za-z0-9+/]{64}\n)+[A-Za-z0-9+/=]{1,64}$/)
    assert.equal(at(path), at(path))
  }
})

test('closing and doubled slashes, queries and escapes lead to the same place; garbage leads nowhere', () => {
  assert.deepEqual(['//latest//meta-data///mac/', '/latest/meta-data/mac?x=/y', '/latest/meta-data/m%61c'].map(path => at(path)),
    Array(3).fill('0e:00:00:00:00:01'))
  const garbage = [
    '/latest/meta-data/%', '/latest/%zz', '/latest/meta-data/../user-data', '/latest/meta-data/mac/mac', '/latest/user-data/x',
    '/latest/meta-data/toString', '/latest/__proto__', '/latest/meta-data/constructor/name', '/latest/dynamic/instance-identity/document/x',
    '/latest/meta-data%2fmac', '/\0', '/latest/meta-data/hostname%00',
  ]
  assert.deepEqual(garbage.map(path => at(path)), garbage.map(() => undefined))
})
