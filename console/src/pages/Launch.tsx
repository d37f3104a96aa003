/** "Launch an instance": one page, its summary at the side, as the AWS console has it. */
import {
  Alert,
  Button,
  Container,
  ContentLayout,
  ExpandableSection,
  FormField,
  Grid,
  Header,
  Input,
  Link,
  Select,
  SpaceBetween,
  Spinner,
} from '@cloudscape-design/components'
import { useEffect, useState } from 'react'
import { call, send, wordsOf, type Answer } from '../api/call'
import { filled } from '../api/preview'
import { useList } from '../api/use'
import { formatNumber, t, usd } from '../i18n/text'
import { priceOf } from '../prices'
import { AdvancedSection } from '../parts/LaunchAdvanced'
import { ImageSection } from '../parts/LaunchImage'
import { KeySection } from '../parts/LaunchKey'
import { LaunchSource } from '../parts/LaunchSource'
import { NetworkSection } from '../parts/LaunchNetwork'
import { StorageSection } from '../parts/LaunchStorage'
import { LaunchSummary } from '../parts/LaunchSummary'
import { TagFields } from '../parts/TagFields'
import { instancesOf } from '../resources/choices'
import type { Item } from '../resources/kinds'
import { facts } from '../shell/facts'
import { flash } from '../shell/flash'
import { follow, go } from '../shell/router'
import { launchBy } from './template-load'
import { callsOf, likeOf, start, wizardName, type Launch } from './launch-state'

export type SectionProps = { state: Launch; set(part: Partial<Launch>): void }

const describeType = (type: any): string =>
  [
    `${type.VCpuInfo.DefaultVCpus} vCPU`,
    `${formatNumber(type.MemoryInfo.SizeInMiB / 1024)} ${t('unit.gib')}`,
    ...type.ProcessorInfo.SupportedArchitectures,
  ].join(' · ')

/** Makes the calls; the ids of what was launched. A name that another page was quicker with becomes the next one. */
async function launch(wanted: Launch, taken: readonly string[]): Promise<string[]> {
  const [first, ...rest] = callsOf(wanted, facts().hostAddress)
  let answer: Answer
  try {
    answer = await send(first!)
  } catch (cause) {
    if ((cause as Error).name !== 'InvalidGroup.Duplicate') throw cause
    const more = [...taken, wanted.groupName]
    return launch({ ...wanted, groupName: wizardName(more) }, more)
  }
  const { GroupId } = answer
  try {
    for (const next of rest) answer = await send(filled(next, 'GroupId', GroupId))
  } catch (cause) {
    // A group for an instance that does not come to be would only be in the way.
    await call('ec2', 'DeleteSecurityGroup', { GroupId }).catch((left: unknown) => flash({ type: 'warning', content: wordsOf(left) }))
    throw cause
  }
  return (answer.Instances as { InstanceId: string }[]).map(one => one.InstanceId)
}

/** What the launch of an instance that is there was asked for. */
async function asked(id: string): Promise<Partial<Launch>> {
  const [found, given] = await Promise.all([
    call('ec2', 'DescribeInstances', { InstanceIds: [id] }),
    call('ec2', 'DescribeInstanceAttribute', { InstanceId: id, Attribute: 'userData' }),
  ])
  return likeOf(instancesOf(found.Reservations)[0], given.UserData?.Value ?? '')
}

type Asked = { image: string; type?: string; like?: string; template?: string; version?: string }

/** With the AMI that is chosen, or one to begin with, and a root volume of its size. */
function withImage(before: Launch, images: Item[]): Launch {
  const found = images.find(i => i.ImageId === before.image) ?? images.find(i => i.Name === 'debian-12-ec2') ?? images[0]
  if (!found) return before
  const isSaid = before.source?.data.BlockDeviceMappings?.some((one: Item) => one.DeviceName === found.RootDeviceName && one.Ebs?.VolumeSize)
  const size = String(found.BlockDeviceMappings?.[0]?.Ebs?.VolumeSize ?? 8)
  return { ...before, image: found.ImageId, rootDevice: found.RootDeviceName, root: isSaid ? before.root : { ...before.root, size } }
}

export default function LaunchPage({ image, type = start.type, like, template, version = '$Default' }: Asked) {
  const [state, setState] = useState<Launch>(() => ({ ...start, image, type, opened: new Date().toISOString() }))
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [checked, setChecked] = useState(false)
  const set = (part: Partial<Launch>): void => setState(before => ({ ...before, ...part }))
  const groups = useList('ec2', 'DescribeSecurityGroups', 'SecurityGroups', { kinds: ['security-group'] })
  const images = useList('ec2', 'DescribeImages', 'Images', { kinds: ['image'], input: { Owners: ['self', 'amazon'] } })
  const types = useList('ec2', 'DescribeInstanceTypes', 'InstanceTypes')
  const chosen = (images.data ?? []).find(i => i.ImageId === state.image)

  useEffect(() => {
    if (like) asked(like).then(set, (cause: unknown) => setError(wordsOf(cause)))
  }, [like])
  useEffect(() => {
    if (template) launchBy(template, version).then(set, (cause: unknown) => setError(wordsOf(cause)))
  }, [template, version])
  useEffect(() => {
    if (groups.data && !busy) set({ groupName: wizardName(groups.data.map(g => g.GroupName)) })
  }, [groups.data, busy])
  useEffect(() => {
    const known = images.data
    // Over whatever has come meanwhile: what a template says of the root volume stays.
    if (known) setState(before => withImage(before, known))
  }, [images.data, state.image, state.source])

  async function submit(): Promise<void> {
    setChecked(true)
    if (state.key === undefined) return
    setBusy(true)
    setError(undefined)
    try {
      const ids = await launch(state, (groups.data ?? []).map(g => g.GroupName as string))
      flash({ type: 'success', content: t('launch.done', { id: ids.join(', ') }) })
      go(`/ec2/instances/launched?ids=${ids.join(',')}`)
    } catch (cause) {
      setError(wordsOf(cause))
      setBusy(false)
    }
  }

  if (template && !state.source && !error) return <Spinner size="large" />

  const typeOptions = (types.data ?? [])
    .map(type => ({
      value: type.InstanceType as string,
      label: type.InstanceType as string,
      description: describeType(type),
      labelTag: priceOf(type.InstanceType) === undefined ? undefined : t('cost.hour', { price: usd(priceOf(type.InstanceType)!) }),
      tags: type.FreeTierEligible ? [t('f.freeTier')] : undefined,
    }))
    .sort((a, b) => a.label.localeCompare(b.label, undefined, { numeric: true }))

  return (
    <ContentLayout header={<Header variant="h1">{t('launch.title')}</Header>}>
      <Grid gridDefinition={[{ colspan: { default: 12, m: 8 } }, { colspan: { default: 12, m: 4 } }]}>
        <SpaceBetween size="l">
          {error && (
            <Alert type="error" header={t('error.title')}>
              {error}
            </Alert>
          )}
          {state.source && <LaunchSource source={state.source} />}
          <Container header={<Header variant="h2">{t('launch.name')}</Header>}>
            <SpaceBetween size="m">
              <FormField label={t('launch.nameField')}>
                <Input value={state.name} placeholder={t('launch.namePlaceholder')} onChange={({ detail }) => set({ name: detail.value })} />
              </FormField>
              <ExpandableSection headerText={t('launch.addTags')}>
                <TagFields tags={state.tags} onChange={tags => set({ tags })} />
              </ExpandableSection>
            </SpaceBetween>
          </Container>
          <ImageSection state={state} set={set} images={images} />
          <Container header={<Header variant="h2">{t('launch.type')}</Header>}>
            <FormField
              label={t('launch.type')}
              secondaryControl={
                <Link href="/ec2/instance-types" onFollow={follow}>
                  {t('launch.compare')}
                </Link>
              }
            >
              <Select
                options={typeOptions}
                filteringType="auto"
                selectedOption={typeOptions.find(o => o.value === state.type) ?? { value: state.type, label: state.type }}
                triggerVariant="option"
                statusType={types.loading ? 'loading' : 'finished'}
                onChange={({ detail }) => set({ type: detail.selectedOption.value! })}
              />
            </FormField>
          </Container>
          <KeySection state={state} set={set} error={checked && state.key === undefined ? t('launch.chooseKey') : undefined} />
          <NetworkSection state={state} set={set} groups={groups} />
          <StorageSection state={state} set={set} type={(types.data ?? []).find(one => one.InstanceType === state.type)} />
          <AdvancedSection state={state} set={set} />
        </SpaceBetween>
        <LaunchSummary
          state={state}
          set={set}
          image={chosen}
          busy={busy}
          groups={groups.data ?? []}
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <Button variant="link" onClick={() => go('/ec2/instances')}>
                {t('do.cancel')}
              </Button>
              <Button variant="primary" loading={busy} onClick={() => void submit()}>
                {t('launch.submit')}
              </Button>
            </SpaceBetween>
          }
        />
      </Grid>
    </ContentLayout>
  )
}
