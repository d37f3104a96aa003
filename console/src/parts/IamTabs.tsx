/** What users, roles and policies have: policies, keys, members, documents. */
import { Alert, Container, ExpandableSection, Header, SpaceBetween } from '@cloudscape-design/components'
import { call } from '../api/call'
import { useAnswer, useList } from '../api/use'
import { t, type Key } from '../i18n/text'
import { taking } from '../resources/choices'
import { column, type Action, type Column, type Item } from '../resources/kinds'
import { addressOf } from '../shell/addresses'
import { Facts } from './Facts'
import { IAM_KINDS, IamList, tidy } from './IamList'
import { MfaDevices } from './IamMfa'
import { LogText } from './LogText'

const policies: Column[] = [
  { id: 'PolicyName', label: 'f.policy', value: item => item.PolicyName, href: item => addressOf('/iam/policies', item.PolicyArn) },
  column('PolicyArn', 'f.Arn'),
]
const inline: Column[] = [column('name', 'f.policy')]
const users = column('UserName', 'f.user', { link: '/iam/users' })
const roles = column('RoleName', 'f.roleName', { link: '/iam/roles' })
const groups: Column[] = [column('GroupName', 'iam.group', { link: '/iam/groups' }), column('Arn', 'f.Arn')]
const created = column('CreateDate', 'f.created', { kind: 'date' })
const keys: Column[] = [
  column('AccessKeyId', 'iam.keyId'),
  column('Status', 'f.state', { kind: 'word' }),
  created,
  column('LastUsedDate', 'iam.keyUsed', { kind: 'date' }),
  column('ServiceName', 'iam.keyService'),
]
/** A listing of keys does not tell when each was last used; of one that never was, no service is to be named. */
async function withUse(key: Item): Promise<Item> {
  const { AccessKeyLastUsed: used } = await call('iam', 'GetAccessKeyLastUsed', { AccessKeyId: key.AccessKeyId })
  return used?.LastUsedDate ? { ...key, ...used } : key
}

type Owner = { kind: 'User' | 'Group' | 'Role'; name: string }

/** The policies of a user, a group or a role, with the texts of those that are its own alone. */
export function Permissions({ kind, name }: Owner) {
  const input = { [`${kind}Name`]: name }
  const own = useList('iam', `List${kind}Policies`, 'PolicyNames', { input, kinds: IAM_KINDS })
  return (
    <SpaceBetween size="l">
      <IamList
        title="iam.attached"
        operation={`ListAttached${kind}Policies`}
        member="AttachedPolicies"
        input={input}
        columns={policies}
        empty="iam.noPolicies"
        remove={taking('iam.detach', `Detach${kind}Policy`, item => ({ ...input, PolicyArn: item.PolicyArn }))}
      />
      <IamList
        title="iam.inline"
        operation={`List${kind}Policies`}
        member="PolicyNames"
        input={input}
        columns={inline}
        empty="iam.noInline"
        remove={taking('do.delete', `Delete${kind}Policy`, item => ({ ...input, PolicyName: item.name }))}
      />
      {(own.data ?? []).map((policy: string) => (
        <InlinePolicy key={policy} kind={kind} name={name} policy={policy} />
      ))}
      {kind !== 'Group' && <Boundary kind={kind} name={name} />}
    </SpaceBetween>
  )
}

const boundary: Column = {
  ...column('PermissionsBoundary.PermissionsBoundaryArn', 'boundary.policy'),
  href: item => addressOf('/iam/policies', item.PermissionsBoundary.PermissionsBoundaryArn),
}
/** What it may at most; the listing does not tell it. */
function Boundary({ kind, name }: Owner) {
  const { data, error } = useAnswer('iam', `Get${kind}`, { [`${kind}Name`]: name }, IAM_KINDS)
  if (error) return <Alert type="error">{error}</Alert>
  return <Facts title="boundary.title" columns={[boundary]} item={data?.[kind] ?? {}} />
}

function InlinePolicy({ kind, name, policy }: Owner & { policy: string }) {
  const { data, error } = useAnswer('iam', `Get${kind}Policy`, { [`${kind}Name`]: name, PolicyName: policy }, IAM_KINDS)
  return (
    <ExpandableSection headerText={policy} variant="container">
      {error ? <Alert type="error">{error}</Alert> : <LogText label={policy} text={data ? tidy(data.PolicyDocument) : ''} />}
    </ExpandableSection>
  )
}

export function Credentials({ name }: { name: string }) {
  const input = { UserName: name }
  const turn = (Status: 'Active' | 'Inactive'): Action => ({
    id: Status,
    label: Status === 'Active' ? 'iam.keyOn' : 'iam.keyOff',
    operation: 'UpdateAccessKey',
    each: ({ AccessKeyId }) => ({ ...input, AccessKeyId, Status }),
    enabled: key => key.Status !== Status,
    confirm: 'plain',
  })
  return (
    <SpaceBetween size="l">
      <IamList
        title="iam.keys"
        operation="ListAccessKeys"
        member="AccessKeyMetadata"
        input={input}
        columns={keys}
        empty="iam.noKeys"
        also={withUse}
        actions={[turn('Active'), turn('Inactive')]}
        remove={taking('do.delete', 'DeleteAccessKey', item => ({ ...input, AccessKeyId: item.AccessKeyId }), 'typed')}
      />
      <MfaDevices user={name} />
      <IamList
        title="iam.groups"
        operation="ListGroupsForUser"
        member="Groups"
        input={input}
        columns={groups}
        empty="iam.noGroups"
        remove={taking('userGroups.removeUser', 'RemoveUserFromGroup', item => ({ ...input, GroupName: item.GroupName }))}
      />
    </SpaceBetween>
  )
}

export function GroupMembers({ name }: { name: string }) {
  const input = { GroupName: name }
  return (
    <IamList
      title="menu.iamUsers"
      operation="GetGroup"
      member="Users"
      input={input}
      columns={[users, created]}
      empty="userGroups.noUsers"
      remove={taking('userGroups.removeUser', 'RemoveUserFromGroup', item => ({ ...input, UserName: item.UserName }))}
    />
  )
}

export function Document({ title, document }: { title: Key; document: string | undefined }) {
  return (
    <Container header={<Header variant="h2">{t(title)}</Header>}>
      <LogText label={t(title)} text={document ? tidy(document) : ''} />
    </Container>
  )
}

export function PolicyDocument({ item }: { item: Item }) {
  const { data, error } = useAnswer('iam', 'GetPolicyVersion', { PolicyArn: item.Arn, VersionId: item.DefaultVersionId }, ['iam-policy'])
  if (error) return <Alert type="error">{error}</Alert>
  return <Document title="policies.document" document={data?.PolicyVersion?.Document} />
}

export function PolicyEntities({ item }: { item: Item }) {
  const list = (member: string, title: Key, columns: Column[]) => (
    <IamList
      title={title}
      operation="ListEntitiesForPolicy"
      member={member}
      input={{ PolicyArn: item.Arn }}
      columns={columns}
      empty="iam.noEntities"
    />
  )
  return (
    <SpaceBetween size="l">
      {list('PolicyUsers', 'menu.iamUsers', [users])}
      {list('PolicyRoles', 'menu.iamRoles', [roles])}
      {list('PolicyGroups', 'iam.groups', [groups[0]!])}
    </SpaceBetween>
  )
}
