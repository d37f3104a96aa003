/** The versions of a managed policy, with their texts. */
import { Alert, ExpandableSection, SpaceBetween } from '@cloudscape-design/components'
import { useAnswer } from '../api/use'
import { t } from '../i18n/text'
import { taking } from '../resources/choices'
import { column, type Action, type Column, type Item } from '../resources/kinds'
import { IamList, tidy } from './IamList'
import { LogText } from './LogText'

const KINDS = ['iam-policy']
const versions: Column[] = [
  column('VersionId', 'f.version'),
  column('IsDefaultVersion', 'f.default'),
  column('CreateDate', 'f.created', { kind: 'date' }),
]
const isOther = (version: Item): boolean => !version.IsDefaultVersion

/** AWS's own policies are nobody's to change. */
export function PolicyVersions({ item, own }: { item: Item; own: boolean }) {
  const input = { PolicyArn: item.Arn }
  const named = (version: Item) => ({ ...input, VersionId: version.VersionId })
  const choose: Action = {
    id: 'default',
    label: 'policies.setDefault',
    operation: 'SetDefaultPolicyVersion',
    each: named,
    one: true,
    enabled: isOther,
    confirm: 'plain',
  }
  const remove: Action = { ...taking('do.delete', 'DeletePolicyVersion', named), enabled: isOther }
  const list = useAnswer('iam', 'ListPolicyVersions', input, KINDS)
  return (
    <SpaceBetween size="l">
      <IamList
        title="policies.versions"
        operation="ListPolicyVersions"
        member="Versions"
        input={input}
        columns={versions}
        actions={own ? [choose] : []}
        remove={own ? remove : undefined}
      />
      {((list.data?.Versions ?? []) as Item[]).map(({ VersionId }) => (
        <Version key={VersionId} item={item} id={VersionId} />
      ))}
    </SpaceBetween>
  )
}

function Version({ item, id }: { item: Item; id: string }) {
  const { data, error } = useAnswer('iam', 'GetPolicyVersion', { PolicyArn: item.Arn, VersionId: id }, KINDS)
  const label = `${t('f.version')} ${id}`
  return (
    <ExpandableSection headerText={label} variant="container">
      {error ? <Alert type="error">{error}</Alert> : <LogText label={label} text={data ? tidy(data.PolicyVersion.Document) : ''} />}
    </ExpandableSection>
  )
}
