/** IAM's user groups, instance profiles and OpenID Connect providers. */
import { call, listAll } from '../api/call'
import { GroupMembers, Permissions } from '../parts/IamTabs'
import { SubList } from '../parts/SubList'
import { attach, inlinePolicy, lines, nameForm, role, simple, taking, user } from './choices'
import { column, type Column, type Item, type Resource } from './kinds'
import { iamTags } from './tagging'

const GROUPS = ['iam-group', 'iam-user', 'iam-policy']
const arn = column('Arn', 'f.Arn')
const path = column('Path', 'f.path', { hidden: true })
const created = column('CreateDate', 'f.created', { kind: 'date' })
const host = (provider: string): string => provider.replace(/^arn:.*:oidc-provider\//, '')
const clients: Column[] = [column('name', 'oidc.client')]
const thumbprints: Column[] = [column('name', 'oidc.thumbprint')]

/** The listing names providers alone; what each is must be asked one by one. */
async function providers(): Promise<Item[]> {
  const found = await listAll('iam', 'ListOpenIDConnectProviders', 'OpenIDConnectProviderList')
  return Promise.all(
    found.map(async ({ Arn }) => ({ Arn, ...(await call('iam', 'GetOpenIDConnectProvider', { OpenIDConnectProviderArn: Arn })) })),
  )
}

const userGroups: Resource = {
  path: '/iam/groups',
  service: 'iam',
  title: 'menu.iamGroups',
  empty: ['userGroups.empty', 'userGroups.emptyHint'],
  operation: 'ListGroups',
  member: 'Groups',
  id: item => item.GroupName,
  kinds: GROUPS,
  columns: [column('GroupName', 'iam.group', { width: 240 }), arn, path, created],
  create: { label: 'userGroups.create', form: nameForm('Group', 'iam.group') },
  actions: [
    {
      id: 'user',
      label: 'userGroups.addUser',
      form: {
        operation: 'AddUserToGroup',
        fields: [user],
        input: (values, item) => ({ GroupName: item?.GroupName, UserName: values.user }),
      },
    },
    attach('Group'),
    inlinePolicy('Group'),
    { id: 'delete', label: 'userGroups.delete', ...simple('DeleteGroup', 'GroupName'), confirm: 'typed' },
  ],
  tabs: [
    { id: 'users', label: 'menu.iamUsers', content: item => <GroupMembers name={item.GroupName} /> },
    { id: 'permissions', label: 'iam.permissions', content: item => <Permissions kind="Group" name={item.GroupName} /> },
  ],
}

const instanceProfiles: Resource = {
  path: '/iam/instance-profiles',
  service: 'iam',
  title: 'menu.profiles',
  empty: ['profiles.empty', 'profiles.emptyHint'],
  operation: 'ListInstanceProfiles',
  member: 'InstanceProfiles',
  id: item => item.InstanceProfileName,
  kinds: ['iam-instance-profile', 'iam-role'],
  columns: [
    column('InstanceProfileName', 'profiles.name', { width: 240 }),
    { id: 'role', label: 'f.roleName', link: '/iam/roles', value: item => item.Roles?.[0]?.RoleName },
    arn,
    path,
    created,
  ],
  create: { label: 'profiles.create', form: nameForm('InstanceProfile', 'profiles.name') },
  actions: [
    {
      id: 'add',
      label: 'profiles.addRole',
      enabled: item => item.Roles?.length === 0,
      form: {
        operation: 'AddRoleToInstanceProfile',
        fields: [role],
        input: (values, item) => ({ InstanceProfileName: item?.InstanceProfileName, RoleName: values.role }),
      },
    },
    {
      id: 'remove',
      label: 'profiles.removeRole',
      operation: 'RemoveRoleFromInstanceProfile',
      each: item => ({ InstanceProfileName: item.InstanceProfileName, RoleName: item.Roles[0].RoleName }),
      enabled: item => item.Roles?.length > 0,
      confirm: 'plain',
    },
    { id: 'delete', label: 'profiles.delete', ...simple('DeleteInstanceProfile', 'InstanceProfileName'), confirm: 'typed' },
  ],
  tagging: iamTags('InstanceProfile'),
}

const identityProviders: Resource = {
  path: '/iam/identity-providers',
  service: 'iam',
  title: 'menu.providers',
  empty: ['oidc.empty', 'oidc.emptyHint'],
  operation: 'ListOpenIDConnectProviders',
  member: 'OpenIDConnectProviderList',
  load: providers,
  id: item => item.Arn,
  name: item => host(item.Arn),
  kinds: ['iam-oidc-provider'],
  columns: [
    { id: 'name', label: 'oidc.provider', width: 280, value: item => host(item.Arn) },
    { id: 'type', label: 'f.type', value: () => 'OpenID Connect' },
    arn,
    { id: 'clients', label: 'oidc.client', value: item => item.ClientIDList?.join(', ') },
    created,
  ],
  create: {
    label: 'oidc.create',
    form: {
      operation: 'CreateOpenIDConnectProvider',
      id: answer => answer.OpenIDConnectProviderArn,
      fields: [
        { name: 'url', label: 'oidc.url', value: 'https://' },
        { name: 'clients', label: 'oidc.clients', kind: 'area', value: 'sts.amazonaws.com' },
        { name: 'thumbprints', label: 'oidc.thumbprints', kind: 'area', optional: true },
      ],
      input: values => ({
        Url: values.url,
        ClientIDList: lines(values.clients),
        ThumbprintList: lines(values.thumbprints).length > 0 ? lines(values.thumbprints) : undefined,
      }),
    },
  },
  actions: [
    {
      id: 'client',
      label: 'oidc.addClient',
      form: {
        operation: 'AddClientIDToOpenIDConnectProvider',
        fields: [{ name: 'client', label: 'oidc.client' }],
        input: (values, item) => ({ OpenIDConnectProviderArn: item?.Arn, ClientID: values.client }),
      },
    },
    {
      id: 'delete',
      label: 'oidc.delete',
      operation: 'DeleteOpenIDConnectProvider',
      each: item => ({ OpenIDConnectProviderArn: item.Arn }),
      confirm: 'typed',
    },
  ],
  tagging: iamTags('OpenIDConnectProvider'),
  tabs: [
    {
      id: 'clients',
      label: 'oidc.client',
      content: item => (
        <SubList
          service="iam"
          title="oidc.client"
          operation="GetOpenIDConnectProvider"
          member="ClientIDList"
          input={{ OpenIDConnectProviderArn: item.Arn }}
          columns={clients}
          kinds={['iam-oidc-provider']}
          remove={taking('do.delete', 'RemoveClientIDFromOpenIDConnectProvider', client => ({
            OpenIDConnectProviderArn: item.Arn, ClientID: client.name,
          }))}
        />
      ),
    },
    {
      id: 'thumbprints',
      label: 'oidc.thumbprint',
      content: item => (
        <SubList
          service="iam"
          title="oidc.thumbprint"
          operation="GetOpenIDConnectProvider"
          member="ThumbprintList"
          input={{ OpenIDConnectProviderArn: item.Arn }}
          columns={thumbprints}
        />
      ),
    },
  ],
}

export const more: Resource[] = [userGroups, instanceProfiles, identityProviders]
