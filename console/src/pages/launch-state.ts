/** What the launch page asks for, and the calls that it becomes. Pure. */
import { kept, utf8, type Preview } from '../api/preview.ts'
import type { Disk } from '../prices.ts'
import { overTemplate, type Source } from './template-state.ts'

export type Launch = {
  name: string
  tags: { key: string; value: string }[]
  image: string
  rootDevice: string
  type: string
  /** A key pair's name; '' where the reader goes on without; undefined while nothing is chosen. */
  key: string | undefined
  vpc: string
  subnet: string
  publicIp: '' | 'true' | 'false'
  /** Of the first interface; empty is one that the subnet has free. */
  privateIp: string
  /** Of the first interface. */
  nicDescription: string
  group: 'new' | 'existing'
  groupName: string
  /** When the page was opened, which a new group's description says. */
  opened: string
  groups: string[]
  ssh: boolean
  sshFrom: 'anywhere' | 'mine' | 'custom'
  sshCidr: string
  https: boolean
  http: boolean
  root: Volume
  /** Besides the root's. */
  volumes: Volume[]
  hostname: '' | 'ip-name' | 'resource-name'
  count: string
  /** '' says nothing, which a template may. */
  shutdown: '' | 'stop' | 'terminate'
  protect: boolean
  protectStop: boolean
  monitoring: boolean
  credits: '' | 'standard' | 'unlimited'
  profile: string
  tokens: '' | 'required' | 'optional'
  endpoint: boolean
  hops: string
  metadataTags: boolean
  userData: string
  /** The launch template that the launch goes by: what is left as it says is not said again. */
  source?: Source
}

/** Empty figures are the type's own; an empty snapshot is an empty disk. */
export type Volume = { size: string; type: string; iops: string; throughput: string; snapshot: string; deleted: boolean }
export const newVolume: Volume = { size: '8', type: 'gp3', iops: '', throughput: '', snapshot: '', deleted: true }
/** Which types are asked for a speed: EBS User Guide, "Amazon EBS volume types". */
export const hasIops = (type: string): boolean => ['gp3', 'io1', 'io2'].includes(type)
export const hasThroughput = (type: string): boolean => type === 'gp3'

export const start: Launch = {
  name: '',
  tags: [],
  image: '',
  rootDevice: '',
  type: 't3.micro',
  key: undefined,
  vpc: '',
  subnet: '',
  publicIp: '',
  privateIp: '',
  nicDescription: '',
  group: 'new',
  groupName: '',
  opened: '',
  groups: [],
  ssh: true,
  sshFrom: 'anywhere',
  sshCidr: '',
  https: false,
  http: false,
  root: newVolume,
  volumes: [],
  hostname: '',
  count: '1',
  shutdown: 'stop',
  protect: false,
  protectStop: false,
  monitoring: false,
  credits: '',
  profile: '',
  tokens: 'required',
  endpoint: true,
  hops: '2',
  metadataTags: false,
  userData: '',
}

const ANYWHERE = '0.0.0.0/0'
export const sshCidr = (s: Launch, host: string): string => (s.sshFrom === 'anywhere' ? ANYWHERE : s.sshFrom === 'mine' ? `${host}/32` : s.sshCidr)

export function rulesOf(s: Launch, host: string): object[] {
  const rule = (port: number, cidr: string) => ({ IpProtocol: 'tcp', FromPort: port, ToPort: port, IpRanges: [{ CidrIp: cidr }] })
  return [...(s.ssh ? [rule(22, sshCidr(s, host))] : []), ...(s.https ? [rule(443, ANYWHERE)] : []), ...(s.http ? [rule(80, ANYWHERE)] : [])]
}

/** What an instance that is there was launched with, for one more like it: all but its name, its addresses and what its disks hold. */
export function likeOf(item: any, userData: string): Partial<Launch> {
  const tags: { Key: string; Value: string }[] = item.Tags ?? []
  return {
    image: item.ImageId,
    type: item.InstanceType,
    key: item.KeyName ?? '',
    vpc: item.VpcId,
    subnet: item.SubnetId,
    group: 'existing',
    groups: (item.SecurityGroups ?? []).map((one: { GroupId: string }) => one.GroupId),
    tags: tags.filter(tag => tag.Key !== 'Name' && !tag.Key.startsWith('aws:')).map(({ Key: key, Value: value }) => ({ key, value })),
    profile: item.IamInstanceProfile?.Arn.split('/').pop() ?? '',
    monitoring: ['enabled', 'pending'].includes(item.Monitoring?.State),
    tokens: item.MetadataOptions?.HttpTokens ?? start.tokens,
    endpoint: item.MetadataOptions?.HttpEndpoint !== 'disabled',
    hops: String(item.MetadataOptions?.HttpPutResponseHopLimit ?? start.hops),
    metadataTags: item.MetadataOptions?.InstanceMetadataTags === 'enabled',
    userData: userData === '' ? '' : utf8(userData),
  }
}

/** The first launch-wizard-N that nobody has. */
export function wizardName(taken: readonly string[]): string {
  for (let n = 1; ; n++) if (!taken.includes(`launch-wizard-${n}`)) return `launch-wizard-${n}`
}

export const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)))

const figure = (text: string): number | undefined => (text === '' ? undefined : Number(text))

/** Further volumes are /dev/sdf and on, as EC2 recommends (EC2 User Guide, "Device names for volumes"). */
const deviceOf = (i: number, rootDevice: string): string => (i === 0 ? rootDevice : `/dev/sd${String.fromCharCode(101 + i)}`)

const devicesOf = ({ rootDevice, root, volumes }: Launch): object[] =>
  [root, ...volumes].map((volume, i) => ({
    DeviceName: deviceOf(i, rootDevice),
    Ebs: {
      VolumeSize: Number(volume.size),
      VolumeType: volume.type,
      Iops: hasIops(volume.type) ? figure(volume.iops) : undefined,
      Throughput: hasThroughput(volume.type) ? figure(volume.throughput) : undefined,
      SnapshotId: volume.snapshot || undefined,
      DeleteOnTermination: volume.deleted,
    },
  }))

type Mapping = { DeviceName: string; Ebs?: { VolumeSize?: number; VolumeType?: string; Iops?: number; Throughput?: number } }

/** The volumes that each instance gets: those of the form, and what the image brings besides. */
export function disksOf({ rootDevice, root, volumes }: Launch, image: { BlockDeviceMappings?: Mapping[] } = {}): Disk[] {
  const own = [root, ...volumes]
  const taken = own.map((_, i) => deviceOf(i, rootDevice))
  const brought = (image.BlockDeviceMappings ?? []).filter(one => one.Ebs && !taken.includes(one.DeviceName)).map(one => one.Ebs!)
  return [
    ...own.map(({ size, type, iops, throughput }) => ({
      type,
      gib: Number(size),
      iops: hasIops(type) ? figure(iops) : undefined,
      throughput: hasThroughput(type) ? figure(throughput) : undefined,
    })),
    ...brought.map(ebs => ({ type: ebs.VolumeType ?? 'gp2', gib: ebs.VolumeSize ?? 0, iops: ebs.Iops, throughput: ebs.Throughput })),
  ]
}

/** An interface is described where something is said of it that the instance itself has no member for. */
function networkOf({ publicIp, privateIp, nicDescription, subnet }: Launch, groups: string[]): object {
  const [SubnetId, PrivateIpAddress] = [subnet || undefined, privateIp || undefined]
  if (publicIp === '' && nicDescription === '') return { SubnetId, PrivateIpAddress, SecurityGroupIds: groups }
  const AssociatePublicIpAddress = publicIp === '' ? undefined : publicIp === 'true'
  const nic = { DeviceIndex: 0, AssociatePublicIpAddress, SubnetId, PrivateIpAddress, Description: nicDescription || undefined, Groups: groups }
  return { NetworkInterfaces: [nic] }
}

export function runInput(s: Launch, groups: string[]): Record<string, unknown> {
  const tags = [
    ...(s.name ? [{ Key: 'Name', Value: s.name }] : []),
    ...s.tags.filter(tag => tag.key).map(tag => ({ Key: tag.key, Value: tag.value })),
  ]
  const count = Number(s.count)
  return JSON.parse(
    JSON.stringify({
      ImageId: s.image,
      InstanceType: s.type,
      MinCount: count,
      MaxCount: count,
      KeyName: s.key || undefined,
      ...networkOf(s, groups),
      BlockDeviceMappings: s.rootDevice ? devicesOf(s) : undefined,
      TagSpecifications:
        tags.length > 0
          ? [
              { ResourceType: 'instance', Tags: tags },
              { ResourceType: 'volume', Tags: tags },
            ]
          : undefined,
      MetadataOptions: {
        HttpTokens: s.tokens,
        HttpEndpoint: s.endpoint ? 'enabled' : 'disabled',
        HttpPutResponseHopLimit: Number(s.hops),
        InstanceMetadataTags: s.metadataTags ? 'enabled' : undefined,
      },
      InstanceInitiatedShutdownBehavior: s.shutdown === 'terminate' ? s.shutdown : undefined,
      DisableApiTermination: s.protect || undefined,
      DisableApiStop: s.protectStop || undefined,
      Monitoring: s.monitoring ? { Enabled: true } : undefined,
      PrivateDnsNameOptions: s.hostname ? { HostnameType: s.hostname } : undefined,
      CreditSpecification: s.credits ? { CpuCredits: s.credits } : undefined,
      IamInstanceProfile: s.profile ? { Name: s.profile } : undefined,
      UserData: s.userData.trim() === '' ? undefined : base64(s.userData),
    }),
  ) as Record<string, unknown>
}

/** What the page leaves out, since it is so by itself: over a template that says something else it must be said. */
const explicit = (s: Launch): Record<string, unknown> => ({
  InstanceInitiatedShutdownBehavior: s.shutdown,
  DisableApiTermination: s.protect,
  DisableApiStop: s.protectStop,
  Monitoring: { Enabled: s.monitoring },
})

function launchInput(s: Launch, groups: string[]): Record<string, unknown> {
  const { source } = s
  if (!source) return runInput(s, groups)
  const said = Object.entries(explicit(s)).filter(([name]) => name in source.data)
  return overTemplate(source, { ...runInput(s, groups), ...Object.fromEntries(said) })
}

/** All calls in their order; what a new group's id is to be the first one's answer says. */
export function callsOf(s: Launch, host: string): Preview[] {
  const launch = (groups: string[]): Preview => ({ service: 'ec2', operation: 'RunInstances', input: launchInput(s, groups) })
  if (s.group !== 'new') return [launch(s.groups)]
  const group = { GroupName: s.groupName, Description: `${s.groupName} created ${s.opened}`, VpcId: s.vpc || undefined }
  const GroupId = kept('GroupId')
  const rules = rulesOf(s, host)
  const allow: Preview = { service: 'ec2', operation: 'AuthorizeSecurityGroupIngress', input: { GroupId, IpPermissions: rules } }
  return [
    { service: 'ec2', operation: 'CreateSecurityGroup', input: group, keep: 'GroupId' },
    ...(rules.length > 0 ? [allow] : []),
    launch([GroupId]),
  ]
}

/** Scripts that can be put in with a click. The first is the course's own. */
export const templates = {
  node: `#!/bin/bash
yum update -y
yum install -y nodejs
mkdir /home/ec2-user/myapp
cd /home/ec2-user/myapp
npm init -y
npm install express
cat > index.js <<EOF
const express = require('express');
const app = express();
app.get('/', (req, res) => {
  res.send('Hello World from EC2!');
});
app.listen(80, () => {
  console.log('Server running on port 80');
});
EOF
node index.js
`,
  web: `#!/bin/bash
yum update -y
yum install -y httpd
systemctl enable --now httpd
echo "<h1>Hello World from $(hostname -f)</h1>" > /var/www/html/index.html
`,
} as const
