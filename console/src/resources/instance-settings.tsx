/** What can be changed of an instance that is there, each form beginning with how it is now. */
import { instances as from, interfaces, isIn } from '../../../src/service/ec2/states'
import { call } from '../api/call'
import { utf8 } from '../api/preview'
import type { Key } from '../i18n/text'
import { base64 } from '../pages/launch-state'
import { networkInterface, profile, securityGroups, snapshot, text, within } from './choices'
import type { Action, Field, Form, Item, Values } from './kinds'

export const allowed =
  (states: readonly string[]) =>
  (item: Item): boolean =>
    isIn(states, item.State.Name)

const setting = (id: string, label: Key, states: readonly string[], form: Form): Action => ({ id, label, enabled: allowed(states), form })

/** One attribute, as the API says it of the instance now. */
async function attributeOf(item: Item, Attribute: string, member: string): Promise<any> {
  return (await call('ec2', 'DescribeInstanceAttribute', { InstanceId: item.InstanceId, Attribute }))[member]?.Value
}

/** A form of one attribute, whose word for reading begins with a small letter. */
const attribute = (member: string, field: Omit<Field, 'name'>): Form => ({
  operation: 'ModifyInstanceAttribute',
  fields: [{ name: 'value', ...field }],
  start: async item => ({ value: await attributeOf(item, member[0]!.toLowerCase() + member.slice(1), member) }),
  input: (values, item) => ({ InstanceId: item?.InstanceId, [member]: { Value: values.value } }),
})
const yes = (label: Key): Omit<Field, 'name'> => ({ label, kind: 'bool' })

const userData: Form = {
  operation: 'ModifyInstanceAttribute',
  fields: [{ name: 'script', label: 'launch.userData', hint: 'instances.userDataHint', kind: 'area', optional: true }],
  start: async item => ({ script: utf8((await attributeOf(item, 'userData', 'UserData')) ?? '') }),
  input: (values, item) => ({ InstanceId: item?.InstanceId, Attribute: 'userData', Value: base64(values.script) }),
}

const metadata: Form = {
  operation: 'ModifyInstanceMetadataOptions',
  fields: [
    { name: 'endpoint', label: 'launch.metadata', kind: 'bool', value: true },
    { name: 'tokens', label: 'f.imdsv2', kind: 'select', options: ['required', 'optional'] },
    { name: 'hops', label: 'launch.hops', kind: 'number', value: '2' },
    { name: 'tags', label: 'launch.metadataTags', kind: 'bool' },
  ],
  start: ({ MetadataOptions: now }): Values => ({
    endpoint: now.HttpEndpoint === 'enabled',
    tokens: now.HttpTokens,
    hops: String(now.HttpPutResponseHopLimit),
    tags: now.InstanceMetadataTags === 'enabled',
  }),
  input: (values, item) => ({
    InstanceId: item?.InstanceId,
    HttpEndpoint: values.endpoint ? 'enabled' : 'disabled',
    HttpTokens: values.tokens,
    HttpPutResponseHopLimit: Number(values.hops),
    InstanceMetadataTags: values.tags ? 'enabled' : 'disabled',
  }),
}

const type = attribute('InstanceType', {
  label: 'f.InstanceType',
  kind: 'select',
  from: { operation: 'DescribeInstanceTypes', member: 'InstanceTypes', value: item => item.InstanceType },
})
const groups: Form = {
  operation: 'ModifyInstanceAttribute',
  fields: [{ ...within(securityGroups, ({ of }) => of?.VpcId), hint: 'instances.groupsHint' }],
  start: item => ({ groups: item.SecurityGroups?.map((one: Item) => one.GroupId) ?? [] }),
  input: (values, item) => ({ InstanceId: item?.InstanceId, Groups: values.groups }),
}
const shutdown = attribute('InstanceInitiatedShutdownBehavior', { label: 'launch.shutdown', kind: 'select', options: ['stop', 'terminate'] })


const credits: Form = {
  operation: 'ModifyInstanceCreditSpecification',
  fields: [{ name: 'credits', label: 'launch.credits', kind: 'select', options: ['standard', 'unlimited'] }],
  start: async ({ InstanceId }) => {
    const answer = await call('ec2', 'DescribeInstanceCreditSpecifications', { InstanceIds: [InstanceId] })
    return { credits: answer.InstanceCreditSpecifications[0].CpuCredits }
  },
  input: (values, item) => ({ InstanceCreditSpecifications: [{ InstanceId: item?.InstanceId, CpuCredits: values.credits }] }),
  problem: ({ UnsuccessfulInstanceCreditSpecifications: [one] = [] }) => one && `${one.Error.Code}: ${one.Error.Message}`,
}
/** EC2 User Guide, "Burstable performance instances": the families whose names begin with t. */
const isBurstable = (item: Item): boolean => /^t\d/.test(item.InstanceType)

const recovery: Form = {
  operation: 'ModifyInstanceMaintenanceOptions',
  fields: [{ name: 'recovery', label: 'instances.recovery', kind: 'select', options: ['default', 'disabled'] }],
  start: item => ({ recovery: item.MaintenanceOptions?.AutoRecovery ?? 'default' }),
  input: (values, item) => ({ InstanceId: item?.InstanceId, AutoRecovery: values.recovery }),
}

const monitoring: Form = {
  fields: [{ name: 'detailed', label: 'launch.monitoring', hint: 'instances.monitoringHint', kind: 'bool' }],
  start: item => ({ detailed: item.Monitoring?.State === 'enabled' }),
  calls: (values, item) => [{ operation: values.detailed ? 'MonitorInstances' : 'UnmonitorInstances', input: { InstanceIds: [item.InstanceId] } }],
}

const profileOf = (item: Item): string => item.IamInstanceProfile?.Arn.split('/').pop() ?? ''

/** It gets one, has another, or has none any more: a call for each, and none for what is so already. */
const role: Form = {
  fields: [{ ...profile, optional: true, hint: 'instances.roleHint' }],
  start: item => ({ profile: profileOf(item) }),
  calls: ({ profile: Name }, item) => {
    if (Name === profileOf(item)) return []
    const [AssociationId, IamInstanceProfile] = [item.ProfileAssociation, { Name }]
    if (Name === '') return AssociationId === undefined ? [] : [{ operation: 'DisassociateIamInstanceProfile', input: { AssociationId } }]
    return AssociationId === undefined
      ? [{ operation: 'AssociateIamInstanceProfile', input: { InstanceId: item.InstanceId, IamInstanceProfile } }]
      : [{ operation: 'ReplaceIamInstanceProfileAssociation', input: { AssociationId, IamInstanceProfile } }]
  },
}

const indexOf = (nic: Item): number => nic.Attachment.DeviceIndex
const nextIndex = (item: Item): number => {
  const taken = new Set((item.NetworkInterfaces ?? []).map(indexOf))
  return [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].find(n => !taken.has(n))!
}
const sameZone: Field['from'] = {
  ...networkInterface.from!,
  keep: (nic, { of }) => isIn(interfaces.attach, nic.Status) && nic.AvailabilityZone === of?.Placement.AvailabilityZone,
}
const attachInterface: Form = {
  operation: 'AttachNetworkInterface',
  fields: [{ ...networkInterface, from: sameZone }],
  input: (values, item) => ({ NetworkInterfaceId: values.interface, InstanceId: item?.InstanceId, DeviceIndex: item && nextIndex(item) }),
}
/** The first interface stays as long as the instance. */
const further = (item: Item): Item[] => (item.NetworkInterfaces ?? []).filter((nic: Item) => indexOf(nic) > 0)
const detachInterface: Form = {
  operation: 'DetachNetworkInterface',
  fields: [
    {
      name: 'attachment',
      label: 'f.InterfaceId',
      kind: 'select',
      own: item => further(item).map(nic => ({ value: nic.Attachment.AttachmentId, label: `${nic.NetworkInterfaceId} · ${nic.PrivateIpAddress}` })),
    },
  ],
  input: values => ({ AttachmentId: values.attachment }),
}

const rootOf = (item: Item): string | undefined =>
  item?.BlockDeviceMappings?.find((one: Item) => one.DeviceName === item.RootDeviceName)?.Ebs?.VolumeId
/** Without a snapshot: as it was when the instance was launched. */
const replaceRoot: Form = {
  operation: 'CreateReplaceRootVolumeTask',
  fields: [
    { ...snapshot, hint: 'instances.replaceRootHint', from: { ...snapshot.from!, keep: (one, { of }) => one.VolumeId === rootOf(of) } },
    { name: 'remove', label: 'instances.removeReplaced', kind: 'bool' },
  ],
  input: (values, item) => ({
    InstanceId: item?.InstanceId,
    SnapshotId: text(values.snapshot),
    DeleteReplacedRootVolume: values.remove,
  }),
}

export const settings: Action[] = [
  setting('type', 'instances.changeType', from.changeType, type),
  setting('userData', 'instances.editUserData', from.changeType, userData),
  setting('groups', 'instances.changeGroups', from.terminate, groups),
  setting('protect', 'instances.protect', from.terminate, attribute('DisableApiTermination', yes('instances.enable'))),
  setting('protectStop', 'instances.protectStop', from.terminate, attribute('DisableApiStop', yes('instances.enable'))),
  setting('shutdown', 'instances.changeShutdown', from.terminate, shutdown),
  setting('sourceCheck', 'instances.sourceCheck', from.attach, attribute('SourceDestCheck', yes('f.sourceCheck'))),
  setting('metadata', 'instances.metadata', from.attach, metadata),
  setting('role', 'instances.modifyRole', from.profile, role),
  { ...setting('credits', 'instances.changeCredits', from.terminate, credits), enabled: item => allowed(from.terminate)(item) && isBurstable(item) },
  setting('recovery', 'instances.changeRecovery', from.terminate, recovery),
  setting('monitoring', 'instances.manageMonitoring', from.terminate, monitoring),
  setting('attachInterface', 'nics.attach', from.attach, attachInterface),
  {
    ...setting('detachInterface', 'nics.detach', from.attach, detachInterface),
    enabled: item => allowed(from.attach)(item) && further(item).length > 0,
  },
  setting('replaceRoot', 'instances.replaceRoot', from.replaceRoot, replaceRoot),
]
