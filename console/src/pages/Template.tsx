/** "Create launch template": a new one, a version of one that is there, or one like an instance. */
import {
  Alert,
  Button,
  Checkbox,
  Container,
  ContentLayout,
  FormField,
  Grid,
  Header,
  Input,
  Multiselect,
  Select,
  SpaceBetween,
} from '@cloudscape-design/components'
import { useEffect, useState, type ReactNode } from 'react'
import { call, send, wordsOf } from '../api/call'
import { useList } from '../api/use'
import { t, type Key } from '../i18n/text'
import { Code } from '../parts/Code'
import { AdvancedSection } from '../parts/LaunchAdvanced'
import { VolumeRow } from '../parts/LaunchStorage'
import { TagFields } from '../parts/TagFields'
import { labelOf } from '../resources/choices'
import { flash } from '../shell/flash'
import { go } from '../shell/router'
import { newVolume, runInput, start, type Launch } from './launch-state'
import { rootDeviceOf, versionOf } from './template-load'
import { callOf, launchOf, notShown, withoutAddresses, type Data, type Template } from './template-state'

const LIST = '/ec2/launch-templates'
const ROOT = '/dev/xvda'
/** Nothing is said until it is chosen. */
const open: Launch = { ...start, type: '', key: '', group: 'existing', rootDevice: ROOT, root: newVolume, shutdown: '', tokens: '', hops: '' }

export type Asked = { template?: string; version?: string; instance?: string }

/** What the page begins with. */
async function begun({ template, version, instance }: Asked): Promise<Partial<Template> & { based?: number }> {
  if (template) {
    const { VersionNumber, LaunchTemplateName, LaunchTemplateData } = await versionOf(template, version ?? '$Default')
    return { ...(await shown(LaunchTemplateData as Data)), of: template, name: LaunchTemplateName as string, based: VersionNumber as number }
  }
  if (!instance) return {}
  const { LaunchTemplateData } = await call('ec2', 'GetLaunchTemplateData', { InstanceId: instance })
  return shown(withoutAddresses(LaunchTemplateData as Data))
}

async function shown(from: Data): Promise<Partial<Template>> {
  const rootDevice = (await rootDeviceOf(from.ImageId)) ?? ROOT
  const launch = { ...open, rootDevice, ...launchOf(from, rootDevice) }
  return { from, launch, root: from.BlockDeviceMappings?.some((one: Data) => one.DeviceName === rootDevice) ?? false }
}

/** Another address is another page: what stood in the fields is not taken along. */
export default function TemplatePage(asked: Asked) {
  const [state, setState] = useState<Template>({ name: '', words: '', launch: open, root: false })
  const [based, setBased] = useState<number>()
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const { launch } = state
  const change = (part: Partial<Template>): void => setState(before => ({ ...before, ...part }))
  const set = (part: Partial<Launch>): void => setState(before => ({ ...before, launch: { ...before.launch, ...part } }))
  useEffect(() => {
    begun(asked).then(
      ({ based: number, ...found }) => {
        change(found)
        setBased(number)
      },
      (cause: unknown) => setError(wordsOf(cause)),
    )
  }, [asked.template, asked.version, asked.instance])
  const preview = callOf(state, runInput(launch, launch.groups))
  const title = t(state.of ? 'templates.newVersion' : 'templates.create')
  const others = notShown(state.from)

  async function submit(): Promise<void> {
    setBusy(true)
    setError(undefined)
    try {
      const answer = await send(preview)
      const { LaunchTemplateId, LaunchTemplateName } = answer.LaunchTemplate ?? answer.LaunchTemplateVersion
      const problems = (answer.Warning?.Errors ?? []).map((one: Data) => one.Message).join(' ')
      flash({ type: 'success', content: t('done.created', { id: `${LaunchTemplateName} (${LaunchTemplateId})` }) })
      if (problems) flash({ type: 'warning', content: `${t('templates.warned')} ${problems}` })
      go(`${LIST}/${LaunchTemplateId}?tab=versions`)
    } catch (cause) {
      setError(wordsOf(cause))
    } finally {
      setBusy(false)
    }
  }

  return (
    <ContentLayout header={<Header variant="h1" description={t('templates.open')}>{title}</Header>}>
      <Grid gridDefinition={[{ colspan: { default: 12, m: 8 } }, { colspan: { default: 12, m: 4 } }]}>
        <SpaceBetween size="l">
          {error && (
            <Alert type="error" header={t('error.title')}>
              {error}
            </Alert>
          )}
          <Section title="templates.nameAndWords">
            <FormField label={t('templates.name')} description={t('templates.nameHint')}>
              <Input value={state.name} disabled={state.of !== undefined} onChange={({ detail }) => change({ name: detail.value })} />
            </FormField>
            <FormField label={t('templates.words')}>
              <Input value={state.words} onChange={({ detail }) => change({ words: detail.value })} />
            </FormField>
            {state.of && <Based template={state.of} based={based} />}
            {others.length > 0 && <Alert type="info">{t('templates.othersTaken', { names: others.join(', ') })}</Alert>}
          </Section>
          <Machine launch={launch} set={set} />
          <Network launch={launch} set={set} />
          <Storage state={state} change={change} set={set} />
          <Section title="templates.tags">
            <FormField label={t('launch.nameField')}>
              <Input value={launch.name} onChange={({ detail }) => set({ name: detail.value })} />
            </FormField>
            <TagFields tags={launch.tags} onChange={tags => set({ tags })} />
          </Section>
          <AdvancedSection state={launch} set={set} none="templates.notIncluded" />
        </SpaceBetween>
        <div style={{ position: 'sticky', top: '5rem' }}>
          <Container
            header={<Header variant="h2">{t('launch.summary')}</Header>}
            footer={
              <SpaceBetween size="xs" direction="horizontal">
                <Button variant="link" onClick={() => go(LIST)}>{t('do.cancel')}</Button>
                <Button variant="primary" loading={busy} onClick={() => void submit()}>{title}</Button>
              </SpaceBetween>
            }
          >
            <Code calls={[preview]} />
          </Container>
        </div>
      </Grid>
    </ContentLayout>
  )
}

const Section = ({ title, children }: { title: Key; children: ReactNode }) => (
  <Container header={<Header variant="h2">{t(title)}</Header>}>
    <SpaceBetween size="m">{children}</SpaceBetween>
  </Container>
)

/** Another version to begin with. */
function Based({ template, based }: { template: string; based?: number }) {
  const list = useList('ec2', 'DescribeLaunchTemplateVersions', 'LaunchTemplateVersions', { input: { LaunchTemplateId: template } })
  const numbered = (one: Data): Option => ({
    value: String(one.VersionNumber),
    label: String(one.VersionNumber),
    description: one.VersionDescription,
  })
  const options = (list.data ?? []).map(numbered)
  return (
    <FormField label={t('templates.basedOn')}>
      <Select
        options={options}
        selectedOption={options.find(o => o.value === String(based)) ?? null}
        onChange={({ detail }) => go(`/create${LIST}?template=${template}&version=${detail.selectedOption.value}`)}
      />
    </FormField>
  )
}

type Option = { value: string; label: string; description?: string }
type ChooserProps = { label: Key; value: string; options: Option[]; onChange(value: string): void }

/** One of some, or nothing. What is not among them, such as an AMI that is gone, stands there as it is. */
function Chooser({ label, value, options, onChange }: ChooserProps) {
  const all = [{ value: '', label: t('templates.notIncluded') }, ...options]
  return (
    <FormField label={t(label)}>
      <Select
        options={all}
        filteringType={options.length > 8 ? 'auto' : 'none'}
        selectedOption={all.find(o => o.value === value) ?? { value, label: value }}
        onChange={({ detail }) => onChange(detail.selectedOption.value!)}
      />
    </FormField>
  )
}

type PartProps = { launch: Launch; set(part: Partial<Launch>): void }

function Machine({ launch, set }: PartProps) {
  const images = useList('ec2', 'DescribeImages', 'Images', { kinds: ['image'], input: { Owners: ['self', 'amazon'] } })
  const types = useList('ec2', 'DescribeInstanceTypes', 'InstanceTypes')
  const keys = useList('ec2', 'DescribeKeyPairs', 'KeyPairs', { kinds: ['key-pair'] })
  const named = (names: string[]): Option[] =>
    names.sort((a, b) => a.localeCompare(b, undefined, { numeric: true })).map(name => ({ value: name, label: name }))
  const choose = (image: string): void => {
    const found = images.data?.find(one => one.ImageId === image)
    const size = String(found?.BlockDeviceMappings?.[0]?.Ebs?.VolumeSize ?? 8)
    set({ image, rootDevice: found?.RootDeviceName ?? ROOT, root: { ...launch.root, size } })
  }
  return (
    <SpaceBetween size="l">
      <Section title="launch.image">
        <Chooser
          label="f.ImageId"
          value={launch.image}
          options={(images.data ?? []).map(one => ({ value: one.ImageId, label: one.Name, description: one.ImageId }))}
          onChange={choose}
        />
      </Section>
      <Section title="launch.type">
        <Chooser
          label="launch.type"
          value={launch.type}
          options={named((types.data ?? []).map(one => one.InstanceType))}
          onChange={type => set({ type })}
        />
      </Section>
      <Section title="launch.key">
        <Chooser
          label="launch.keyName"
          value={launch.key ?? ''}
          options={named((keys.data ?? []).map(one => one.KeyName))}
          onChange={key => set({ key })}
        />
      </Section>
    </SpaceBetween>
  )
}

function Network({ launch, set }: PartProps) {
  const subnets = useList('ec2', 'DescribeSubnets', 'Subnets', { kinds: ['subnet'] })
  const groups = useList('ec2', 'DescribeSecurityGroups', 'SecurityGroups', { kinds: ['security-group'] })
  const vpc = subnets.data?.find(one => one.SubnetId === launch.subnet)?.VpcId
  const options = (groups.data ?? [])
    .filter(one => vpc === undefined || one.VpcId === vpc)
    .map(one => ({ value: one.GroupId as string, label: `${one.GroupName} (${one.GroupId})`, description: one.VpcId as string }))
  return (
    <Section title="launch.network">
      <Chooser
        label="launch.subnet"
        value={launch.subnet}
        options={(subnets.data ?? []).map(one => ({
          value: one.SubnetId,
          label: labelOf(one.SubnetId, one),
          description: `${one.AvailabilityZone} · ${one.CidrBlock}`,
        }))}
        onChange={subnet => set({ subnet })}
      />
      <Chooser
        label="launch.publicIp"
        value={launch.publicIp}
        options={[
          { value: 'true', label: t('launch.enable') },
          { value: 'false', label: t('launch.disable') },
        ]}
        onChange={publicIp => set({ publicIp: publicIp as '' })}
      />
      <FormField label={t('f.groups')} description={t('templates.network')}>
        <Multiselect
          options={options}
          selectedOptions={launch.groups.map(id => options.find(o => o.value === id) ?? { value: id, label: id })}
          placeholder={t('f.groups')}
          onChange={({ detail }) => set({ groups: detail.selectedOptions.map(o => o.value!) })}
        />
      </FormField>
    </Section>
  )
}

function Storage({ state, change, set }: { state: Template; change(part: Partial<Template>): void; set(part: Partial<Launch>): void }) {
  const { root, volumes } = state.launch
  const add = <Button onClick={() => set({ volumes: [...volumes, newVolume] })}>{t('launch.addVolume')}</Button>
  return (
    <Container header={<Header variant="h2" actions={add}>{t('launch.storage')}</Header>}>
      <SpaceBetween size="m">
        <Checkbox checked={state.root} onChange={({ detail }) => change({ root: detail.checked })}>{t('templates.root')}</Checkbox>
        {state.root && <VolumeRow title={t('launch.root')} volume={root} onChange={part => set({ root: { ...root, ...part } })} />}
        {volumes.map((volume, i) => (
          <VolumeRow
            key={i}
            title={t('launch.volume', { number: i + 2 })}
            volume={volume}
            onChange={part => set({ volumes: volumes.map((one, j) => (i === j ? { ...one, ...part } : one)) })}
            onRemove={() => set({ volumes: volumes.filter((_, j) => i !== j) })}
            own
          />
        ))}
      </SpaceBetween>
    </Container>
  )
}
