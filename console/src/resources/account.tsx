/** IAM's users, roles and policies, and the parameter store; what else IAM has is beside it. */
import { call, wordsOf } from '../api/call'
import { t } from '../i18n/text'
import { tidy } from '../parts/IamList'
import { AssignMfa } from '../parts/IamMfa'
import { PolicyVersions } from '../parts/IamPolicy'
import { Credentials, Document, Permissions, PolicyDocument, PolicyEntities } from '../parts/IamTabs'
import { ParameterValue } from '../parts/ParameterValue'
import { download } from '../parts/download'
import { flash } from '../shell/flash'
import { boundary, session, signIn } from './iam-settings'
import { attach, group, inlinePolicy, nameForm, READ_INSTANCES, simple } from './choices'
import { more } from './iam'
import { column, type Item, type Resource } from './kinds'
import { iamTags, parameterTags } from './tagging'

const TRUST_EC2 = JSON.stringify(
  { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }] },
  null,
  2,
)
const ownPolicy = (item: Item): boolean => !item.Arn.includes(':aws:policy')

/** A role that EC2 may take on gets an instance profile of the same name, as in the AWS console. */
async function profileFor(name: string, trust: string): Promise<void> {
  if (!trust.includes('ec2.amazonaws.com')) return
  try {
    await call('iam', 'CreateInstanceProfile', { InstanceProfileName: name })
    await call('iam', 'AddRoleToInstanceProfile', { InstanceProfileName: name, RoleName: name })
  } catch (error) {
    flash({ type: 'error', header: t('error.title'), content: wordsOf(error) })
  }
}

export const resources: Resource[] = [
  {
    path: '/iam/users',
    service: 'iam',
    title: 'menu.iamUsers',
    empty: ['users.empty', 'users.emptyHint'],
    operation: 'ListUsers',
    member: 'Users',
    id: item => item.UserName,
    kinds: ['iam-user'],
    columns: [
      column('UserName', 'f.user', { width: 240 }),
      column('Arn', 'f.Arn'),
      column('Path', 'f.path', { hidden: true }),
      column('CreateDate', 'f.created', { kind: 'date' }),
    ],
    create: { label: 'users.create', form: nameForm('User', 'f.user') },
    actions: [
      attach('User'),
      inlinePolicy('User'),
      {
        id: 'group',
        label: 'users.addGroup',
        form: {
          operation: 'AddUserToGroup',
          fields: [group],
          input: (values, item) => ({ UserName: item?.UserName, GroupName: values.group }),
        },
      },
      signIn,
      {
        id: 'key',
        label: 'users.key',
        form: {
          operation: 'CreateAccessKey',
          fields: [],
          input: (_, item) => ({ UserName: item?.UserName }),
          done: ({ AccessKey: key }) => {
            download(`${key.UserName}_accessKeys.csv`, `Access key ID,Secret access key\n${key.AccessKeyId},${key.SecretAccessKey}\n`)
            flash({ type: 'success', content: t('users.keyMade', { id: key.AccessKeyId }) })
          },
        },
      },
      {
        id: 'mfa',
        label: 'mfa.assign',
        one: true,
        dialog: ([item], onClose) => <AssignMfa user={item.UserName} onClose={onClose} />,
      },
      boundary('User'),
      { id: 'delete', label: 'users.delete', ...simple('DeleteUser', 'UserName'), confirm: 'typed' },
    ],
    tabs: [
      { id: 'permissions', label: 'iam.permissions', content: item => <Permissions kind="User" name={item.UserName} /> },
      { id: 'credentials', label: 'iam.credentials', content: item => <Credentials name={item.UserName} /> },
    ],
    tagging: iamTags('User'),
  },
  {
    path: '/iam/roles',
    service: 'iam',
    title: 'menu.iamRoles',
    empty: ['roles.empty', 'roles.emptyHint'],
    operation: 'ListRoles',
    member: 'Roles',
    id: item => item.RoleName,
    kinds: ['iam-role'],
    columns: [
      column('RoleName', 'f.roleName', { width: 240 }),
      column('Arn', 'f.Arn'),
      column('Description', 'f.description'),
      column('MaxSessionDuration', 'roles.session', { hidden: true }),
      column('Path', 'f.path', { hidden: true }),
      column('CreateDate', 'f.created', { kind: 'date' }),
    ],
    create: {
      label: 'roles.create',
      form: {
        operation: 'CreateRole',
        id: answer => answer.Role.RoleName,
        fields: [
          { name: 'name', label: 'f.roleName' },
          { name: 'trust', label: 'roles.trust', kind: 'json', value: TRUST_EC2 },
        ],
        input: values => ({ RoleName: values.name, AssumeRolePolicyDocument: values.trust }),
        done: (_, values) => void profileFor(values.name, values.trust),
      },
    },
    actions: [
      attach('Role'),
      inlinePolicy('Role'),
      {
        id: 'trust',
        label: 'roles.editTrust',
        form: {
          operation: 'UpdateAssumeRolePolicy',
          fields: [{ name: 'trust', label: 'roles.trust', kind: 'json' }],
          start: item => ({ trust: tidy(item.AssumeRolePolicyDocument) }),
          input: (values, item) => ({ RoleName: item?.RoleName, PolicyDocument: values.trust }),
        },
      },
      session,
      boundary('Role'),
      { id: 'delete', label: 'roles.delete', ...simple('DeleteRole', 'RoleName'), confirm: 'typed' },
    ],
    tabs: [
      { id: 'permissions', label: 'iam.permissions', content: item => <Permissions kind="Role" name={item.RoleName} /> },
      { id: 'trust', label: 'iam.trust', content: item => <Document title="roles.trust" document={item.AssumeRolePolicyDocument} /> },
    ],
    tagging: iamTags('Role'),
  },
  {
    path: '/iam/policies',
    service: 'iam',
    title: 'menu.iamPolicies',
    empty: ['policies.empty', 'policies.emptyHint'],
    operation: 'ListPolicies',
    member: 'Policies',
    id: item => item.Arn,
    name: item => item.PolicyName,
    kinds: ['iam-policy'],
    columns: [
      column('PolicyName', 'f.policy', { width: 280 }),
      column('Arn', 'f.Arn'),
      column('AttachmentCount', 'f.attachments'),
      column('DefaultVersionId', 'f.version'),
      column('UpdateDate', 'f.modified', { kind: 'date' }),
    ],
    create: {
      label: 'policies.create',
      form: {
        operation: 'CreatePolicy',
        id: answer => answer.Policy.PolicyName,
        fields: [
          { name: 'name', label: 'f.policy' },
          { name: 'document', label: 'policies.document', kind: 'json', value: READ_INSTANCES },
        ],
        input: values => ({ PolicyName: values.name, PolicyDocument: values.document }),
      },
    },
    actions: [
      {
        id: 'edit',
        label: 'policies.edit',
        enabled: ownPolicy,
        form: {
          operation: 'CreatePolicyVersion',
          fields: [
            { name: 'document', label: 'policies.document', kind: 'json' },
            { name: 'chosen', label: 'policies.asDefault', kind: 'bool', value: true },
          ],
          start: async item => {
            const { PolicyVersion } = await call('iam', 'GetPolicyVersion', { PolicyArn: item.Arn, VersionId: item.DefaultVersionId })
            return { document: tidy(PolicyVersion.Document) }
          },
          input: (values, item) => ({ PolicyArn: item?.Arn, PolicyDocument: values.document, SetAsDefault: values.chosen }),
        },
      },
      {
        id: 'delete',
        label: 'policies.delete',
        operation: 'DeletePolicy',
        each: item => ({ PolicyArn: item.Arn }),
        enabled: ownPolicy,
        confirm: 'typed',
      },
    ],
    tabs: [
      { id: 'document', label: 'policies.document', content: item => <PolicyDocument item={item} /> },
      { id: 'versions', label: 'policies.versions', content: item => <PolicyVersions item={item} own={ownPolicy(item)} /> },
      { id: 'entities', label: 'iam.entities', content: item => <PolicyEntities item={item} /> },
    ],
    tagging: iamTags('Policy', ownPolicy),
  },
  {
    path: '/ssm/parameters',
    service: 'ssm',
    title: 'menu.parameters',
    empty: ['parameters.empty', 'parameters.emptyHint'],
    operation: 'DescribeParameters',
    member: 'Parameters',
    id: item => item.Name,
    kinds: ['ssm-parameter'],
    columns: [
      column('Name', 'f.Name', { width: 280 }),
      column('Type', 'f.type'),
      column('Tier', 'f.tier'),
      column('Version', 'f.version'),
      column('Description', 'f.description'),
      column('LastModifiedDate', 'f.modified', { kind: 'date' }),
    ],
    create: {
      label: 'parameters.create',
      form: {
        operation: 'PutParameter',
        fields: [
          { name: 'name', label: 'f.Name', value: '/' },
          { name: 'type', label: 'f.type', kind: 'select', options: ['String', 'StringList', 'SecureString'] },
          { name: 'value', label: 'f.value', kind: 'area' },
        ],
        input: values => ({ Name: values.name, Type: values.type, Value: values.value }),
      },
    },
    actions: [
      {
        id: 'edit',
        label: 'parameters.edit',
        form: {
          operation: 'PutParameter',
          fields: [{ name: 'value', label: 'f.value', kind: 'area' }],
          start: async item => ({ value: (await call('ssm', 'GetParameter', { Name: item.Name, WithDecryption: true })).Parameter.Value }),
          input: (values, item) => ({ Name: item?.Name, Value: values.value, Overwrite: true }),
        },
      },
      { id: 'delete', label: 'parameters.delete', ...simple('DeleteParameter', 'Name'), confirm: 'typed' },
    ],
    tabs: [
      {
        id: 'value',
        label: 'f.value',
        content: ({ Name, Type }) => <ParameterValue key={Name} name={Name} secret={Type === 'SecureString'} />,
      },
    ],
    tagging: parameterTags,
  },
  ...more,
]
