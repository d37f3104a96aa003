/** What users, roles and policies have: policies, keys, members, documents. */
import { Alert, Container, ExpandableSection, Header, SpaceBetween } from '@cloudscape-design/components'
import { useAnswer, useList } from '../api/use'
import { t, type Key } from '../i18n/text'
import { taking } from '../resources/choices'
import { column, type Column, type Item } from '../resources/kinds'
import { addressOf } from '../shell/addresses'
import { LogText } from './LogText'
import { SubList, type SubListProps } from './SubList'

const policies: Column[] = [
  { id: 'PolicyName', label: 'f.policy', value: item => item.PolicyName, href: item => addressOf('/iam/policies', item.PolicyArn) },
  column('PolicyArn', 'f.Arn'),
]
const inline: Column[] = [column('name', 'f.policy')]
const users = column('UserName', 'f.user', { link: '/iam/users' })
const roles = column('RoleName', 'f.roleName', { link: '/iam/roles' })
const groups: Column[] = [column('GroupName', 'iam.group', { link: '/iam/groups' }), column('Arn', 'f.Arn')]
const created = column('CreateDate', 'f.created', { kind: 'date' })
const keys: Column[] = [column('AccessKeyId', 'iam.keyId'), column('Status', 'f.state', { kind: 'word' }), created]

const KINDS = ['iam-user', 'iam-group', 'iam-role', 'iam-policy', 'iam-access-key']
const List = (props: Omit<SubListProps, 'service' | 'kinds'>) => <SubList service="iam" kinds={KINDS} {...props} />
type Owner = { kind: 'User' | 'Group' | 'Role'; name: string }

/** The policies of a user, a group or a role, with the texts of those that are its own alone. */
export function Permissions({ kind, name }: Owner) {
  const input = { [`${kind}Name`]: name }
  const own = useList('iam', `List${kind}Policies`, 'PolicyNames', { input, kinds: KINDS })
  return (
    <SpaceBetween size="l">
      <List
        title="iam.attached"
        operation={`ListAttached${kind}Policies`}
        member="AttachedPolicies"
        input={input}
        columns={policies}
        empty="iam.noPolicies"
        remove={taking('iam.detach', `Detach${kind}Policy`, item => ({ ...input, PolicyArn: item.PolicyArn }))}
      />
      <List
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
    </SpaceBetween>
  )
}

function InlinePolicy({ kind, name, policy }: Owner & { policy: string }) {
  const { data, error } = useAnswer('iam', `Get${kind}Policy`, { [`${kind}Name`]: name, PolicyName: policy }, KINDS)
  return (
    <ExpandableSection headerText={policy} variant="container">
      {error ? <Alert type="error">{error}</Alert> : <LogText label={policy} text={data ? tidy(data.PolicyDocument) : ''} />}
    </ExpandableSection>
  )
}

export function Credentials({ name }: { name: string }) {
  const input = { UserName: name }
  return (
    <SpaceBetween size="l">
      <List
        title="iam.keys"
        operation="ListAccessKeys"
        member="AccessKeyMetadata"
        input={input}
        columns={keys}
        empty="iam.noKeys"
        remove={taking('do.delete', 'DeleteAccessKey', item => ({ ...input, AccessKeyId: item.AccessKeyId }), 'typed')}
      />
      <List
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
    <List
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

/** IAM encodes its documents for addresses; other records are plain JSON. */
export const tidy = (document: string): string =>
  JSON.stringify(JSON.parse(document.startsWith('{') ? document : decodeURIComponent(document)), null, 2)

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
    <List
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
