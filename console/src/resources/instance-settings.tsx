/** What can be changed of an instance that is there, each form beginning with how it is now. */
import { instances as from, isIn } from '../../../src/service/ec2/states'
import { call } from '../api/call'
import { utf8 } from '../api/preview'
import type { Key } from '../i18n/text'
import { base64 } from '../pages/launch-state'
import { profile, securityGroup } from './choices'
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
  fields: [securityGroup],
  start: item => ({ group: item.SecurityGroups?.[0]?.GroupId ?? '' }),
  input: (values, item) => ({ InstanceId: item?.InstanceId, Groups: [values.group] }),
}
const shutdown = attribute('InstanceInitiatedShutdownBehavior', { label: 'launch.shutdown', kind: 'select', options: ['stop', 'terminate'] })

export const settings: Action[] = [
  setting('type', 'instances.changeType', from.changeType, type),
  setting('userData', 'instances.editUserData', from.changeType, userData),
  setting('groups', 'instances.changeGroups', from.terminate, groups),
  setting('protect', 'instances.protect', from.terminate, attribute('DisableApiTermination', yes('instances.enable'))),
  setting('protectStop', 'instances.protectStop', from.terminate, attribute('DisableApiStop', yes('instances.enable'))),
  setting('shutdown', 'instances.changeShutdown', from.terminate, shutdown),
  setting('sourceCheck', 'instances.sourceCheck', from.attach, attribute('SourceDestCheck', yes('f.sourceCheck'))),
  setting('metadata', 'instances.metadata', from.attach, metadata),
  {
    id: 'role',
    label: 'instances.attachRole',
    enabled: item => allowed(from.attach)(item) && !item.IamInstanceProfile,
    form: {
      operation: 'AssociateIamInstanceProfile',
      fields: [profile],
      input: (values, item) => ({ InstanceId: item?.InstanceId, IamInstanceProfile: { Name: values.profile } }),
    },
  },
  {
    id: 'noRole',
    label: 'instances.detachRole',
    operation: 'DisassociateIamInstanceProfile',
    each: item => ({ AssociationId: item.ProfileAssociation }),
    enabled: item => allowed(from.attach)(item) && item.ProfileAssociation !== undefined,
    confirm: 'plain',
  },
]
