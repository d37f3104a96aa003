/** What users, roles and policies have: policies, keys, members, documents. */
import { Alert, Container, ExpandableSection, Header, SpaceBetween } from '@cloudscape-design/components'
import { useAnswer, useList } from '../api/use'
import { t, type Key } from '../i18n/text'
import { column, type Column, type Item } from '../resources/kinds'
import { LogText } from './LogText'
import { SubList } from './SubList'

const policies: Column[] = [column('PolicyName', 'f.policy'), column('PolicyArn', 'f.Arn')]
const inline: Column[] = [column('name', 'f.policy')]

const KINDS = ['iam-user', 'iam-group', 'iam-role', 'iam-policy']
type Owner = { kind: 'User' | 'Group' | 'Role'; name: string }

/** The policies of a user, a group or a role, with the texts of those that are its own alone. */
export function Permissions({ kind, name }: Owner) {
  const input = { [`${kind}Name`]: name }
  const own = useList('iam', `List${kind}Policies`, 'PolicyNames', { input, kinds: KINDS })
  return (
    <SpaceBetween size="l">
      <SubList
        service="iam"
        title="iam.attached"
        operation={`ListAttached${kind}Policies`}
        member="AttachedPolicies"
        input={input}
        columns={policies}
        kinds={KINDS}
        empty="iam.noPolicies"
        remove={{
          id: 'remove',
          label: 'iam.detach',
          operation: `Detach${kind}Policy`,
          each: item => ({ ...input, PolicyArn: item.PolicyArn }),
          confirm: 'plain',
        }}
      />
      <SubList
        service="iam"
        title="iam.inline"
        operation={`List${kind}Policies`}
        member="PolicyNames"
        input={input}
        columns={inline}
        kinds={KINDS}
        empty="iam.noInline"
        remove={{
          id: 'remove',
          label: 'do.delete',
          operation: `Delete${kind}Policy`,
          each: item => ({ ...input, PolicyName: item.name }),
          confirm: 'plain',
        }}
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

const keys: Column[] = [
  column('AccessKeyId', 'iam.keyId'),
  column('Status', 'f.state', { kind: 'word' }),
  column('CreateDate', 'f.created', { kind: 'date' }),
]
const groups: Column[] = [column('GroupName', 'iam.group', { link: '/iam/groups' }), column('Arn', 'f.Arn')]

export function Credentials({ name }: { name: string }) {
  const input = { UserName: name }
  return (
    <SpaceBetween size="l">
      <SubList
        service="iam"
        title="iam.keys"
        operation="ListAccessKeys"
        member="AccessKeyMetadata"
        input={input}
        columns={keys}
        kinds={['iam-user', 'iam-access-key']}
        empty="iam.noKeys"
        remove={{
          id: 'remove',
          label: 'do.delete',
          operation: 'DeleteAccessKey',
          each: item => ({ ...input, AccessKeyId: item.AccessKeyId }),
          confirm: 'typed',
        }}
      />
      <SubList
        service="iam"
        title="iam.groups"
        operation="ListGroupsForUser"
        member="Groups"
        input={input}
        columns={groups}
        kinds={KINDS}
        remove={{
          id: 'remove',
          label: 'userGroups.removeUser',
          operation: 'RemoveUserFromGroup',
          each: item => ({ ...input, GroupName: item.GroupName }),
          confirm: 'plain',
        }}
      />
    </SpaceBetween>
  )
}

export function GroupMembers({ name }: { name: string }) {
  const input = { GroupName: name }
  return (
    <SubList
      service="iam"
      title="menu.iamUsers"
      operation="GetGroup"
      member="Users"
      input={input}
      columns={[column('UserName', 'f.user', { link: '/iam/users' }), column('CreateDate', 'f.created', { kind: 'date' })]}
      kinds={KINDS}
      remove={{
        id: 'remove',
        label: 'userGroups.removeUser',
        operation: 'RemoveUserFromGroup',
        each: item => ({ ...input, UserName: item.UserName }),
        confirm: 'plain',
      }}
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
    <SubList
      service="iam"
      title={title}
      operation="ListEntitiesForPolicy"
      member={member}
      input={{ PolicyArn: item.Arn }}
      columns={columns}
      kinds={KINDS}
    />
  )
  return (
    <SpaceBetween size="l">
      {list('PolicyUsers', 'menu.iamUsers', [column('UserName', 'f.user', { link: '/iam/users' })])}
      {list('PolicyRoles', 'menu.iamRoles', [column('RoleName', 'f.roleName', { link: '/iam/roles' })])}
      {list('PolicyGroups', 'iam.groups', groups)}
    </SpaceBetween>
  )
}
